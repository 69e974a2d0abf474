"""map-kozmo-clean, message by message: what is cleaned, and what passes as it came."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kozmo_bridge.cleaner.pipe.mapper import MapKozmoClean
from kozmo_singer.errors import ConfigError
from mapped import PROPERTIES, TRIM, properties, record, records, schema, state, through


def test_what_no_rule_changes_passes_byte_for_byte() -> None:
    """Big integers, digits, escapes, dates and documents in whatever spelling."""
    same = record(
        '{"id":123456789012345678901234567890,"name":"\\u00e9\\/","price":12.50,'
        '"at":"2024-01-01 00:00:00+02:00","doc":{"a": [1.0,  2e3]}}'
    )
    odd = record('{"id":1,"price":1234567890.123456789,"at":"10000-01-01T00:00:00Z"}')
    done = through({"rules": [TRIM]}, schema(), same, odd, record('{"id":2,"name":" x "}'))
    assert done[1:3] == [same, odd]
    assert json.loads(done[3])["record"] == {
        "id": 2, "name": "x", "price": None, "at": None, "doc": None,
    }  # fmt: skip


def test_of_a_changed_row_the_other_cells_stay_as_they_came() -> None:
    """Only the cell that a rule changed is spelt anew."""
    (_, line) = through(
        {"rules": [TRIM]}, schema(),
        record('{"id":12345678901234567890123,"name":" a\\u00e9","price":1.10,'
               '"at":"2024-01-01T00:00:00.10Z","doc":{"b": " 1 "}}'),
    )  # fmt: skip
    assert line == record(
        '{"id":12345678901234567890123,"name":"aé","price":1.10,'
        '"at":"2024-01-01T00:00:00.10Z","doc":{"b": " 1 "}}'
    )


def test_without_rules_lines_are_not_looked_into() -> None:
    """Not even fields that the schema lacks are lost."""
    line = record('{"id": 1, "unknown": true}')
    assert through({}, schema(), line)[1] == line


def test_the_schema_follows_new_types() -> None:
    """And forgets of a touched column what need not hold any more."""
    done = through(
        {"rules": [{"action": "convert_type", "columns": ["name"], "dtype": "integer"}]},
        schema(), record('{"id":1,"name":"007"}'), record('{"id":2,"name":null}'),
    )  # fmt: skip
    assert properties(done)["name"] == {"type": ["integer", "null"]}
    assert properties(done)["price"] == PROPERTIES["price"]
    assert [each["name"] for each in records(done)] == [7, None]
    assert "maxLength" not in properties(through({"rules": [TRIM]}, schema()))["name"]


def test_big_integers_become_text_with_all_their_digits() -> None:
    """Although the rules could not see them."""
    done = through(
        {"rules": [{"action": "convert_type", "columns": ["id"], "dtype": "string"}]},
        schema(keys=()), record('{"id":123456789012345678901234567890}'), record('{"id":5}'),
    )  # fmt: skip
    assert [each["id"] for each in records(done)] == ["123456789012345678901234567890", "5"]


def test_moments_are_typed_for_the_rules_and_spelt_as_ours_are() -> None:
    """A gap is filled by a moment; the others stay as they came."""
    done = through(
        {"rules": [{"action": "fill_nulls", "columns": ["at"], "value": "2024-02-01T00:00:00Z"}]},
        schema(), record('{"id":1,"at":"2024-01-01 10:00:00+02:00"}'), record('{"id":2}'),
    )  # fmt: skip
    assert [each["at"] for each in records(done)] == [
        "2024-01-01 10:00:00+02:00", "2024-02-01T00:00:00Z",
    ]  # fmt: skip


def test_a_renamed_key_is_the_key() -> None:
    """Its columns follow, those that mark progress too."""
    done = through(
        {"rules": [{"action": "rename_columns", "mapping": {"id": "Key", "name": "label"}}]},
        schema(), record('{"id":12345678901234567890123,"name":"x","price":1.50}'),
    )  # fmt: skip
    assert json.loads(done[0])["key_properties"] == ["Key"]
    assert list(properties(done)) == ["Key", "label", "price", "at", "doc"]
    assert properties(done)["label"] == PROPERTIES["name"]
    assert '"Key":12345678901234567890123,"label":"x","price":1.50' in done[1]


def test_a_rule_that_drops_the_key_is_refused() -> None:
    """At the SCHEMA, before any row."""
    with pytest.raises(ConfigError, match="drop 'id', which is part of its key"):
        through({"rules": [{"action": "drop_columns", "columns": ["id"]}]}, schema())


def test_dropped_columns_and_rows_are_gone() -> None:
    """Versions and times stay with their rows."""
    config = {
        "rules": [
            {"action": "drop_columns", "columns": ["doc"]},
            {"action": "drop_nulls", "columns": ["name"]},
        ]
    }
    lines = [
        record('{"id":1,"name":null}'),
        '{"type":"RECORD","stream":"o","record":{"id":2,"name":"x"},"version":7,'
        '"time_extracted":"2024-01-01T00:00:00Z"}',
    ]
    done = through(config, schema(), *lines)
    assert list(properties(done)) == ["id", "name", "price", "at"]
    assert json.loads(done[1]) == {
        "type": "RECORD", "stream": "o", "version": 7, "time_extracted": "2024-01-01T00:00:00Z",
        "record": {"id": 2, "name": "x", "price": None, "at": None},
    }  # fmt: skip


def test_a_state_stays_behind_the_rows_before_it() -> None:
    """And before those that come after it; of states without rows between the last is enough."""
    done = through(
        {"rules": [TRIM]}, schema(), record('{"id":1}'), state({"n": 1}), record('{"id":2}'),
        state({"n": 2}), state({"n": 3}), record('{"id":3}'),
    )  # fmt: skip
    kinds = [json.loads(line)["type"] for line in done]
    assert kinds == ["SCHEMA", "RECORD", "RECORD", "STATE", "RECORD"]
    assert json.loads(done[3])["value"] == {"n": 3}
    assert [each["id"] for each in records(done)] == [1, 2, 3]


def test_other_messages_pass_in_their_place() -> None:
    """Unknown types, versions, and lines that are no message: the target is to say what it does."""
    other = '{"type":"HELLO","stream":"o", "x": 1}'
    done = through(
        {"rules": [TRIM]}, schema(), record('{"id":1}'), other, "no json", record('{"id":2}'),
        '{"type":"ACTIVATE_VERSION","stream":"o","version":3}',
    )  # fmt: skip
    assert [line if line in (other, "no json") else json.loads(line)["type"] for line in done] == [
        "SCHEMA", "RECORD", other, "no json", "RECORD", "ACTIVATE_VERSION",
    ]  # fmt: skip


def test_an_abort_passes_behind_what_came() -> None:
    """The target behind has to hear that the tap failed."""
    done = through({"rules": [TRIM]}, schema(), record('{"id":1}'), '{"type":"ABORT","reason":"x"}')
    assert [json.loads(line)["type"] for line in done if line] == ["SCHEMA", "RECORD", "ABORT"]


def test_rules_for_the_whole_table_are_refused_at_once() -> None:
    """With what would do it."""
    with pytest.raises(ConfigError, match="rule 1 .sort. has to see the whole table") as raised:
        MapKozmoClean({"rules": [{"action": "sort", "columns": ["id"]}]})
    assert "kozmo clean" in str(raised.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"rules": [{"action": "trim_whitspace"}]}, "did you mean 'trim_whitespace'"),
        ({"rules": ["nowhere.json"]}, "cannot read the rules in nowhere.json"),
        ({"streams": {"o": {"rule": []}}}, "did you mean 'rules'"),
        ({"streams": {"o": []}}, "streams.o must be an object"),
    ],
)
def test_a_wrong_configuration_is_said_before_anything_is_read(config: Any, words: str) -> None:
    """With what was meant."""
    with pytest.raises(ConfigError) as raised:
        MapKozmoClean(config)
    assert words in str(raised.value)


def test_streams_may_differ() -> None:
    """By patterns, of which the first that fits counts; a rule of one's own must fit."""
    config = {
        "rules": [TRIM],
        "streams": {
            "raw-*": {"skip": True},
            "o*": {"rules": [{"action": "uppercase", "columns": ["name"]}]},
        },
    }
    lines = [
        line
        for stream in ("raw-a", "o", "p")
        for line in (schema(stream=stream), record('{"id":1,"name":" x "}', stream))
    ]
    done = through(config, *lines)
    assert [records(done, stream)[0]["name"] for stream in ("raw-a", "o", "p")] == [
        " x ", " X ", "x",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="names the column 'nme'.*"):
        through({"streams": {"o": {"rules": [{**TRIM, "columns": ["nme"]}]}}}, schema())
    # A rule for all streams is left out where its columns are not.
    assert through({"rules": [{**TRIM, "columns": ["nme"]}]}, schema(), lines[3])[1] == lines[3]


def test_rows_of_several_streams_are_kept_apart() -> None:
    """Also where they come by turns."""
    lines = [schema(stream="a"), schema(stream="b")]
    for number in range(50):
        lines += [record(f'{{"id":{number},"name":" {s}"}}', s) for s in ("a", "b")]
    done = through({"rules": [TRIM]}, *lines)
    for stream in ("a", "b"):
        assert [(r["id"], r["name"]) for r in records(done, stream)] == [
            (number, stream) for number in range(50)
        ]


def test_a_schema_that_changes_is_followed() -> None:
    """From its place on."""
    more = {**PROPERTIES, "city": {"type": ["string", "null"]}}
    done = through(
        {"rules": [TRIM]}, schema(), record('{"id":1,"name":" a"}'), schema(more),
        record('{"id":2,"city":" b"}'),
    )  # fmt: skip
    assert [json.loads(line)["type"] for line in done] == ["SCHEMA", "RECORD"] * 2
    assert records(done)[1]["city"] == "b"


def test_names_that_msgspec_refuses_are_cleaned_all_the_same() -> None:
    """Quotes and control characters in the name of a column."""
    name = 'a"b\\c\n'
    line = record(json.dumps({"id": 1, name: " x "}))
    done = through(
        {"rules": [TRIM]}, schema({"id": {"type": "integer"}, name: {"type": "string"}}), line
    )
    assert records(done) == [{"id": 1, name: "x"}]


def test_quoted_decimals_stay_quoted() -> None:
    """As the stream has them, new values too."""
    given = {"id": {"type": "integer"}, "d": {"type": "string", "format": "singer.decimal"}}
    done = through(
        {"rules": [{"action": "fill_nulls", "columns": ["d"], "value": 2}]},
        schema({**given, "d": {**given["d"], "type": ["string", "null"]}}),
        record('{"id":1,"d":"1.50"}'), record('{"id":2,"d":null}'),
    )  # fmt: skip
    assert [each["d"] for each in records(done)][0] == "1.50"
    assert [float(each["d"]) for each in records(done)] == [1.5, 2.0]
    assert all(isinstance(each["d"], str) for each in records(done))


def test_a_cell_that_does_not_fit_its_schema_is_for_the_target_to_judge() -> None:
    """The rules do not see it, and it leaves as it came."""
    odd = record('{"id":"x","name":"y"}')
    done = through(
        {"rules": [{"action": "fill_nulls", "columns": ["id"], "value": 0}]},
        schema(keys=()), odd, record('{"id":null,"name":"y"}'),
    )  # fmt: skip
    assert done[1] == odd
    assert records(done)[1]["id"] == 0
