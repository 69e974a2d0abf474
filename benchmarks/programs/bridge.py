"""What the bridge adds to the objects that it makes; run in an environment with KozmoAI or pandas.

Prints JSON: seconds of CPU, the best of several, for the bridge and for the plain way beside it.
"""

import gc
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from kozmo_bridge import Batch, read

TRIES = 7


def main() -> None:
    """Read the table of the order file as one batch, and measure what is installed here."""
    with open(sys.argv[1]) as file:
        order = json.load(file)
    started = time.process_time()
    batches = list(read(order["tap"], order["config"], batch_rows=order["rows"]))
    # Wide rows come in several batches, bounded in bytes.
    rows = [row for each in batches for row in each.rows]
    batch = Batch(batches[0].stream, batches[0].columns, rows)
    figures: dict[str, Any] = {"rows": len(batch), "read": time.process_time() - started}
    if importlib.util.find_spec("kozmoai"):
        figures |= data_objects(batch)
    if importlib.util.find_spec("pandas"):
        figures |= frames(batch)
    if importlib.util.find_spec("pyarrow"):
        figures["to_arrow"] = best(batch.to_arrow)
    print(json.dumps(figures))


def data_objects(batch: Batch) -> dict[str, Any]:
    """to_data() against the host's constructor over dicts that are there already."""
    from kozmoai.schema import Data

    def bare(collect: bool) -> Callable[[], Any]:
        def constructed() -> list[Any]:
            if not collect:
                gc.disable()
            try:
                return [Data(data=row) for row in rows]
            finally:
                gc.enable()

        return constructed

    rows = batch.to_dicts()
    expected = [data.model_dump() for data in bare(True)()]
    assert [data.model_dump() for data in batch.to_data()] == expected
    return {
        "to_data": best(batch.to_data),
        "Data()": best(bare(True)),
        "Data(), gc off": best(bare(False)),
    }


def frames(batch: Batch) -> dict[str, Any]:
    """to_pandas() against pandas.DataFrame of dicts, as they come and with the same types."""
    import pandas as pd

    names = batch.names
    dicts = [dict(zip(names, row, strict=True)) for row in batch.rows]
    moments = [c.name for c in batch.columns if c.type.name.startswith("timestamp")]

    def typed() -> Any:
        frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in batch.rows])
        for name in moments:
            frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True)
        return frame

    return {
        "pandas": pd.__version__,
        "to_pandas": best(batch.to_pandas),
        "DataFrame(dicts)": best(lambda: pd.DataFrame(dicts)),
        "dicts, DataFrame, types": best(typed),
    }


def best(call: Callable[[], Any]) -> float:
    """Return the least CPU time of several calls."""
    times = []
    for _ in range(TRIES):
        gc.collect()
        started = time.process_time()
        made = call()
        times.append(time.process_time() - started)
        del made
    return min(times)


if __name__ == "__main__":
    main()
