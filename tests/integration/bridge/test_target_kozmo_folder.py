"""target-kozmo in a folder: each line is a Data object, each file is whole."""

import json

import pytest

from kozmo_singer.errors import ConfigError, ReadError, WriteError
from kozmo_targets.kozmo import TargetKozmo
from messages import (
    INTEGER,
    MOMENT,
    NUMBER,
    TEXT,
    full_table,
    lines,
    load,
    load_bytes,
    record,
    records,
    schema,
    state,
)
from piping import config

SCHEMA = schema("notes", {"id": INTEGER, "name": TEXT}, ["id"])
FULL = full_table("notes", {"id": INTEGER, "name": TEXT}, ["id"])
ROWS = [{"id": 1, "name": 'a\n\\n"é'}, {"id": 2, "name": None}]


@pytest.fixture
def target(tmp_path):
    """Make a target that writes into a folder of the test's own."""

    def make(**settings):
        return TargetKozmo({"output": str(tmp_path / "out"), **settings})

    return make


@pytest.fixture
def data(tmp_path):
    """Read the Data objects of a stream's file back."""

    def read(name="notes"):
        text = (tmp_path / "out" / f"{name}.jsonl").read_bytes()
        assert text == b"" or text.endswith(b"\n")
        return [json.loads(line) for line in text.split(b"\n")[:-1]]

    return read


def test_a_line_is_what_the_constructor_of_data_takes(target, data):
    """text_key, data, default_value; nothing else."""
    assert load(target(), SCHEMA, records("notes", ROWS), state({"n": 1})) == [{"n": 1}]
    assert data() == [{"text_key": "text", "data": row, "default_value": ""} for row in ROWS]


def test_values_have_the_forms_of_data(target, data):
    """The table of docs/data-objects.md: no NaN, no digit lost, binary as base64."""
    properties = {
        "d": NUMBER,
        "f": {"type": ["number", "null"], "x-kozmo-type": "float"},
        "b": {"type": ["string", "null"], "contentEncoding": "base16"},
        "t": MOMENT,
        "j": {"type": ["object", "array", "string", "number", "boolean", "null"]},
        "data": TEXT,
        "text_key": TEXT,
        "default_value": INTEGER,
    }
    head = b'{"type":"RECORD","stream":"notes","record":'
    moment = b'"2024-01-02T03:04:05+05:00"'
    load_bytes(
        target(),
        lines(schema("notes", properties))
        + head + b'{"d":0.12345678901234567890,"f":"NaN","b":"00ff","t":' + moment
        + b',"j":{"a":[1,2.5,null]},"data":"x","text_key":"y","default_value":7}}\n'
        + head + b'{"d":19.99,"f":"-Infinity","j":"\\ud800"}}\n',
    )  # fmt: skip
    first, second = (item["data"] for item in data())
    assert first == {
        "d": "0.12345678901234567890", "f": None, "b": "AP8=", "t": "2024-01-02T03:04:05+05:00",
        "j": {"a": [1, 2.5, None]}, "data": "x", "text_key": "y", "default_value": 7,
    }  # fmt: skip
    assert second == {
        **dict.fromkeys(first), "d": 19.99, "f": "-Infinity", "j": "\ufffd"
    }  # fmt: skip


def test_a_template_makes_the_text(target, data):
    """A stream's own goes before the common one; NULL is empty."""
    other = schema("tags", {"word": TEXT})
    made = target(
        text_template="{id}: {name}", text_templates={"tags": "#{word}"}, text_key="about"
    )
    load(made, SCHEMA, other, records("notes", ROWS), record("tags", {"word": "new"}))
    assert data() == [
        {"text_key": "about", "data": {"about": text, **row}, "default_value": ""}
        for text, row in zip(['1: a\n\\n"é', "2: "], ROWS, strict=True)
    ]
    assert data("tags")[0]["data"] == {"about": "#new", "word": "new"}


def test_a_column_can_be_the_text(target, data):
    """By text_key alone."""
    load(target(text_key="name"), SCHEMA, records("notes", ROWS))
    assert [item["text_key"] for item in data()] == ["name", "name"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"text_template": "{id} {nam}"}, "stream notes does not have\n  did you mean 'name'?"),
        ({"text_template": "{id}", "text_key": "name"}, "overwrite the column 'name'"),
    ],
)
def test_a_template_that_does_not_fit_stops_before_any_row(run, tmp_path, settings, said):
    """Exit 2, with the columns that there are; nothing is written."""
    path = config(tmp_path, "kozmo", {"output": "out", **settings})
    done = run(["target-kozmo", "--config", path], lines(SCHEMA, records("notes", ROWS)))
    assert (done.code, done.out) == (2, b"")
    assert said in done.err
    assert (tmp_path / "out" / "notes.jsonl").read_bytes() == b""


def test_rows_are_added_or_replaced(target, data):
    """auto: a full table takes the place of the old one, other rows come behind."""
    load(target(), SCHEMA, records("notes", ROWS))
    load(target(), SCHEMA, records("notes", ROWS))
    assert [item["data"] for item in data()] == ROWS * 2
    load(target(), FULL, records("notes", ROWS[:1]))
    assert [item["data"] for item in data()] == ROWS[:1]
    load(target(load_method="append-only"), FULL, records("notes", ROWS[1:]))
    assert [item["data"] for item in data()] == ROWS


def test_a_table_that_is_not_whole_replaces_nothing(target, data, tmp_path):
    """Its state waits for the end, and so do its rows."""
    load(target(), FULL, records("notes", ROWS), state({"n": 1}))
    abort = {"type": "ABORT", "reason": "the tap died"}
    with pytest.raises(ReadError, match="the tap failed"):
        load(target(), FULL, record("notes", {"id": 3}), state({"n": 2}), abort)
    assert [item["data"] for item in data()] == ROWS
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.jsonl"]


def test_a_schema_may_grow_within_a_stream(target, data):
    """Lines before keep their keys."""
    wider = schema("notes", {"id": INTEGER, "name": TEXT, "more": TEXT}, ["id"])
    load(target(), SCHEMA, record("notes", ROWS[0]), wider, record("notes", {"id": 2, "more": "m"}))
    assert [item["data"] for item in data()] == [ROWS[0], {"id": 2, "name": None, "more": "m"}]


def test_the_name_of_a_stream_never_leaves_the_folder(target, data, tmp_path):
    """Whatever is in it."""
    name = "../up/a b"
    load(target(), schema(name, {"id": INTEGER}), record(name, {"id": 1}))
    assert [path.name for path in tmp_path.rglob("*.jsonl")] == ["%2E.%2Fup%2Fa%20b.jsonl"]
    assert data("%2E.%2Fup%2Fa%20b")[0]["data"] == {"id": 1}


def test_streams_that_would_share_a_file_are_refused(target, tmp_path):
    """On file systems that do not tell the cases apart; a link does the same here."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jsonl").touch()
    (tmp_path / "out" / "b.jsonl").hardlink_to(tmp_path / "out" / "a.jsonl")
    with pytest.raises(WriteError, match="streams a and b would share the file"):
        load(target(), schema("a", {"id": INTEGER}), schema("b", {"id": INTEGER}))


def test_the_folder_is_checked(run, tmp_path):
    """Made if need be; what hinders is named. Without a setting it is kozmo-data."""
    done = run(["target-kozmo", "--check"])
    assert done.code == 0, done.err
    assert done.out == b"kozmo-data can be written to; 0 files of Data are there\n"
    (tmp_path / "file").touch()
    path = config(tmp_path, "kozmo", {"output": "file"})
    done = run(["target-kozmo", "--config", path, "--check"])
    assert done.code == 2
    assert "cannot create the folder file: File exists" in done.err


def test_a_key_without_a_flow_is_a_mistake(target):
    """It would be for nothing."""
    with pytest.raises(ConfigError, match="set flow_url as well"):
        target(api_key="x")
