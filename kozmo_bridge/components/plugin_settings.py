"""The settings of any plug-in, from its --about, as the canvas shows them.

Knows nothing of the host. An input on the canvas has a name such as ``s004_password``: the host
sorts inputs that a class does not declare by their names, and it spoils the values of those with
"config" or "kwargs" in them. The number gives the order, and what comes after it is the setting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kozmo_singer.secrets import is_secret
from kozmo_singer.settings import MAPS

Kind = Literal["text", "integer", "number", "boolean", "choice", "list", "json"]
SHOWN = 6
"""So many settings stand on the node where none is required; the others are advanced."""
BESIDES = 2
"""So many stand beside those that are required, which are what most need."""
NOT_SET = "(not set)"
"""The choice of one who leaves it to the plug-in."""
_INPUT = re.compile(r"s\d{3}_(.+)")
_SPOILT = re.compile(r"(?i:(?<=con)f(?=ig)|(?<=k)w(?=args))|[^A-Za-z0-9_]|_(?=x[0-9a-f])")
_SPELT = re.compile(r"_x([0-9a-f]+)_")
_MAPS = re.compile(r"stream_maps?(_|$)|flattening_|faker_")
_RARE = re.compile(
    r"batch_|emit_|process_activate_|validate_|add_record_metadata|replication_|decimal_format"
    r"|on_bad_|max_bad_|quarantine_|\w*_timeout|user_agent|max_parallelism|state_id"
)
_UPPER = ("api", "aws", "csv", "id", "json", "s3", "sql", "ssh", "ssl", "tls", "uri", "url", "xml")
_SPELLING = {**{word: word.upper() for word in _UPPER}, "sqlalchemy": "SQLAlchemy"}
MAX_TITLE, MAX_INFO = 28, 220


@dataclass(frozen=True)
class PluginSetting:
    """A setting as the canvas shows it; *types* and *items* are those of its JSON Schema."""

    name: str
    kind: Kind
    title: str
    info: str
    types: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    required: bool = False
    secret: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()
    shown: bool = True
    """Whether it stands on the node; others are advanced."""


def input_name(number: int, setting: str) -> str:
    """Return the name of the input of the setting that is shown in the place *number*."""
    return f"s{number:03d}_" + _SPOILT.sub(lambda found: f"_x{ord(found[0]):x}_", setting)


def setting_name(name: str) -> str | None:
    """Return the setting that the input *name* is of, None if it is of none."""
    found = _INPUT.fullmatch(name)
    return found and _SPELT.sub(lambda spelt: chr(int(spelt[1], 16)), found[1])


def settings_of(about: Mapping[str, Any]) -> list[PluginSetting]:
    """Return the settings of a plug-in in the order in which they are shown.

    Required ones come first, then its own in its own order, then those that are rarely needed, and
    last those of stream maps and flattening. There are none where it does not tell.
    """
    schema = about.get("settings")
    schema = schema if isinstance(schema, Mapping) else {}
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = set(schema.get("required") or ())
    places: list[tuple[int, int, str]] = []
    own, most = 0, BESIDES if required else SHOWN
    for number, name in enumerate(properties):
        if name in required:
            rank = 0
        elif _MAPS.match(name) or _RARE.match(name):
            rank = 4 if _MAPS.match(name) else 3
        else:
            own += 1
            rank = 1 if own <= most else 2
        places.append((rank, number, name))
    return [
        _setting(name, properties[name], rank == 0, rank <= 1) for rank, _, name in sorted(places)
    ]


def _setting(name: str, said: Any, required: bool, shown: bool) -> PluginSetting:
    schema: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    types, choices = _types(schema), _choices(schema)
    kind = _kind(schema, types, choices)
    default = schema.get("default")
    secret = any(schema.get(mark) is True for mark in ("secret", "writeOnly", "x-secret"))
    secret |= schema.get("format") == "password"
    secret |= kind in ("text", "list", "json") and (is_secret(name) or _holds_secret(schema))
    return PluginSetting(
        name,
        kind,
        _title(name, schema.get("title")),
        _info(name, kind, schema, default if not secret else None),
        types,
        _items(schema),
        (required or schema.get("required") is True) and default is None,
        secret,
        default,
        choices,
        shown,
    )


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    said = schema.get("type")
    found = {said} if isinstance(said, str) else {each for each in said or () if each}
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word) or ():
            if isinstance(each, Mapping):
                found |= _types(each)
    return frozenset(found - {"null"})


def _items(schema: Mapping[str, Any]) -> frozenset[str]:
    said = schema.get("items")
    return _types(said) if isinstance(said, Mapping) else frozenset()


def _choices(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    said = schema.get("enum")
    if said is None:
        parts = schema.get("oneOf") or schema.get("anyOf") or ()
        said = [part["const"] for part in parts if isinstance(part, Mapping) and "const" in part]
    simple = all(isinstance(each, str | int | float | None) for each in said)
    return tuple(each for each in said if each is not None) if simple else ()


def _kind(schema: Mapping[str, Any], types: frozenset[str], choices: tuple[Any, ...]) -> Kind:
    if choices and types <= {"string", "integer", "number"}:
        return "choice"
    if "object" in types:
        return "json"
    if "array" in types:
        return "list" if _items(schema) <= {"string", "integer", "number"} else "json"
    kinds: dict[frozenset[str], Kind] = {
        frozenset({"boolean"}): "boolean",
        frozenset({"integer"}): "integer",
        frozenset({"number"}): "number",
        frozenset({"integer", "number"}): "number",
    }
    return kinds.get(types, "text")


def _holds_secret(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return False
    return any(
        is_secret(name)
        or isinstance(each, Mapping)
        and (each.get("secret") is True or each.get("writeOnly") is True or _holds_secret(each))
        for name, each in properties.items()
    )


def _title(name: str, said: Any) -> str:
    if isinstance(said, str) and 0 < len(said) <= MAX_TITLE:
        return said
    words = [_SPELLING.get(word, word) for word in re.split(r"[_.\-]", name)]
    title = " ".join(words).strip()
    title = title[:1].upper() + title[1:]
    return title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 3].rstrip()}..."


def _info(name: str, kind: Kind, schema: Mapping[str, Any], default: Any) -> str:
    """What the setting is, its default and how it is written, after its name."""
    words = " ".join(str(schema.get("description") or "").split())
    if len(words) > MAX_INFO:
        words = words[:MAX_INFO].rpartition(" ")[0].rstrip(",;:.") + " ..."
    if words and words[-1] not in ".!?":
        words += "."
    parts = [f"{name}: {words}" if words else f"{name}."]
    if default is not None and kind != "boolean":
        parts.append(f"Default: {default if isinstance(default, str) else json.dumps(default)}.")
    if kind == "list":
        parts.append("Several with commas between them, or a JSON array.")
    if kind == "json":
        parts.append("Written as JSON.")
    if _MAPS.match(name):
        parts.append(f"({MAPS})")
    return " ".join(parts)
