"""Files in real stores: seen when they are whole, replaced when all is there."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from file_readers import READERS
from kozmo_singer.errors import ConfigError, RecordError
from kozmo_targets.registry import TARGETS
from messages import INTEGER, TEXT, full_table, load, record, records, schema
from places import Place
from servers.clouds import KINDS

FIELDS = {"id": INTEGER, "word": TEXT, "part": INTEGER}
WHOLE, HEAD = full_table("words", FIELDS), schema("words", FIELDS)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    """An empty folder in each of the stores."""
    return place_of(request.param)


def target(place: Place, **settings: Any) -> Any:
    """Return the target of the store, which writes below the place."""
    module, _, name = TARGETS[place.tap.replace("tap", "target")].target.partition(":")
    config = {"path": place.base, "format": "parquet", **settings}
    return getattr(import_module(module), name)({**place.config, **config})


def rows(*ids: int, word: str = "w") -> list[Any]:
    """Return RECORD messages."""
    return records("words", [{"id": i, "word": word, "part": i % 3} for i in ids])


def found(place: Place, folder: Path, format: str = "parquet") -> list[int]:
    """Return the ids in all files of the place."""
    store, base = place.store()
    ids = []
    for entry in store.list(base):
        copy = folder / "copy"
        with store.open(entry.path) as file:
            copy.write_bytes(file.read())
        ids += [row["id"] for row in READERS[format](copy)]
    return sorted(ids)


def test_a_full_table_replaces_what_was_there(place: Place, tmp_path: Path) -> None:
    """In folders too; what is another stream's stays."""
    assert "can be written to; 0 files" in target(place).check()
    load(target(place, max_file_rows=2), WHOLE, rows(1, 2, 3, 4, 5))
    load(target(place), schema("other", {"id": INTEGER}), record("other", {"id": 99}))
    load(target(place, partition_by=["part"]), WHOLE, rows(6, 7, 8))
    assert found(place, tmp_path) == [6, 7, 8, 99]
    with pytest.raises(RecordError):
        load(target(place), WHOLE, rows(9), record("words", {"id": "x"}))
    assert found(place, tmp_path) == [6, 7, 8, 99]


def test_a_path_needs_no_address(place: Place, tmp_path: Path) -> None:
    """Where the target knows one store alone; what belongs to another one is refused."""
    bucket, _, name = place.base.partition("://")[2].strip("/").rpartition("/")
    more = {"container" if place.kind == "azure" else "bucket": bucket} if bucket else {}
    load(target(place, path=name, **more), HEAD, rows(1))
    assert found(place, tmp_path) == [1]
    elsewhere = "sftp://host/x" if place.objects else "s3://bucket/x"
    with pytest.raises(ConfigError, match=f"and not {elsewhere[:4].strip(':')}"):
        load(target(place, path=elsewhere), HEAD, rows(1))


def test_a_second_run_adds_files(place: Place, tmp_path: Path) -> None:
    """Also with a name that is always the same."""
    for i in range(3):
        load(target(place, file_name="{stream}.{ext}"), HEAD, rows(i))
    assert found(place, tmp_path) == [0, 1, 2]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_large_file_is_whole_or_not_there(place: Place, tmp_path: Path, format: str) -> None:
    """It is sent in parts, of which nothing is left where the run fails."""
    noise = random.Random(1)
    sent = [m for i in range(40) for m in rows(i, word=noise.randbytes(1 << 18).hex())]
    with pytest.raises(RecordError):
        load(target(place, format=format), WHOLE, sent, record("words", {"id": "x"}))
    assert place.names("") == []
    load(target(place, format=format), HEAD, sent)
    assert found(place, tmp_path, format) == list(range(40))
    assert len(place.names("")) == 1


def test_names_of_streams_are_never_paths(place: Place, tmp_path: Path) -> None:
    """Each has files of its own, below the path."""
    names = (
        "../x",
        "/etc/x",
        "a b",
        "ümlaut",
        "a/b",
        "%2F",
        "_x",
        ".x",
        "T",
        "t",
        "a?b#c",
        "t" * 300,
    )
    for i, name in enumerate(names):
        load(target(place), schema(name, {"id": INTEGER}), record(name, {"id": i}))
    assert found(place, tmp_path) == list(range(len(names)))


def test_many_folders_at_once(place: Place, tmp_path: Path) -> None:
    """More than are open at a time."""
    ids = list(range(60))
    random.Random(2).shuffle(ids)
    sent = records("words", [{"id": i, "word": "w", "part": i % 20} for i in ids])
    load(target(place, partition_by=["part"]), HEAD, sent)
    assert found(place, tmp_path) == list(range(60))
