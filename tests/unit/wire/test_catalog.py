"""Selection, by metadata and by the fields of older catalogs."""

import pytest

from kozmo_singer.errors import ConfigError
from kozmo_singer.wire import Catalog, Stream, select


def stream(name="orders", root=None, columns=None, **entry):
    metadata = [{"breadcrumb": [], "metadata": root or {}}]
    for column, values in (columns or {}).items():
        metadata.append({"breadcrumb": ["properties", column], "metadata": values})
    properties = {c: {"type": "integer"} for c in ("id", "a", "b")}
    return Stream.from_dict(
        {"tap_stream_id": name, "schema": {"properties": properties}, "metadata": metadata, **entry}
    )


@pytest.mark.parametrize(
    ("root", "entry", "selected"),
    [
        ({}, {}, False),
        ({"selected": True}, {}, True),
        ({"selected": False, "selected-by-default": True}, {}, False),
        ({"selected-by-default": True}, {}, True),
        ({"selected": "true"}, {}, True),
        ({"selected": "false"}, {"selected": True}, False),
        ({}, {"selected": True}, True),
        ({"selected": True, "inclusion": "unsupported"}, {}, False),
    ],
)
def test_a_stream_is_selected_when_it_is_said(root, entry, selected):
    assert stream(root=root, **entry).selected is selected


@pytest.mark.parametrize(
    ("values", "selected"),
    [
        ({}, True),
        ({"selected": False}, False),
        ({"selected": "false"}, False),
        ({"selected-by-default": False}, False),
        ({"selected-by-default": False, "selected": True}, True),
        ({"inclusion": "automatic", "selected": False}, True),
        ({"inclusion": "unsupported", "selected": True}, False),
    ],
)
def test_a_column_is_selected_by_its_metadata(values, selected):
    found = stream(root={"selected": True}, columns={"a": values}).selected_columns()
    assert ("a" in found) is selected


def test_no_column_of_an_unselected_stream_is_selected():
    assert stream(columns={"id": {"inclusion": "automatic"}}).selected_columns() == []


def test_a_catalog_survives_a_round_trip_and_says_things_both_ways():
    entry = stream(
        root={"selected": True, "is-view": False, "row-count": 5, "sql-datatype": "kept"},
        key_properties=["id"],
        replication_method="INCREMENTAL",
        replication_key="a",
        stream_alias="o",
    ).to_dict()
    again = Stream.from_dict(entry)
    assert again.to_dict() == entry
    assert (again.row_count, again.extra["stream_alias"]) == (5, "o")
    assert again.metadata[()]["sql-datatype"] == "kept"


def test_metadata_wins_over_the_top_level_fields():
    found = stream(
        root={"replication-method": "FULL_TABLE"},
        replication_method="INCREMENTAL",
        replication_key="a",
    )
    assert found.replication_method == "FULL_TABLE"


def test_the_mask_leaves_out_what_is_not_selected():
    masked = stream(root={"selected": True}, columns={"b": {"selected": False}}).masked_schema()
    assert list(masked["properties"]) == ["id", "a"]


def test_rules_choose_streams_and_columns():
    catalog = Catalog([stream("orders", key_properties=["id"]), stream("users"), stream("logs")])
    chosen = select(catalog, ["orders.a", "u*", "!users.b"])
    assert {s.tap_stream_id: s.selected_columns() for s in chosen.streams} == {
        "orders": ["id", "a"],
        "users": ["id", "a"],
        "logs": [],
    }
    assert not any(s.selected for s in catalog.streams), "the catalog itself stays as it was"


def test_taking_away_first_keeps_the_rest():
    by_default = {"selected-by-default": True}
    catalog = Catalog([stream("a", root=by_default), stream("b", root=by_default)])
    assert [s.tap_stream_id for s in select(catalog, ["!a"]).selected()] == ["b"]


def test_a_misspelt_stream_is_an_error_with_a_hint():
    with pytest.raises(ConfigError, match="did you mean 'orders'"):
        select(Catalog([stream("orders")]), ["oders"])
    with pytest.raises(ConfigError, match="did you mean 'orders'"):
        Catalog([stream("orders")]).get("ordres")


@pytest.mark.parametrize("value", [{}, {"streams": 5}, {"streams": [{"schema": {}}]}])
def test_what_is_no_catalog_is_refused(value):
    with pytest.raises(ConfigError):
        Catalog.from_dict(value)
