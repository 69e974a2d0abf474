"""The setting `queries`: SELECTs of the user's, each of which is a stream as a view would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean, json_type
from kozmo_singer.systems.sql.quoting import is_text
from kozmo_taps.sql.relation import Relation
from kozmo_taps.sql.shape import expect_order

QUERY = "query"
"""The kind of a relation that is a query."""
_PARTS = ("sql", "key_properties", "replication_key")


@dataclass(frozen=True)
class Query:
    """A SELECT under the name of its stream; what it changes or reads is for the database to see.

    *key_properties* and *replication_key* are columns that it finds.
    """

    name: str
    sql: str
    key_properties: tuple[str, ...] = ()
    replication_key: str | None = None


def queries(plugin: str, given: Mapping[str, Any]) -> dict[str, Query]:
    """Return the queries of the setting, by the names of their streams; ConfigError if malformed.

    A query is its SQL, or an object of sql, key_properties and replication_key.
    """
    return {name: _query(f"{plugin}: query '{name}'", name, told) for name, told in given.items()}


def _query(what: str, name: str, told: Any) -> Query:
    if isinstance(told, str):
        told = {"sql": told}
    if not isinstance(told, dict):
        raise ConfigError(f"{what} must be SQL or an object with sql, got {json_type(told)}")
    for part in told:
        if part not in _PARTS:
            raise ConfigError(
                f"{what} has an unknown part '{part}'",
                *did_you_mean(part, _PARTS),
                f"there are {', '.join(_PARTS)}",
            )
    sql, keys, key = (told.get(part) for part in _PARTS)
    if not name or not isinstance(sql, str) or not sql.strip():
        raise ConfigError(f"{what} needs a name, and SQL", 'for example {"recent": "SELECT ..."}')
    if not is_text(name) or not is_text(sql):
        raise ConfigError(f"{what} holds a character that no SQL can hold: NUL, or half a pair")
    if keys is not None and not (isinstance(keys, list) and all(isinstance(k, str) for k in keys)):
        raise ConfigError(f"{what}: key_properties must be an array of names of columns")
    if key is not None and not isinstance(key, str):
        raise ConfigError(f"{what}: replication_key must be the name of a column")
    return Query(name, sql, tuple(keys or ()), key or None)


def keyed(plugin: str, query: Query, relation: Relation) -> Relation:
    """Return *relation*, what the database says of *query*, with the keys that the query names."""
    for name in (*query.key_properties, query.replication_key):
        if name and name not in relation.columns:
            raise ConfigError(
                f"{plugin}: query '{query.name}' finds no column '{name}'",
                *did_you_mean(name, relation.columns),
                f"its columns are {', '.join(relation.columns)}"[:300],
            )
    if query.replication_key:
        expect_order(f"{plugin}: query '{query.name}'", relation.columns[query.replication_key])
    relation.keys, relation.replication_key = query.key_properties, query.replication_key
    return relation
