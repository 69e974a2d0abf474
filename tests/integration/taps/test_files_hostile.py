"""Files that are meant to do harm, or are not what they seem: an error names them, or they are
read.

No run takes more memory than it may, none ends in a traceback.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from commands import BIN
from workbooks import raw_xlsx, xlsx

Tap = Callable[..., Any]
MOST_MB = 300
Ended = tuple[int, str, int]
"""Exit code, standard error, and the most memory in MB."""


@pytest.fixture
def ends(tmp_path: Path, clean_env: dict[str, str]) -> Callable[..., Ended]:
    """Run a tap over a file, whose rows are thrown away: ends(name, path, **config)."""

    def call(name: str, path: Path, **config: Any) -> Ended:
        file = tmp_path / "config.json"
        file.write_text(json.dumps({"path": str(path), **config}))
        log = tmp_path / "log"
        with log.open("wb") as err:
            process = subprocess.Popen(
                [BIN / name, "--config", file],
                stdout=subprocess.DEVNULL,
                stderr=err,
                env=clean_env,
            )
            peak = 0
            while process.poll() is None:
                peak = max(peak, most_memory(process.pid))
                time.sleep(0.005)
        return process.returncode, log.read_text(), peak

    return call


def most_memory(pid: int) -> int:
    """The most memory that the process has had, in MB; 0 once it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


def pieces(unit: bytes, size: int) -> Iterator[bytes]:
    """*size* bytes of *unit*, piece by piece."""
    piece = unit * ((1 << 20) // len(unit))
    for _ in range(size // len(piece)):
        yield piece


def test_a_zip_bomb(ends: Callable[..., Ended], tmp_path: Path) -> None:
    """Is told by its list of members, before anything is unpacked."""
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made,
        made.open("big.csv", "w", force_zip64=True) as file,
    ):
        for piece in pieces(b"0,0\n", (1 << 30) + (1 << 20)):
            file.write(piece)
    code, err, memory = ends("tap-csv", path)
    assert code == 1
    assert f"cannot read {path}/big.csv" in err
    assert "more than 500 times its size; to read it nevertheless: max_unpacked_ratio" in err
    assert memory < MOST_MB


@pytest.mark.parametrize("ending", ["csv.gz", "tar.gz", "parquet.gz"])
def test_a_bomb_that_is_packed(ends: Callable[..., Ended], tmp_path: Path, ending: str) -> None:
    """Is read up to the limit, in bounded memory."""
    path = tmp_path / f"bomb.{ending}"
    unit = b"x" * 65_535 + b"\n" if ending == "csv.gz" else bytes(1024)
    path.write_bytes(gzip.compress(b"".join(pieces(unit, 1 << 26))) * 17)
    code, err, memory = ends("tap-files", path)
    assert code == 1
    assert f"cannot read {path}" in err
    assert "it unpacks to more than 500 times its size" in err
    assert memory < MOST_MB


def test_a_bomb_may_be_read(ends: Callable[..., Ended], tmp_path: Path) -> None:
    """Where that is asked for; what is below a GB always is."""
    path = tmp_path / "small.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 5_000_000))
    assert ends("tap-csv", path, max_unpacked_ratio=1)[0] == 0


def test_a_line_of_a_gigabyte(ends: Callable[..., Ended], tmp_path: Path) -> None:
    """Is an error as soon as it is too long, in each format of text."""
    for name in ("csv", "jsonl", "json", "xml", "fixed-width"):
        path = tmp_path / f"line.{name}"
        starts = {"json": b'[{"a":"', "jsonl": b'{"a":"', "xml": b"<a><b>"}
        with path.open("wb") as file:
            file.write(starts.get(name, b"a,b\n1,"))
            for piece in pieces(b"x", 1 << 28 if name != "csv" else 1 << 30):
                file.write(piece)
        code, err, memory = ends(f"tap-{name}", path, **({"widths": [2, 2]} if "w" in name else {}))
        assert code == 1, name
        assert f"cannot read {path}" in err
        assert "16777216 bytes" in err or "in no encoding" in err, err
        assert "Traceback" not in err
        assert memory < MOST_MB, (name, memory)
        path.unlink()


def test_many_levels_of_json(ends: Callable[..., Ended], tmp_path: Path) -> None:
    """Are too many."""
    for name, text in {
        "a.json": b'[{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}]",
        "b.json": b"[" * 200_000,
        "c.json": b'{"a":' * 200_000,
        "d.jsonl": b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
        "e.xml": b"<a>" * 200_000,
    }.items():
        path = tmp_path / name
        path.write_bytes(text)
        code, err, memory = ends("tap-files", path)
        assert code == 1, name
        assert f"cannot read {path}" in err
        assert "Traceback" not in err
        assert memory < MOST_MB


def test_numbers_without_end(tap: Tap, tmp_path: Path) -> None:
    """Stay as they are in CSV; JSON tells that they are too long."""
    digits = "9" * 100_000
    (tmp_path / "a.csv").write_text(f"a,b\n{digits},1e{digits[:20]}\n")
    said = tap("tap-csv", {"path": str(tmp_path / "a.csv"), "columns": {"a": "string"}})
    assert said.code == 0, said.err
    assert said.records[0]["a"] == digits
    for name in ("b.json", "c.jsonl"):
        (tmp_path / name).write_text(f'{{"a": {digits}}}\n')
        said = tap("tap-files", {"path": str(tmp_path / name)})
        assert said.code == 1
        assert f"cannot read {tmp_path / name}" in said.err


def test_a_million_rows_without_values(ends: Callable[..., Ended], tmp_path: Path) -> None:
    """Are no rows of a sheet, and take no memory; a cell in the last corner is refused."""
    path = tmp_path / "a.xlsx"
    first = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    row = b'<row r="%d"><c r="A%d" s="0"/><c r="Z%d" s="0"/></row>'
    rows = (row % (n, n, n) for n in range(2, 1_000_000))
    path.write_bytes(raw_xlsx(chain([first], rows)))
    code, err, memory = ends("tap-excel", path, header_row=0)
    assert (code, memory < MOST_MB) == (0, True), err
    last = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path.write_bytes(raw_xlsx([first, last]))
    code, err, memory = ends("tap-excel", path)
    assert (code, memory < MOST_MB) == (1, True)
    assert "its last cell is in row 1,048,576 and column 16,384" in err


def parquet() -> bytes:
    """A file of Parquet."""
    out = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(1000))}), out)
    return out.getvalue()


def avro() -> bytes:
    """A file of Avro."""
    out = io.BytesIO()
    schema = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}]}
    fastavro.writer(out, schema, [{"id": n} for n in range(1000)])
    return out.getvalue()


def orc_file() -> bytes:
    """A file of ORC."""
    out = io.BytesIO()
    orc.write_table(pa.table({"id": list(range(1000))}), out)
    return out.getvalue()


def arrow() -> bytes:
    """A file of Arrow."""
    out = io.BytesIO()
    table = pa.table({"id": list(range(1000))})
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


WHOLE = {
    "parquet": parquet(),
    "avro": avro(),
    "orc": orc_file(),
    "arrow": arrow(),
    "xlsx": xlsx({"S": [["id"], *([n] for n in range(1000))]}),
    "csv.gz": gzip.compress(b"id\n" + b"".join(b"%d\n" % n for n in range(1000))),
}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda c: c[: len(c) // 2],
    "start": lambda c: c[:20],
    "nothing": lambda c: b"",
    "zeros": lambda c: bytes(len(c)),
    "ones": lambda c: b"\xff" * len(c),
    "text": lambda c: b"id,word\n1,x\n" * 100,
    "middle": lambda c: c[:200] + bytes(64) + c[264:],
    "backwards": lambda c: c[::-1],
    "head and zeros": lambda c: c[:8] + bytes(len(c)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", WHOLE)
def test_files_that_are_damaged(tap: Tap, tmp_path: Path, kind: str, damage: str) -> None:
    """Are named, unless nothing of the damage can be seen."""
    path = tmp_path / f"a.{kind}"
    path.write_bytes(DAMAGES[damage](WHOLE[kind]))
    said = tap("tap-files", {"path": str(path)})
    assert "Traceback" not in said.err
    if said.code == 0:
        # Some have no checksums, and any text may be CSV.
        assert damage in ("middle", "text", "ones"), (kind, damage)
        assert damage == "middle" or kind == "csv.gz"
        return
    assert said.code == 1
    assert str(path) in said.err, said.err
    assert re.search(r"^Error: ", said.err, re.MULTILINE)


DISGUISES = {
    "a zip archive, or a workbook of Excel": WHOLE["xlsx"],
    "Parquet": WHOLE["parquet"],
    "ORC": WHOLE["orc"],
    "Avro": WHOLE["avro"],
    "Arrow": WHOLE["arrow"],
}


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.xml", "a.fwf"])
@pytest.mark.parametrize("what", DISGUISES)
def test_files_that_are_something_else(tap: Tap, tmp_path: Path, name: str, what: str) -> None:
    """Are told by their first bytes."""
    path = tmp_path / name
    path.write_bytes(DISGUISES[what])
    said = tap("tap-files", {"path": str(path)})
    assert said.code == 1
    assert f"cannot read {path}" in said.err
    assert f"its first bytes are those of {what}" in said.err


@pytest.mark.parametrize("word", ["PAR1", "ORCHARD", "Obj", "%PDF-"])
def test_words_that_look_like_another_format(tap: Tap, tmp_path: Path, word: str) -> None:
    """Are words."""
    (tmp_path / "a.csv").write_text(f"{word},b\n1,2\n")
    assert tap("tap-csv", {"path": str(tmp_path / "a.csv")}).records == [{word: 1, "b": 2}]


def test_a_zip_that_is_called_csv_is_read_as_what_it_is_said_to_be(
    tap: Tap, tmp_path: Path
) -> None:
    """A workbook of another name needs the format."""
    path = tmp_path / "a.csv"
    path.write_bytes(WHOLE["xlsx"])
    said = tap("tap-files", {"path": str(path), "format": "excel"})
    assert [r["id"] for r in said.records] == list(range(1000))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("nul", ["", "\0"])
def test_marks_and_nul(tap: Tap, tmp_path: Path, encoding: str, nul: str) -> None:
    """Of every encoding of Unicode, with zero bytes in texts."""
    (tmp_path / "a.csv").write_bytes(f"id,word\n1,Grüße{nul}!\n2,x\n".encode(encoding))
    said = tap("tap-csv", {"path": str(tmp_path / "a.csv")})
    assert said.code == 0, said.err
    assert said.records == [{"id": 1, "word": f"Grüße{nul}!"}, {"id": 2, "word": "x"}]


@pytest.mark.parametrize("zeros", [1, 1000, 1 << 21])
def test_zero_bytes_alone(tap: Tap, tmp_path: Path, zeros: int) -> None:
    """As of a file that was lost in a crash."""
    (tmp_path / "a.csv").write_bytes(bytes(zeros))
    said = tap("tap-csv", {"path": str(tmp_path / "a.csv")})
    assert said.code == 1
    assert "it is no csv: it begins with" in said.err
