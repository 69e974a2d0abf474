"""Rules that a mapper learns: from which rows, where they are kept, when they count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mapped import record, records, schema, state, through

KEY = "kozmo_clean"
PADDED = [record(f'{{"id":{i},"name":" x{i} "}}') for i in range(40)]
CLEAN = [record(f'{{"id":{i},"name":"x{i}"}}') for i in range(40, 80)]


def learned(lines: list[str], stream: str = "o") -> Any:
    """What the last state keeps of the stream."""
    states = [json.loads(line) for line in lines if '"STATE"' in line]
    return states[-1]["value"]["bookmarks"][stream][KEY]["rules"]


def test_rules_are_learned_and_told_with_the_state() -> None:
    """Under the stream's bookmark, beside what the tap keeps there."""
    end = state({"bookmarks": {"o": {"id": 39}, "p": {"id": 1}}, "other": 1})
    done = through({"auto": True}, schema(), *PADDED, end)
    assert [each["name"] for each in records(done)] == [f"x{i}" for i in range(40)]
    value = json.loads(done[-1])["value"]
    assert value["bookmarks"]["o"]["id"] == 39
    assert (value["bookmarks"]["p"], value["other"]) == ({"id": 1}, 1)
    assert {"action": "trim_whitespace", "columns": ["name"]} in learned(done)


def test_a_later_run_cleans_alike_whatever_its_first_rows_are() -> None:
    """Although of these nothing of the kind could be learned."""
    first = through({"auto": True}, schema(), *PADDED, state({"bookmarks": {}}))
    before = json.loads(first[-1])["value"]
    second = through({"auto": True}, schema(), *CLEAN, PADDED[0], state({}), before=before)
    assert records(second)[-1]["name"] == "x0"
    assert learned(second) == learned(first)
    without = through({"auto": True, "learn": 30}, schema(), *CLEAN, PADDED[0])
    assert records(without)[-1]["name"] == " x0 "


def test_what_a_tap_hands_back_counts_too() -> None:
    """For a plain pipe in which only the tap was given the state, if it writes it first."""
    first = through({"auto": True}, schema(), *PADDED, state({"bookmarks": {}}))
    second = through({"auto": True}, first[-1], schema(), *CLEAN, PADDED[0])
    assert records(second)[-1]["name"] == "x0"


def test_a_full_refresh_learns_anew() -> None:
    """The runner takes the stream's bookmark out of the state."""
    first = through({"auto": True}, schema(), *PADDED, state({"bookmarks": {}}))
    before = {"bookmarks": {"p": json.loads(first[-1])["value"]["bookmarks"]["o"]}}
    second = through({"auto": True}, schema(), *CLEAN, state({}), before=before)
    assert learned(second) == []


def test_other_settings_learn_anew() -> None:
    """What was learned under others does not count."""
    first = through({"auto": True}, schema(), *PADDED, state({"bookmarks": {}}))
    before = json.loads(first[-1])["value"]
    config = {"auto": True, "rules": [{"action": "uppercase", "columns": ["name"]}]}
    second = through(config, schema(), *CLEAN, state({}), before=before)
    assert [rule["action"] for rule in learned(second)] == ["uppercase"]


def test_a_file_keeps_what_no_state_does(tmp_path: Path) -> None:
    """As in Meltano, which hands its mappers no state."""
    config = {"auto": True, "learned_path": str(tmp_path / "learned" / "rules.json")}
    through(config, schema(), *PADDED)
    second = through(config, schema(), *CLEAN, PADDED[0])
    assert records(second)[-1]["name"] == "x0"


def test_given_rules_learn_what_they_need() -> None:
    """A mean is that of the first rows, and stays."""
    rule = {"action": "fill_nulls", "columns": ["price"], "method": "mean"}
    rows = [record('{"id":1,"price":1.0}'), record('{"id":2,"price":3.0}'), record('{"id":3}')]
    first = through({"rules": [rule]}, schema(), *rows, state({"bookmarks": {}}))
    assert records(first)[-1]["price"] == 2.0
    assert learned(first)[0]["learned"] == {"price": 2.0}
    before = json.loads(first[-1])["value"]
    second = through({"rules": [rule]}, schema(), record('{"id":4,"price":9.0}'), rows[2],
                     before=before)  # fmt: skip
    assert records(second)[-1]["price"] == 2.0


def test_only_the_first_rows_teach() -> None:
    """Whatever comes behind them in the same piece of input."""
    done = through({"auto": True, "learn": 40}, schema(), *CLEAN, *PADDED, state({}))
    assert learned(done) == []
    assert records(done)[-1]["name"] == " x39 "


def test_nothing_is_out_of_order_while_a_stream_is_learned() -> None:
    """Rows of others and states wait for it."""
    lines = [
        schema(), PADDED[0], state({"n": 1}), schema(stream="p"), record('{"id":1}', "p"),
        PADDED[1], state({"n": 2}), record('{"id":2}', "p"), state({"n": 3}),
    ]  # fmt: skip
    done = [json.loads(line) for line in through({"auto": True}, *lines)]
    kinds = [m.get("stream", m.get("value", {}).get("n")) for m in done]
    assert kinds == ["o", "o", 1, "p", "p", "p", "o", 3]


def test_half_a_sample_teaches_nothing() -> None:
    """Where the tap failed, what was held is dropped: no state has told of it."""
    done = through({"auto": True}, schema(), *PADDED, state({}), '{"type":"ABORT","reason":"x"}')
    assert [json.loads(line)["type"] for line in done if line] == ["ABORT"]


def test_without_any_state_the_rules_are_told_at_the_end() -> None:
    """Of taps that write none."""
    done = through({"auto": True}, schema(), *PADDED)
    assert learned(done)


def test_a_stream_without_rows_has_its_schema() -> None:
    """And nothing is learned of it that would count later."""
    done = through({"auto": True}, schema(), state({"bookmarks": {}}))
    assert [json.loads(line)["type"] for line in done] == ["SCHEMA", "STATE"]
    assert json.loads(done[1])["value"] == {"bookmarks": {}}
