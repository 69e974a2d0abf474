"""Zip and tar files: their members are files like others, whatever their names are."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reading import by_stream

Tap = Callable[..., Any]
Files = Mapping[str, bytes]
TARS = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
ENDINGS = ["zip", *TARS, "tar.zst"]


def packed(path: Path, files: Files) -> Path:
    """An archive of *files*, of the kind that its name tells."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)
        return path
    ending = path.name.partition(".")[2]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=TARS.get(ending, "w")) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    content = out.getvalue()
    path.write_bytes(
        pa.compress(content, "zstd", asbytes=True) if ending[-3:] == "zst" else content
    )
    return path


def parquet(*ids: int) -> bytes:
    """A file of Parquet."""
    out = io.BytesIO()
    pq.write_table(pa.table({"id": list(ids)}), out)
    return out.getvalue()


FILES = {
    "2024/orders.csv": b"id,word\n" + b"".join(b"%d,w\n" % n for n in range(1, 30_001)),
    "2025/orders.csv.gz": gzip.compress(b"id,word\n30001,w\n"),
    "customers.jsonl": b'{"id": 1}\n',
    "goods.parquet": parquet(7, 8),
    "readme.md": b"no data",
    "__MACOSX/._orders.csv": b"\0\1",
    ".hidden.csv": b"id\n1\n",
    "empty/": b"",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_stands_for_its_members(tap: Tap, tmp_path: Path, ending: str) -> None:
    """Streams are called after them; formats that have to be entered anywhere are read as well."""
    path = packed(tmp_path / f"all.{ending}", FILES)
    said = tap("tap-files", {"path": str(path), "metadata_columns": ["_file"]})
    assert said.code == 0, said.err
    found = by_stream(said)
    assert sorted(found) == ["customers", "goods", "orders"]
    assert [r["id"] for r in found["orders"]] == list(range(1, 30_002))
    assert [r["id"] for r in found["goods"]] == [7, 8]
    assert found["orders"][0]["_file"] == f"{path}/2024/orders.csv"
    assert f"{path}/readme.md is left out" in said.err


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_members_are_chosen_by_a_pattern(tap: Tap, tmp_path: Path, ending: str) -> None:
    """Of their names in the archive; hidden ones too."""
    path = packed(tmp_path / f"all.{ending}", FILES)
    said = tap("tap-files", {"path": str(path), "members": ".hid*.csv", "stream": "s"})
    assert said.records == [{"id": 1}]


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_names_are_only_names(tap: Tap, tmp_path: Path, ending: str) -> None:
    """One that is absolute, or goes up, is no place on this machine."""
    target = tmp_path / "outside.csv"
    target.write_text("id\n99\n")
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    names = ["../../outside.csv", str(target), "a/../../../outside.csv"]
    files = {name: b"id\n%d\n" % number for number, name in enumerate(names, 1)}
    path = packed(folder / f"a.{ending}", files)
    said = tap("tap-csv", {"path": str(path), "stream": "s"})
    assert said.code == 0, said.err
    assert sorted(r["id"] for r in said.records) == [1, 2, 3]
    assert target.read_text() == "id\n99\n"
    assert sorted(p.name for p in folder.iterdir()) == [path.name]


def test_an_archive_among_files_and_what_is_new_in_it(tap: Tap, tmp_path: Path) -> None:
    """Is one more place of the stream; a changed archive is read again."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("id\n1\n")
    packed(folder / "b.zip", {"x.csv": b"id\n2\n", "y.csv": b"id\n3\n"})
    config = {"path": str(folder), "stream": "s", "replication_method": "INCREMENTAL"}
    first = tap("tap-csv", config, state={})
    assert [r["id"] for r in first.records] == [1, 2, 3]
    assert tap("tap-csv", config, state=first.state).records == []
    packed(folder / "b.zip", {"x.csv": b"id\n2\n", "y.csv": b"id\n3\n", "z.csv": b"id\n4\n"})
    again = tap("tap-csv", config, state=first.state)
    assert [r["id"] for r in again.records] == [2, 3, 4]


def test_a_run_goes_on_within_a_member(tap: Tap, tmp_path: Path) -> None:
    """With the row behind the last state."""
    path = packed(tmp_path / "a.zip", {"s.csv": b"id\n" + b"".join(b"%d\n" % n for n in range(9))})
    config = {"path": str(path)}
    first = tap("tap-csv", config, "--limit", "4")
    rest = tap("tap-csv", config, state=first.state)
    assert [r["id"] for r in first.records + rest.records] == list(range(9))


def test_many_members_of_a_packed_tar(tap: Tap, tmp_path: Path) -> None:
    """Are not a reason to unpack it many times."""
    body = b"".join(b"%d,some words\n" % n for n in range(20_000))
    files = {f"s{n:03}.csv": b"id,w\n" + body for n in range(60, 0, -1)}
    path = packed(tmp_path / "a.tar.gz", files)
    said = tap("tap-csv", {"path": str(path)})
    assert said.code == 0, said.err
    assert {len(r) for r in by_stream(said).values()} == {20_000}


BROKEN: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "cut zip": ("a.zip", lambda c: c[:-30], "not a zip file"),
    "cut tar": ("a.tar", lambda c: c[:3000], "cannot read"),
    "cut tar.gz": ("a.tar.gz", lambda c: c[: len(c) // 2], "as gzip"),
    "no zip": ("a.zip", lambda c: b"id,word\n1,x\n", "not a zip file"),
    "no tar": ("a.tar", lambda c: b"id,word\n1,x\n" * 100, "cannot read"),
    "bytes": ("a.zip", lambda c: c[:60] + bytes(40) + c[100:], "cannot read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_archive_that_is_broken(tap: Tap, tmp_path: Path, name: str) -> None:
    """Is named, and set aside where that is asked for."""
    folder = tmp_path / "in"
    folder.mkdir()
    file, change, words = BROKEN[name]
    body = b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(20_000))
    path = packed(folder / file, {"x.csv": b"id,word\n" + body})
    path.write_bytes(change(path.read_bytes()))
    (folder / "b.csv").write_text("id,word\n1,2\n")
    said = tap("tap-csv", {"path": str(folder), "stream": "s"})
    assert said.code == 1
    assert words in said.err
    assert str(path) in said.err
    assert "Traceback" not in said.err
    skipped = tap("tap-csv", {"path": str(folder), "stream": "s", "on_bad_file": "skip"})
    assert skipped.code == 1
    assert {"id": 1, "word": 2} in skipped.records
    assert "could not read 1 of the files" in skipped.err


def test_a_member_that_is_encrypted(tap: Tap, tmp_path: Path) -> None:
    """Is an error that says so."""
    path = packed(tmp_path / "a.zip", {"x.csv": b"id\n1\n"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    said = tap("tap-csv", {"path": str(path)})
    assert said.code == 1
    assert f"cannot read {path}/x.csv" in said.err
    assert "it is encrypted" in said.err
