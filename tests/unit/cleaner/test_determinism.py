"""The same input gives the same output, whatever the number of threads and the hash seed."""

import os
import subprocess
import sys

PROGRAM = """
import json
import numpy as np
import polars as pl
from kozmo_bridge.cleaner import clean, profile, suggest

random = np.random.default_rng(3)
n = 30_000
frame = pl.DataFrame(
    {
        "amount": [f"{value:,.2f} €" for value in random.lognormal(5, 2, n)],
        "city": random.choice(["Berlin", "berlin", "N.Y.", "New York", "Rome"], n),
        "score": random.normal(0, 1, n),
        "twice": np.arange(n) * 2.0,
        "thrice": np.arange(n) * 3.0 + random.normal(0, 1, n),
        "mail": [f"u{value}@host{value % 9}.org" for value in random.integers(0, n, n)],
        "day": [f"{value % 28 + 1}.3.2024" for value in random.integers(0, n, n)],
    }
)
whole = profile(frame)
pieces = profile(frame.slice(start, 7_000) for start in range(0, n, 7_000))
print(json.dumps([whole.to_dict(), pieces.to_dict()]))
print(json.dumps([each.to_dict() for each in suggest(whole)]))
print(clean(frame, "auto").frame.write_json())
"""


def test_neither_threads_nor_the_seed_of_hashes_change_a_byte() -> None:
    """Profile, suggestions and clean rows are the same with one thread and with four."""
    said = []
    for threads, seed in (("1", "0"), ("4", "1")):
        environment = {
            **os.environ,
            "POLARS_MAX_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONHASHSEED": seed,
        }
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, check=True, env=environment
        )
        said.append(done.stdout)
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == 3
