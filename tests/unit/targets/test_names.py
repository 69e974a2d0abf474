"""Which table and columns a stream gets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import ConfigError, WriteError
from kozmo_targets.files.lines import file_name
from kozmo_targets.sql.names import Name, Naming, check_settings, column_names, table_of

POSTGRES = Naming(63, str)
SQLITE = Naming(None, lambda name: name.encode().lower().decode())
DEFAULTS: dict[str, Any] = {"table_prefix": "", "table_name": "{table}"}


@pytest.mark.parametrize(
    ("stream", "settings", "expected"),
    [
        ("orders", {}, Name(None, "orders")),
        ("public-orders", {}, Name("public", "orders")),
        ("public-order-items", {}, Name("public", "order-items")),
        ("-orders", {}, Name(None, "-orders")),
        ("orders-", {}, Name(None, "orders-")),
        ("public-orders", {"default_target_schema": "raw"}, Name("raw", "orders")),
        ("public-orders", {"table_prefix": "x_"}, Name("public", "x_orders")),
        ("public-orders", {"table_name": "{schema}__{table}"}, Name("public", "public__orders")),
        ("public-orders", {"table_name": "{stream}"}, Name("public", "public-orders")),
        ("a-{table}", {"table_name": "{schema}.{table}"}, Name("a", "a.{table}")),
    ],
)
def test_the_table_of_a_stream(stream: str, settings: dict[str, Any], expected: Name) -> None:
    """What comes before the first dash is the schema, unless a setting names it."""
    assert table_of(stream, {**DEFAULTS, **settings}, POSTGRES) == expected


def test_a_placeholder_that_is_not_known_is_refused() -> None:
    """With those that are."""
    with pytest.raises(ConfigError, match="knows no {tabel}") as caught:
        check_settings({"table_name": "{tabel}"})
    assert "{stream}, {schema} and {table}" in str(caught.value)


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(names=st.lists(NAMES, min_size=2, max_size=6, unique=True))
def test_names_fit_and_stay_apart(names: list[str]) -> None:
    """Each is at most 63 bytes and none is that of another, however they begin."""
    long = ["ü" * 60 + name for name in names]
    columns = column_names("s", [*names, *long], POSTGRES)
    assert len(set(columns.values())) == len(columns)
    assert max(len(column.encode()) for column in columns.values()) <= 63
    assert [columns[n] for n in names if len(n.encode()) <= 63] == [
        n for n in names if len(n.encode()) <= 63
    ]


def test_columns_that_the_database_takes_for_one_are_refused() -> None:
    """The message names both and says what to do."""
    with pytest.raises(WriteError, match="'Id' and 'ID'") as caught:
        column_names("s", ["Id", "x", "ID"], SQLITE)
    assert "stream_maps" in str(caught.value)
    assert column_names("s", ["É", "é"], SQLITE) == {"É": "É", "é": "é"}


@given(one=st.text(), other=st.text())
def test_files_of_two_streams_never_meet(one: str, other: str) -> None:
    """Nor does any of them lead out of its folder."""
    for name in (one, one * 50):
        found = file_name(name)
        assert "/" not in found
        assert not found.startswith(".")
        assert len(found.encode()) <= 220
    assert (file_name(one) == file_name(other)) == (one == other)
    assert (file_name(one * 50) == file_name(other * 50)) == (one * 50 == other * 50)
