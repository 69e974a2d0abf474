"""Write a large table of 10 columns to Parquet, or profile it in batches and print the cost.

PYTHON large.py write PATH ROWS
PYTHON large.py profile PATH ROWS_A_BATCH
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow.parquet as pq

STEP = 500_000


def batches(rows: int) -> Iterator[pl.DataFrame]:
    """Yield the table piece by piece; the same for the same number of rows."""
    for start in range(0, rows, STEP):
        random = np.random.default_rng(start)
        size = min(STEP, rows - start)
        number = np.arange(start, start + size)
        yield pl.DataFrame(
            {
                "id": number,
                "amount": random.lognormal(3, 1, size).round(2),
                "ratio": np.where(random.random(size) < 0.1, np.nan, random.random(size)),
                "count": random.integers(0, 1_000, size),
                "flag": random.random(size) < 0.3,
                "moment": np.datetime64("2020-01-01", "us") + number * np.timedelta64(37, "s"),
                "city": pl.Series(random.integers(0, 900, size)).cast(pl.String) + " Town",
                "name": "customer " + pl.Series(number).cast(pl.String),
                "email": pl.Series(number // 3).cast(pl.String) + "@example.org",
                "date": pl.Series(
                    np.datetime64("2020-01-01") + random.integers(0, 2_000, size)
                ).dt.strftime("%d.%m.%Y"),
            }
        )


def write(path: str, rows: int) -> None:
    """Write the table."""
    writer = None
    for batch in batches(rows):
        table = batch.to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()


def profiled(path: str, size: int) -> None:
    """Profile the file without ever holding more than a batch; print what that cost."""
    from kozmo_bridge.cleaner.profiling import profile

    began = time.perf_counter()
    pieces = pq.ParquetFile(path).iter_batches(size)
    made = profile(pl.from_arrow(piece) for piece in pieces)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu": used.ru_utime + used.ru_stime, "wall": time.perf_counter() - began}
    print(json.dumps({**cost, "rss": used.ru_maxrss / 1024, "rows": made.rows}))


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], int(sys.argv[3]))
    else:
        profiled(sys.argv[2], int(sys.argv[3]))
