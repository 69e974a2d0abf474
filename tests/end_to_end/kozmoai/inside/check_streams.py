"""Run in KozmoAI's environment: which stream the rows go to, that come to a target."""

import asyncio
import json
import pickle
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from telling import Tells

from kozmo_bridge import _host
from kozmo_bridge.batch import Batch
from kozmo_bridge.components.data_cleaner import DataCleanerComponent
from kozmo_bridge.components.singer_target import SingerTargetComponent, streams_of
from kozmo_bridge.components.source import Extraction, data_of, frame_of
from kozmo_bridge.components.texts import joined
from kozmo_singer.wire.types import Column, LogicalType

DATA, FRAME = _host.host()[:2]


def written(rows):
    """Return the names of the columns and the values that each stream gets."""
    return {
        stream: [list(row.data.items()) for row in part]
        if isinstance(part, list)
        else [list(row.items()) for row in part.to_dict("records")]
        for stream, part in streams_of(rows, "")
    }


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", "data"])
def test_rows_that_name_no_stream_go_to_the_default(missing):
    """None is left out, in the order in which they came; whether as Data or in a frame."""
    rows = [{"id": n, "_stream": name} for n, name in enumerate([missing, "a", missing])]
    expected = {"data": [[("id", 0)], [("id", 2)]], "a": [[("id", 1)]]}
    assert written([DATA(data=row) for row in rows]) == expected
    assert written(FRAME(rows)) == expected


def of(stream, rows, **kinds):
    """Return a batch of a stream."""
    return Batch(stream, [Column(name, LogicalType(kind)) for name, kind in kinds.items()], rows)


def extraction(note):
    """Return rows of two streams with a column that may be empty, and of one without rows."""
    orders = [(1, note, None), ((1 << 53) + 1, None, None)]
    return Extraction([
        of("orders", orders, id="integer", note="string", paid="boolean"),
        of("people", [(1, "Ann")], id="integer", name="string"),
        of("none", [], id="integer", size="float"),
    ])  # fmt: skip


def cleaned(frame):
    """Return *frame* after a node between source and target."""
    steps = [DATA(data={"action": "uppercase", "columns": "name"})]
    component = DataCleanerComponent(_id="c")
    component.set(input_data=frame, operation="Steps only", steps=steps)
    return asyncio.run(component.as_dataframe())


def test_a_stream_has_its_own_columns_alone():
    """Those of others are left out where they are empty, and its own are not; as of Data."""
    given = extraction(None)
    frame = frame_of(given)
    own = {"orders": ["id", "note", "paid"], "people": ["id", "name"]}
    copied = pickle.loads(pickle.dumps(frame))
    assert cleaned(frame)["name"].tolist() == [None, None, "ANN"]
    for each in (frame, copied, cleaned(frame), joined([frame, frame])):
        assert {stream: list(part.columns) for stream, part in streams_of(each, "")} == own
    again = joined([frame, FRAME([{"id": 7, "more": None}]), FRAME({"other": []})])
    parts = streams_of(again, "")
    assert {stream: list(part.columns) for stream, part in parts} == {
        **own, "data": ["id", "more"]
    }  # fmt: skip
    frame.loc[0, "name"] = "filled"
    assert list(streams_of(frame, "")[0][1].columns) == ["id", "note", "paid", "name"]


def test_nothing_is_left_out_of_a_frame_that_tells_no_columns():
    """A column that is empty in all rows of a stream may be its own; new ones are everyone's."""
    rows = [{"_stream": "a", "x": 1, "y": None}, {"_stream": "b", "x": None, "y": 2}]
    assert [list(part.columns) for _, part in streams_of(FRAME(rows), "")] == [["x", "y"]] * 2
    frame = frame_of(extraction("x")).assign(new=None)
    assert [list(part.columns)[-1] for _, part in streams_of(frame, "")] == ["new"] * 2
    renamed = frame.assign(_stream=frame["_stream"].str.upper())
    assert len(streams_of(renamed, "")[0][1].columns) == len(frame.columns) - 1


def test_names_that_repeat_or_are_numbers():
    """Each column goes where its place is."""
    frame = FRAME(pd.DataFrame([["a", 1, 2, 3]], columns=["_stream", "x", "x", 0]))
    ((stream, part),) = streams_of(joined([frame, frame]), "")
    assert (stream, part.values.tolist()) == ("a", [[1, 2, 3]] * 2)
    assert list(part.columns) == ["x", "x", 0]


def test_columns_without_a_value_keep_their_type_in_a_frame():
    """A target would make a column of texts of them; of one stream, of several, without rows."""
    kinds = {"n": "integer", "x": "float", "d": "decimal", "ok": "boolean", "t": "string"}
    types = ["Int64", "Float64", "Float64", "boolean", "object"]
    one, none = of("one", [(None,) * 5], **kinds), of("none", [], **kinds)
    for batches in ([one], [none], [one, none], [one, of("other", [(1,)], id="integer")]):
        made = frame_of(Extraction(batches))
        assert [str(made[name].dtype) for name in kinds] == types
        assert made[[*kinds]].isna().all(axis=None)


@pytest.mark.parametrize("made", [frame_of, lambda given: data_of(given, None)])
def test_what_is_empty_now_takes_the_place_of_what_was_there(tmp_path, made):
    """In a target that upserts; integers stay what they are, and tables get no foreign columns."""
    path = tmp_path / "copy.db"
    for note in ("x", None):
        component = SingerTargetComponent(_id="t").set(
            target_name="target-sqlite",
            settings_json=json.dumps({"path": str(path), "load_method": "upsert"}),
            key_columns="id",
            input_data=made(extraction(note)),
        )
        assert asyncio.run(component.as_result()).data["rows"] == 3
        with closing(sqlite3.connect(path)) as database:
            orders = database.execute("SELECT id, note, paid FROM orders ORDER BY id").fetchall()
            names = [row[1] for row in database.execute("PRAGMA table_info(people)")]
        assert orders == [(1, note, None), ((1 << 53) + 1, None, None)]
        assert not {"note", "paid", "size"} & set(names)


def test_telling_streams_apart_does_not_hold_up_the_server(tmp_path):
    """It is done in a thread of its own; the loop serves other users meanwhile."""
    for kind in (FRAME, lambda rows: [DATA(data=row) for row in rows]):
        tells = Tells()
        component = SingerTargetComponent(_id="t").set(
            target_name="target-jsonl",
            settings_json=json.dumps({"path": str(tmp_path)}),
            input_data=kind([{"id": 1, "_stream": tells}]),
        )
        assert asyncio.run(component.as_result()).data["streams"] == {"told": 1}
        assert tells.aside()
