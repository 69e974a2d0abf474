"""What the engine must know of a table or view in order to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kozmo_singer.wire.types import LogicalType


@dataclass(frozen=True)
class DbColumn:
    """A column as the database has it, and how its dialect reads it.

    select is the expression that yields the wire value, text the one that yields it as a string;
    parameter the SQL of one bound value to compare the column with. apart is a condition (without
    the column's IS NULL) for values that no bookmark can stand for, such as infinity. settled says
    that type overrules what the catalog says, as_text that the catalog wants text of any value.
    """

    name: str
    datatype: str
    type: LogicalType
    select: str
    text: str
    parameter: str
    not_null: bool = False
    readable: bool = True
    orders: bool = True
    apart: str | None = None
    settled: bool = False
    as_text: bool = False


@dataclass
class Relation:
    """A table, view or whatever else can be selected from; *rows* is an estimate.

    *keys* is its primary key. A query has a *source*, the SQL to select from, and may have a
    *replication_key*.
    """

    schema: str | None
    name: str
    kind: str = "table"
    rows: int | None = None
    columns: dict[str, DbColumn] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    source: str | None = None
    replication_key: str | None = None

    @property
    def is_view(self) -> bool:
        """Whether it holds no rows of its own."""
        return "view" in self.kind or self.source is not None

    @property
    def title(self) -> str:
        """What messages call it: schema.table, or the query's name."""
        if self.source is not None:
            return f"query {self.name}"
        return f"{self.schema}.{self.name}" if self.schema else self.name


Name = tuple[str | None, str]
Relations = Mapping[Name, Relation]


def counted(relations: Relations) -> str:
    """Return how many tables there are, in words."""
    return "1 table" if len(relations) == 1 else f"{len(relations)} tables"
