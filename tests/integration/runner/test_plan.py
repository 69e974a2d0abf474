"""A target's dry run and what it tells of a load, from Python."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_singer.errors import ConfigError, WriteError
from messages import TEXT, lines, records, schema

KEYED = schema("t", {"id": {"type": "integer"}, "name": TEXT}, ["id"])


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Any]:
    """A database file that is not there yet."""
    return {"path": str(tmp_path / "shop.db")}


def test_a_plan_is_asked_for_with_lines_or_messages(shop: dict[str, Any]) -> None:
    """Each form gives the same, and no file."""
    forms: list[Any] = [lines(KEYED), [lines(KEYED)], [KEYED], iter([KEYED])]
    plans = [api.plan("target-sqlite", shop, form) for form in forms]
    assert all(plan == plans[0] for plan in plans)
    (stream,) = plans[0].streams
    assert [(c.name, c.action) for c in stream.columns] == [("id", "create"), ("name", "create")]
    assert not Path(shop["path"]).exists()
    assert asyncio.run(api.aplan("target-sqlite", shop, [KEYED])) == plans[0]


def test_a_fault_of_a_stream_is_in_the_plan(shop: dict[str, Any]) -> None:
    """The others are there too."""
    with api.feed("target-sqlite", shop) as feed:
        feed.stdin.write(lines(KEYED))
        feed.finish()
    plan = api.plan("target-sqlite", {**shop, "load_method": "create"}, [KEYED, schema("u", {})])
    assert plan.error == plan.streams[0].error
    assert plan.error is not None
    assert plan.error[0] == "cannot write stream t"
    assert plan.streams[1].error is not None


def test_where_no_plan_can_be_made_the_target_says_why(tmp_path: Path, target: str) -> None:
    """A folder that is missing, input that is none, a target that has no dry run."""
    missing = {"path": str(tmp_path / "nowhere" / "shop.db")}
    with pytest.raises(ConfigError, match="there is no folder"):
        api.plan("target-sqlite", missing, [KEYED])
    with pytest.raises(WriteError, match="key property 'x' is not in the schema"):
        api.plan("target-sqlite", {"path": str(tmp_path / "shop.db")}, [schema("t", {}, ["x"])])
    for foreign in (target, "target-jsonl"):
        with pytest.raises(ConfigError, match="has no dry run"):
            api.plan(foreign, {}, [KEYED])


def test_a_feed_tells_what_became_of_the_rows(shop: dict[str, Any], tmp_path: Path) -> None:
    """New, changed, and set aside with the file that they are in."""
    quarantine = tmp_path / "aside"
    config = {**shop, "on_bad_record": "quarantine", "quarantine_path": str(quarantine)}
    told = []
    for names in ("aa", "ab"):
        rows: list[Any] = [{"id": i, "name": name} for i, name in enumerate(names)]
        with api.feed("target-sqlite", config) as feed:
            feed.stdin.write(lines(KEYED, records("t", [*rows, {"id": "none", "name": "x"}])))
            feed.finish()
        told += feed.streams
    file = str(quarantine / "t.jsonl")
    assert told == [
        api.StreamReport("t", None, 2, None, 1, 2, 0, file),
        api.StreamReport("t", None, 2, None, 1, 0, 1, file),
    ]
    said = [json.loads(line) for line in Path(file).read_text().splitlines()]
    assert len([each for each in said if "raw" in each]) == 2
