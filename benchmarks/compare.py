"""Whether the rows that landed are those of the source, all of them."""

from __future__ import annotations

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
    """How many rows differ, and which columns have another type than in the source."""

    rows: int
    types: tuple[str, ...]


def difference(
    database: postgres.Database, source: str, landed: str, key: tuple[str, ...]
) -> Difference:
    """Compare two tables by *key*: rows that lack, that are too many, of which a value differs.

    Values are compared as the source's type, a numeric with all its digits; where that type
    cannot read what landed, every row counts as different.
    """
    wanted = dict(database.execute(COLUMNS, [source]))
    found = dict(database.execute(COLUMNS, [landed]))
    every = database.execute(f"SELECT count(*) FROM {source}")[0][0]
    lacking = [f"{name} lacks" for name in wanted if name not in found]
    if lacking:
        return Difference(every, (*lacking,))
    query = DIFFERENT.format(
        source=source,
        landed=landed,
        casts=", ".join(f"{name}::{_whole(type)} AS {name}" for name, type in wanted.items()),
        same_key=" AND ".join(f"s.{name} = l.{name}" for name in key),
        ours=", ".join(f"s.{name}" for name in wanted),
        theirs=", ".join(f"l.{name}" for name in wanted),
    )
    types = [
        f"{name} {type} > {found[name]}" for name, type in wanted.items() if found[name] != type
    ]
    try:
        return Difference(database.execute(query)[0][0], tuple(types))
    except psycopg.DataError as error:
        return Difference(every, (*types, f"not comparable: {str(error).splitlines()[0]}"))


def _whole(type: str) -> str:
    """Return a type without its limits, so that the cast itself drops nothing."""
    head, _, rest = type.partition("(")
    return head + rest.partition(")")[2]
