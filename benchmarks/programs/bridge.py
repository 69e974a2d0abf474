"""What the bridge adds to the objects that it makes; run in an environment with KozmoAI or pandas.

Prints JSON: seconds of CPU, the best of several, for the bridge and for the plain way beside it.
"""

import gc
import importlib.util
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from kozmo_bridge import Batch, read

TRIES = 7
WHOLE_TRIES = 3


def main() -> None:
    """Read the table of the order file as one batch, and measure what is installed here."""
    with open(sys.argv[1]) as file:
        order = json.load(file)
    started = time.process_time()
    batches = read_all(order, "text")
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
        figures["arrow lane"] = arrow_lane(order, batch)
    print(json.dumps(figures))


def read_all(order: dict[str, Any], lane: str) -> list[Batch]:
    """Return the table in as few batches as it comes in."""
    return list(read(order["tap"], order["config"], batch_rows=order["rows"], lane=lane))


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

    dicts = [dict(zip(batch.names, row, strict=True)) for row in batch.rows]
    return {
        "pandas": pd.__version__,
        "to_pandas": best(batch.to_pandas),
        "DataFrame(dicts)": best(lambda: pd.DataFrame(dicts)),
        "dicts, DataFrame, types": best(lambda: of_dicts([batch])),
    }


def of_dicts(batches: list[Batch]) -> Any:
    """The plain way from rows to a frame: a dict for each, a frame of them, moments read."""
    import pandas as pd

    names = batches[0].names
    dicts = [dict(zip(names, row, strict=True)) for batch in batches for row in batch.rows]
    frame = pd.DataFrame(dicts)
    for column in batches[0].columns:
        if column.type.name.startswith("timestamp"):
            moments = pd.to_datetime(frame[column.name], format="ISO8601", utc=True)
            frame[column.name] = moments
    return frame


def arrow_lane(order: dict[str, Any], batch: Batch) -> dict[str, Any]:
    """Batches that came as Arrow: to_pandas() alone, and with all that reading takes."""
    import pandas as pd

    def framed(lane: str) -> Any:
        return pd.concat([each.to_pandas() for each in read_all(order, lane)], ignore_index=True)

    batches = read_all(order, "arrow")
    assert sum(map(len, batches)) == len(batch)
    pd.testing.assert_frame_equal(framed("arrow"), batch.to_pandas())
    return {
        "to_pandas": best(lambda: [each.to_pandas() for each in batches]),
        "to_arrow": best(lambda: [each.to_arrow() for each in batches]),
        "read, to_pandas": whole(lambda: framed("arrow")),
        "text: read, to_pandas": whole(lambda: framed("text")),
        "text: read, dicts, DataFrame, types": whole(lambda: of_dicts(read_all(order, "text"))),
    }


def best(call: Callable[[], Any]) -> float:
    """Return the least CPU time of several calls."""
    return min(measured(call, time.process_time) for _ in range(TRIES))


def whole(call: Callable[[], Any]) -> float:
    """Return the least CPU time of several calls, that of the processes they start included."""
    return min(measured(call, everybody) for _ in range(WHOLE_TRIES))


def measured(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Return how far *clock* goes on during the call; letting go of the result does not count."""
    gc.collect()
    started = clock()
    made = call()
    took = clock() - started
    del made
    return took


def everybody() -> float:
    """Return the CPU seconds of this process and of those that it waited for."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
