"""What rules make of a stream's SCHEMA: which columns there are, of which type, from which ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import polars as pl

from kozmo_bridge.cleaner.actions import Action, action_of
from kozmo_bridge.cleaner.cleaning import Cleaner
from kozmo_bridge.cleaner.pipe.cells import dtype_of
from kozmo_bridge.cleaner.pipe.spelling import schema_of
from kozmo_bridge.cleaner.rules import Rule, Rules
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.messages import Schema
from kozmo_singer.wire.types import Column, LogicalType, from_schema, to_schema

_LEAVE_CELLS = frozenset(
    {"drop_columns", "rename_columns", "clean_column_name", "clean_column_names", "select"}
)
"""Actions that take columns away, or give them other names; those on rows take away rows."""


@dataclass(frozen=True)
class Shape:
    """What comes out of a stream.

    rules: those that were given; those for any text name the columns of the stream that hold some,
    documents of JSON and binary not among them. came: the columns that came in. dtypes: of each
    column that leaves, in order, the type that the rules give it. origins: of those that came in,
    under which name. touched: those that came in and that a rule may change. read: those that came
    in and that some rule looks at.
    """

    rules: Rules
    came: tuple[str, ...]
    dtypes: Mapping[str, pl.DataType]
    origins: Mapping[str, str]
    touched: frozenset[str]
    read: frozenset[str]

    @property
    def same_columns(self) -> bool:
        """Whether the columns that leave are those that came, under their names."""
        same = all(name == origin for name, origin in self.origins.items())
        return same and tuple(self.dtypes) == self.came


def frame_type(columns: Sequence[Column]) -> dict[str, pl.DataType]:
    """Return the types in which the rules see *columns*."""
    return {column.name: dtype_of(column.type) for column in columns}


def shape_of(schema: Schema, rules: Rules) -> Shape:
    """Return what *rules*, which have learned all they need, make of the stream of *schema*."""
    frame = pl.DataFrame(schema=frame_type(schema.columns))
    origins = {name: name for name in frame.columns}
    touched: set[str] = set()
    read: set[str] = set()
    named: list[Rule] = []
    closed = {c.name for c in schema.columns if c.type.name in ("json", "binary")}
    for given in rules:
        action = action_of(given.action)
        rule = _for_texts(given, action, frame, [n for n, o in origins.items() if o in closed])
        if rule is None:
            continue
        named.append(rule)
        wanted = {origins[name] for name in _reads(action, rule, frame) if name in origins}
        read |= wanted
        made = Cleaner([rule]).apply(frame)
        before, origins = origins, _traced(origins, frame, made)
        changed = [
            name for name in frame.columns
            if name in made.columns and made.schema[name] != frame.schema[name]
        ]  # fmt: skip
        said = rule.columns if action.of_cells is None and rule.columns else None
        may = wanted if said is None else {origins[n] for n in said if n in origins}
        touched |= set() if action.family == "rows" or action.name in _LEAVE_CELLS else may
        touched |= {before[name] for name in changed if name in before}
        frame = made
    given_to = Rules(tuple(named), rules.expects)
    return Shape(
        given_to,
        tuple(column.name for column in schema.columns),
        dict(frame.schema),
        origins,
        frozenset(touched),
        frozenset(read | touched),
    )


def widened(shape: Shape, frame: pl.DataFrame) -> Shape:
    """Return *shape* with room for the columns and the types that *frame*, a batch, has as well."""
    dtypes = dict(shape.dtypes)
    for name, dtype in frame.schema.items():
        dtypes[name] = _common(dtypes.get(name, dtype), dtype)
    return shape if dtypes == shape.dtypes else replace(shape, dtypes=dtypes)


def schema_after(schema: Schema, shape: Shape) -> Schema:
    """Return the SCHEMA of what leaves; ConfigError where a rule dropped a column of the key."""
    names = {origin: name for name, origin in shape.origins.items()}
    keys = [names.get(key, "") for key in schema.key_properties]
    if "" in keys:
        lost = schema.key_properties[keys.index("")]
        raise ConfigError(
            f"the rules for stream {schema.stream} drop '{lost}', which is part of its key",
            "leave it in, or rename it; the target finds rows by it",
        )
    properties = schema.schema.get("properties") or {}
    made = {
        name: _property(name, properties, shape, required=name in keys) for name in shape.dtypes
    }
    whole = {**schema.schema, "properties": made}
    required = [names[key] for key in schema.schema.get("required") or [] if key in names]
    whole.pop("required", None)
    kept = [name for name in required if name in keys or shape.origins[name] not in shape.touched]
    if kept:
        whole["required"] = kept
    marks = [names[key] for key in schema.bookmark_properties or [] if key in names]
    columns = [_column(name, each, name in keys) for name, each in made.items()]
    return Schema(schema.stream, whole, keys, marks or None, tuple(columns), schema.line)


def _column(name: str, schema: Any, required: bool) -> Column:
    type, nullable = from_schema(schema)
    return Column(name, type, nullable, required)


def _property(
    name: str, properties: Mapping[str, Any], shape: Shape, required: bool
) -> dict[str, Any]:
    """The JSON Schema of one column: what it was where the rules leave it of its type."""
    origin = shape.origins.get(name)
    if origin is None:
        return schema_of(shape.dtypes[name])
    given = properties.get(origin)
    type, nullable = from_schema(given)
    if shape.dtypes[name] != dtype_of(type):
        return schema_of(shape.dtypes[name], not required)
    if not isinstance(given, Mapping):
        return {}
    if origin not in shape.touched:
        return dict(given)
    if type.name in ("uuid", "string") and not type.mixed:
        return _kept_words(given, to_schema(LogicalType("string"), not required or nullable))
    open_ended = msgspec.structs.replace(type, bits=None, length=None)
    if type.name in ("float", "decimal"):
        open_ended = type
    return _kept_words(given, {**_quoted(given, open_ended, not required or nullable)})


def _quoted(given: Mapping[str, Any], type: LogicalType, nullable: bool) -> dict[str, Any]:
    return to_schema(type, nullable, "string" if is_quoted(given) else "number")


def is_quoted(schema: Any) -> bool:
    """Return whether a stream has the numbers of a column in quotes."""
    kinds = schema.get("type") if isinstance(schema, Mapping) else None
    return "string" in ([kinds] if isinstance(kinds, str) else kinds or [])


def _kept_words(given: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """*made* with what people wrote about the column."""
    return {**{n: given[n] for n in ("title", "description") if n in given}, **made}


def _reads(action: Action, rule: Rule, frame: pl.DataFrame) -> Sequence[str]:
    """The columns that a rule may look at: those it names, if its action is one of cells."""
    if rule.columns and (action.of_cells is not None or action.family == "gaps"):
        return rule.columns
    return frame.columns


def _for_texts(
    rule: Rule, action: Action, frame: pl.DataFrame, closed: Sequence[str]
) -> Rule | None:
    """*rule* with the columns of text that it is for, if it names none; None if there are none."""
    if rule.columns or action.of_cells is None or action.takes != "text":
        return rule
    texts = [n for n, dtype in frame.schema.items() if dtype == pl.String and n not in closed]
    return replace(rule, columns=tuple(texts)) if texts else None


def _traced(
    origins: Mapping[str, str], before: pl.DataFrame, after: pl.DataFrame
) -> dict[str, str]:
    """Where the columns of *after* come from: a rule that renames leaves each in its place."""
    old, new = before.columns, after.columns
    if len(old) == len(new) and set(old) != set(new):
        pairs = zip(new, old, strict=True)
        moved = {a: b for a, b in pairs if a == b or (a not in old and b not in new)}
        return {name: origins[was] for name, was in moved.items() if was in origins}
    return {name: origins[name] for name in new if name in origins}


def _common(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    """The type that has room for both; text has for all."""
    if one == other or other == pl.Null:
        return one
    if one == pl.Null:
        return other
    if one.is_numeric() and other.is_numeric():
        try:
            return pl.concat(
                [pl.Series([], dtype=one).to_frame("c"), pl.Series([], dtype=other).to_frame("c")],
                how="vertical_relaxed",
            ).schema["c"]
        except pl.exceptions.PolarsError:
            return pl.String()
    return pl.String()
