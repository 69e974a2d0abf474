"""Tables by the names that people use for them."""

import pytest

from kozmo_bridge.components.tables import find_table, has_table, incremental, likely_ids, title
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.catalog import Catalog, Stream


def table(schema: str | None, name: str) -> Stream:
    """A table as tap-postgres finds it, or tap-sqlite where there is no schema."""
    root = {"table-name": name, "valid-replication-keys": ["id"]}
    root |= {"schema-name": schema} if schema else {}
    stream = f"{schema}-{name}" if schema else name
    return Stream(stream, {"properties": {"id": {}}}, stream, name, metadata={(): root})


CATALOG = Catalog(
    [
        table("public", "orders"),
        table("public", "Orders"),
        table("sales", "orders"),
        table("a", "items"),
        table("b", "items"),
        table("a-b", "dotted.name"),
    ]
)


@pytest.mark.parametrize(
    ("name", "schema", "found"),
    [
        ("orders", "", "public-orders"),
        ("orders", "sales", "sales-orders"),
        ("sales.orders", "public", "sales-orders"),
        ("sales-orders", "", "sales-orders"),
        ('"public"."Orders"', "", "public-Orders"),
        ("Orders", "", "public-Orders"),
        ("SALES.ORDERS", "", "sales-orders"),
        ("items", "b", "b-items"),
        ("dotted.name", "", "a-b-dotted.name"),
        ("a-b.dotted.name", "", "a-b-dotted.name"),
    ],
)
def test_a_table_is_found_by_any_of_its_names(name: str, schema: str, found: str) -> None:
    """By the stream's, by SQL's, quoted or not, in any case where only one is meant."""
    assert has_table(CATALOG, name)
    assert find_table(CATALOG, name, schema).tap_stream_id == found


def test_a_quote_may_be_part_of_a_name() -> None:
    """The name as it is goes before what SQL would make of it."""
    catalog = Catalog([table("public", '6" pipe'), table("public", "6 pipe")])
    assert has_table(catalog, '6" pipe')
    assert find_table(catalog, '6" pipe') is catalog.streams[0]
    assert likely_ids('6" pipe') == ['public-6" pipe', "public-6 pipe"]


def test_what_is_not_there_or_not_clear_is_an_error() -> None:
    """With what was probably meant."""
    with pytest.raises(ConfigError, match=r"several tables 'items': a.items, b.items"):
        find_table(CATALOG, "items")
    with pytest.raises(ConfigError, match=r"several tables 'ORDERS'"):
        find_table(CATALOG, "ORDERS")
    assert not has_table(CATALOG, "sale.orders")
    with pytest.raises(ConfigError, match=r"did you mean 'sales.orders'"):
        find_table(CATALOG, "sale.orders")
    with pytest.raises(ConfigError, match="there are: none"):
        find_table(Catalog([]), "orders")


def test_the_likely_streams_of_a_name() -> None:
    """That is what discovery has to look at."""
    assert likely_ids("orders") == ["public-orders"]
    assert likely_ids("Orders", "sales") == ["sales-Orders", "sales-orders"]
    assert likely_ids("sales.orders") == ["public-sales.orders", "sales-orders"]


def test_a_title_has_the_schema_where_it_says_something() -> None:
    """Not that which is known anyway, nor one that is not there."""
    orders = table("sales", "orders")
    assert (title(orders), title(orders, "sales")) == ("sales.orders", "orders")
    assert title(table(None, "orders")) == "orders"


def test_only_columns_that_tell_new_rows_are_keys() -> None:
    """Others are refused with those that do."""
    stream = incremental(table("public", "orders"), "id")
    assert (stream.replication_method, stream.replication_key) == ("INCREMENTAL", "id")
    with pytest.raises(ConfigError, match="columns that can tell: id"):
        incremental(stream, "name")
