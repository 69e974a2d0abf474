"""A query of the user's as PostgreSQL describes it: parsed by the server, never run.

The text stands within parentheses when it is read. What the server takes for one statement when it
stands alone cannot end them: neither by a parenthesis, nor by a quote or comment left open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, generators
from psycopg.pq import ExecStatus

from kozmo_singer.errors import ConfigError
from kozmo_taps.sql.postgres_types import typed
from kozmo_taps.sql.queries import QUERY, Query
from kozmo_taps.sql.relation import Relation

_OPEN, _CLOSE = "SELECT * FROM (\n", "\n) AS query"
# A lost connection, a timeout and the like are no fault of the query.
_FAULTS = (
    errors.ProgrammingError,
    errors.DataError,
    errors.NotSupportedError,
    errors.InternalError,
)
_READS = "a query is one SELECT, WITH, VALUES or TABLE that changes nothing"
_SHOWN = 60


def describe_query(raw: Any, query: Query) -> Relation:
    """Return the columns of *query*; ConfigError tells what the server has against it, and where.

    Its source holds every sign of the query but a semicolon at the end.
    """
    try:
        alone = _described(raw, query.sql)
    except _FAULTS as error:
        raise _refused(query, error, 0) from error
    if alone.nparams:
        raise ConfigError(
            f"tap-postgres: query '{query.name}' has a parameter such as $1",
            "write the value itself into the query",
        )
    if not alone.nfields:
        raise ConfigError(f"tap-postgres: query '{query.name}' finds nothing to read", _READS)
    text, result = _enclosed(raw, query)
    found = [
        (result.fname(i).decode(), result.ftype(i), result.fmod(i)) for i in range(result.nfields)
    ]
    _expect_distinct(query, [name for name, _, _ in found])
    source = f"(\n{text}{_CLOSE}"
    return Relation(None, query.name, QUERY, columns=typed(raw, found), source=source)


def _enclosed(raw: Any, query: Query) -> tuple[str, Any]:
    """The text that can stand within parentheses, and how the server describes it there."""
    text = query.sql
    while isinstance(found := _tried(raw, _OPEN + text + _CLOSE), psycopg.Error):
        place = int(found.diag.statement_position or 0) - len(_OPEN) - 1
        # A semicolon within a text or a comment is no fault.
        if place < 0 or text[place : place + 1] != ";":
            raise _refused(query, found, len(_OPEN), _READS) from found
        text = f"{text[:place]} {text[place + 1 :]}"
    return text, found


def _tried(raw: Any, statement: str) -> Any:
    """The description, or what is wrong with the statement."""
    try:
        return _described(raw, statement)
    except _FAULTS as error:
        return error


def _described(raw: Any, statement: str) -> Any:
    """What the server says of *statement*, which it takes only if it is a single one."""
    # A pooler in between must not hand the second question to another server.
    with raw.transaction():
        raw.pgconn.send_prepare(b"", statement.encode())
        _answer(raw)
        raw.pgconn.send_describe_prepared(b"")
        return _answer(raw)


def _answer(raw: Any) -> Any:
    [*_, result] = raw.wait(generators.execute(raw.pgconn))
    if result.status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(result, encoding="utf-8")
    return result


def _expect_distinct(query: Query, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(
            f"tap-postgres: query '{query.name}' finds two columns named '{twice[0]}'",
            "give each a name of its own by AS",
        )


def _refused(query: Query, error: psycopg.Error, before: int, advice: str = "") -> ConfigError:
    diagnostic = error.diag
    lines = [diagnostic.message_primary or str(error)]
    place = int(diagnostic.statement_position or 0) - before
    if 0 < place <= len(query.sql):
        lines.append(_where(query.sql, place - 1))
    lines += [line for line in (diagnostic.message_detail, diagnostic.message_hint, advice) if line]
    return ConfigError(f"tap-postgres: PostgreSQL refuses query '{query.name}'", *lines)


def _where(text: str, place: int) -> str:
    """Line and column, counted from one, and what stands there."""
    start = text.rfind("\n", 0, place) + 1
    shown = text[place:].splitlines()[0][:_SHOWN]
    return f"line {text.count(chr(10), 0, place) + 1}, column {place - start + 1}: {shown}"
