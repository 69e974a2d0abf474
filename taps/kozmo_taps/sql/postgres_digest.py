"""Sums of tables, made by PostgreSQL itself: what kozmo_singer.wire.sums makes of rows one by one.

JSON is hashed as jsonb spells it, which no other database does, so such sums have their own form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kozmo_singer.errors import ConfigError, ReadError
from kozmo_singer.wire import LogicalType, Stream, from_schema
from kozmo_singer.wire.sums import TEXT, Sum, spelt
from kozmo_taps.sql.relation import DbColumn

if TYPE_CHECKING:
    from kozmo_taps.sql.engine import SqlSession

FORM = "jsonb"
_NUMBERS = {"integer", "float", "decimal"}
_BAD_DATA = "22"
"""The class of errors of values: https://www.postgresql.org/docs/18/errcodes-appendix.html"""
_SUMS = [
    DbColumn(name, "numeric", LogicalType("integer"), "", "", "") for name in ("n", "one", "two")
]
# OFFSET 0 keeps the planner from writing an expression out wherever it is used.
_SQL = """
SELECT count(*), coalesce(sum(('x' || left(m, 16))::bit(64)::bigint), 0),
       coalesce(sum(('x' || right(m, 16))::bit(64)::bigint), 0)
FROM (SELECT md5(convert_to({row}, 'UTF8')) AS m
      FROM (SELECT {texts} FROM {table} WHERE {where} OFFSET 0) cells OFFSET 0) hashes
"""


def digest(session: SqlSession, stream: Stream) -> dict[str, Any] | None:
    """Return the sum of *stream*, or None where the database cannot make it."""
    try:
        reading = session.open(stream, {}, None)
    except ConfigError:
        return None  # who reads it then says why
    said = stream.schema.get("properties") or {}
    trims = session.raw.info.server_version >= 130000
    texts = [_text(c, from_schema(said.get(c.name))[0], trims) for c in reading.shape]
    known = [text for text in texts if text is not None]
    if len(known) < len(texts):
        return None
    conditions = reading.first_run()
    sql = _SQL.format(
        row=" || ".join(f"coalesce(length(c{i}) || ':' || c{i}, '-')" for i in range(len(known))),
        texts=", ".join(f"{text} AS c{i}" for i, text in enumerate(known)),
        table=reading.table,
        where=" AND ".join(f"({text})" for text, _ in conditions) or "true",
    )
    parameters = [value for _, values in conditions for value in values]
    try:
        [(rows, first, second)] = _found(reading, sql, parameters)
    except ReadError as error:
        if str(getattr(error.__cause__, "sqlstate", "")).startswith(_BAD_DATA):
            return None
        raise
    form = FORM if any(column.type.name == "json" for column in reading.shape) else TEXT
    found: dict[str, Any] = msgspec.to_builtins(Sum(rows, spelt(first, second), form))
    return found


def _found(reading: Any, sql: str, parameters: Sequence[Any]) -> list[tuple[int, int, int]]:
    with reading.dialect.snapshot():
        return [
            row
            for rows in reading.dialect.select(sql, parameters, reading.relation, _SUMS)
            for row in rows
        ]


def _text(column: DbColumn, said: LogicalType, trims: bool) -> str | None:
    """The SQL of the canonical text; None where the column has another type than it is said to."""
    have = column.type.name
    if have != said.name and not {have, said.name} <= _NUMBERS:
        return None
    value = f"({column.select})"
    if have in ("boolean", "integer"):
        return f"{value}::text"
    if have == "decimal":
        return f"trim_scale({value})::text" if trims else _trimmed(f"{value}::text")
    if have == "float":
        # The shortest text has no zeros to trim, but may have an exponent, or a sign before zero.
        text = f"{value}::text"
        odd = f"strpos({text}, 'e') > 0 OR {value} = 0"
        return f"CASE WHEN {odd} THEN {_trimmed(f'{text}::numeric::text')} ELSE {text} END"
    if have == "json":
        # JSON's own null is stored as NULL by some, and loses nothing by it.
        return f"nullif({value}::jsonb, 'null')::text"
    # As COPY writes it; a cast to text would take the blanks off the end of a char(n).
    return f"CASE WHEN {value} IS NOT NULL THEN format('%%s', {value}) END"


def _trimmed(text: str) -> str:
    """Digits without zeros at the end of the fraction, which PostgreSQL 13 can do by itself."""
    return f"CASE WHEN strpos({text}, '.') > 0 THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"
