"""Whether the rows that landed are those of the source, all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from servers import postgres

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
DIFFERENT = """
SELECT count(*) FROM {source} AS s FULL JOIN
    (SELECT true AS there, {casts} FROM {landed}) AS l ON {same_key}
WHERE l.there IS NULL OR ({ours}) IS DISTINCT FROM ({theirs})
"""


@dataclass(frozen=True)
class Difference:
    """How many rows differ, in which columns, and which columns have another type."""

    rows: int
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def difference(
    database: postgres.Database, source: str, landed: str, key: tuple[str, ...]
) -> Difference:
    """Compare two tables by *key*: rows that lack, that are too many, of which a value differs.

    Values are compared as the source's type, a numeric with all its digits; a column that lacks
    or that this type cannot read counts as different in every row.
    """
    wanted = dict(database.execute(COLUMNS, [source]))
    found = dict(database.execute(COLUMNS, [landed]))
    (every,) = database.execute(f"SELECT count(*) FROM {source}")[0]

    def different(*names: str) -> int:
        casts = ", ".join(f"{name}::{_whole(wanted[name])} AS {name}" for name in {*names, *key})
        query = DIFFERENT.format(
            source=source,
            landed=landed,
            casts=casts,
            same_key=" AND ".join(f"s.{name} = l.{name}" for name in key),
            ours=", ".join(f"s.{name}" for name in names),
            theirs=", ".join(f"l.{name}" for name in names),
        )
        try:
            return int(database.execute(query)[0][0])
        except psycopg.errors.Error:
            return int(every)

    rows = different(*wanted)
    columns = [name for name in wanted if rows and different(name)]
    return Difference(rows, tuple(columns), _changed(wanted, found))


def _changed(wanted: dict[str, str], found: dict[str, str]) -> tuple[str, ...]:
    """Return each change of a type with the number of columns that underwent it."""
    pairs = [(type, found.get(name, "nothing")) for name, type in wanted.items()]
    counted = Counter(f"{type} > {other}" for type, other in pairs if type != other)
    return tuple(f"{change} ({number})" for change, number in counted.items())


def _whole(type: str) -> str:
    """Return a type without its limits, so that the cast itself drops nothing."""
    head, _, rest = type.partition("(")
    return head + rest.partition(")")[2]
