"""The table of steps on a node: an action, its columns and its options in a row each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.components.base import flag, names_in
from kozmo_singer.errors import ConfigError

COLUMNS = [
    {
        "name": "on",
        "display_name": "On",
        "type": "text",
        "edit_mode": "inline",
        "default": "true",
        "description": "false leaves the step out.",
    },
    {
        "name": "action",
        "display_name": "Action",
        "type": "text",
        "edit_mode": "inline",
        "description": "What to do, such as trim_whitespace, parse_number, filter, sort.",
    },
    {
        "name": "columns",
        "display_name": "Columns",
        "type": "text",
        "edit_mode": "inline",
        "description": "Names with commas between them; empty for all that it makes sense for.",
    },
    {
        "name": "options",
        "display_name": "Options",
        "type": "text",
        "edit_mode": "inline",
        "description": 'As name=value, name=value; or as JSON: {"decimal": ","}.',
    },
]
_OPTION = re.compile(r"(?:^|,)\s*([A-Za-z_]\w*)\s*=(?!=)\s*")
_QUOTED = re.compile(r"(['\"])(.*)\1", re.DOTALL)


class Step(NamedTuple):
    """A rule, and the row of the table that it was written in, from 1."""

    number: int
    rule: Rule


def steps_in(table: Iterable[Any] | None) -> list[Step]:
    """Return the steps that are on, checked; ConfigError names the row and what to do."""
    found = []
    for number, row in enumerate(rows_in(table), 1):
        name = cell(row.get("action")).lower().replace(" ", "_")
        if not name or not flag(cell(row.get("on")) or "true"):
            continue
        found.append(Step(number, _checked(number, name, row)))
    return found


def rows_in(table: Iterable[Any] | None) -> list[Mapping[str, Any]]:
    """Return the rows of a table input, which are dicts or Data; what is no row is passed over."""
    rows = table if isinstance(table, list | tuple) else ()
    found = (getattr(row, "data", row) for row in rows)
    return [row for row in found if isinstance(row, Mapping)]


def cell(value: Any) -> str:
    """Return a cell of a table input as text; the host puts NaN into those nobody filled."""
    if value is None or value != value:
        return ""
    return value.strip() if isinstance(value, str) else str(value)


def columns_in(value: Any) -> tuple[str, ...]:
    """Return names with commas between them, or a list in JSON, as names."""
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    text = cell(value)
    listed = _json(text) if text.startswith("[") else None
    return tuple(map(str, listed)) if listed else tuple(names_in(text))


def options_in(value: Any, action: str) -> dict[str, Any]:
    """Return options written as `name=value, ...` or as JSON; texts where the action wants texts.

    A comma begins the next option only where a name and `=` follow, outside quotes and brackets.
    """
    if isinstance(value, Mapping):
        return dict(value)
    text = cell(value)
    if text.startswith("{"):
        found = _json(text)
        if not isinstance(found, dict):
            raise ConfigError(f"the options are no JSON: {text[:60]}")
        return found
    if not text:
        return {}
    starts = [match for match in _OPTION.finditer(text) if _outside(text, match.start())]
    if not starts or starts[0].start():
        raise ConfigError(f"the options are not written as name=value: {text[:60]}")
    ends = [*(match.start() for match in starts[1:]), len(text)]
    wanted = _types(action)
    return {
        match[1]: _value(text[match.end() : end].strip(), wanted.get(match[1], ()))
        for match, end in zip(starts, ends, strict=True)
    }


def written(rule: Rule) -> dict[str, str]:
    """Return *rule* as a row of the table."""
    plain = all("," not in name and name == name.strip() for name in rule.columns)
    columns = ", ".join(rule.columns) if plain else json.dumps(rule.columns, ensure_ascii=False)
    options = json.dumps(dict(rule.parameters), ensure_ascii=False) if rule.parameters else ""
    return {"on": "true", "action": rule.action, "columns": columns, "options": options}


def _checked(number: int, name: str, row: Mapping[str, Any]) -> Rule:
    from kozmo_bridge.cleaner.actions import brief, complete

    try:
        rule = Rule(name, columns_in(row.get("columns")), options_in(row.get("options"), name))
        return brief(complete(rule, number))
    except ConfigError as error:
        said = error.message.removeprefix(f"rule {number}: ").removeprefix(f"rule {number} ")
        raise ConfigError(f"step {number}: {said}", *error.details) from None


def _types(action: str) -> dict[str, tuple[type, ...]]:
    from kozmo_bridge.cleaner.actions import action_of

    known = action_of(action).parameters
    return {
        name: each.type if isinstance(each.type, tuple) else (each.type,)
        for name, each in known.items()
    }


def _value(text: str, types: tuple[type, ...]) -> Any:
    """Return what *text* says: JSON where that is of the type wanted, else the text."""
    if text.lower() in ("true", "false") and (bool in types or object in types):
        return text.lower() == "true"
    found = _json(text)
    if found is not None and (object in types or isinstance(found, types or object)):
        return found
    if isinstance(found, int) and float in types and not isinstance(found, bool):
        return found
    quoted = _QUOTED.fullmatch(text)
    plain = quoted[2] if quoted else text
    if list in types and str not in types:
        inner = plain[1:-1] if plain.startswith("[") and plain.endswith("]") else plain
        return names_in(inner)
    return plain


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _outside(text: str, end: int) -> bool:
    """Return whether *text* is outside quotes and brackets at *end*; apostrophes are no quotes."""
    depth, quote = 0, ""
    for i, mark in enumerate(text[:end]):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"" and not text[max(0, i - 1) : i].isalnum() and mark in text[i + 1 :]:
            quote = mark
        else:
            depth += (mark in "[{(") - (mark in "]})")
    return not quote and depth <= 0
