"""Run in KozmoAI's environment by test_database_exporter: its form, its adapter, old flows."""

import asyncio

import pytest
from exported_places import (
    ONE,
    POSTGRES,
    TWO,
    Postgres,
    Sqlite,
    all_of,
    data,
    export,
    frame,
)

from kozmo_bridge import _host
from kozmo_bridge.adapters import SQLDestinationAdapter
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.database_exporter import DatabaseExporterComponent
from kozmo_bridge.components.stubs import FOLDER
from kozmo_singer.errors import ConfigError, WriteError

STUB = (FOLDER / "outputs" / "database_exporter.py").read_text("utf-8")
Component = _host.module("custom.custom_component.component").Component
template_of = _host.module("custom.utils").build_custom_component_template


@pytest.fixture(params=["PostgreSQL", "SQLite"])
def place(request, tmp_path):
    """Each database in turn, empty."""
    return Postgres() if request.param == "PostgreSQL" else Sqlite(tmp_path)


@pytest.fixture
def postgres():
    """A PostgreSQL database, empty."""
    return Postgres()


def test_the_stub_is_shown_with_its_outputs():
    """By the host's own builder, with the inputs of the first integration among its own."""
    node, _ = template_of(Component(_code=STUB))
    assert node["display_name"] == "Database Exporter"
    outputs = {output["name"]: output["types"] for output in node["outputs"]}
    assert outputs == {"result": ["Data"], "rejected": ["Data"]}
    form = node["template"]
    assert {"input_data", "database_type", "connection_string", "table_name", "schema_name",
            "write_mode"} <= set(form)  # fmt: skip
    assert form["input_data"]["input_types"] == ["Data", "DataFrame"]
    assert {"Append", "Replace", "Fail if exists"} <= set(form["write_mode"]["options"])
    labels = [f.get("display_name") or "" for f in form.values() if isinstance(f, dict)]
    assert max(map(len, labels)) <= 28


class Form:
    """A node on the canvas, whose form is refreshed as the host does it."""

    def __init__(self, **values):
        self.fields = template_of(Component(_code=STUB))[0]["template"]
        for name, value in values.items():
            self.fields[name]["value"] = value

    def change(self, name, value):
        """Put *value* into an input that refreshes the form."""
        instance = template_of(Component(_code=STUB))[1]
        values = {k: v.get("value") for k, v in self.fields.items() if isinstance(v, dict)}
        instance.set_attributes(values)
        asyncio.run(instance.update_build_config(self.fields, value, name))
        return self

    @property
    def told(self):
        """The facts that the node shows of its connection."""
        return [row["found"] for row in self.fields["verdict"]["value"]]

    def on_node(self):
        """The inputs that are neither hidden nor advanced."""
        return {
            name for name, field in self.fields.items()
            if isinstance(field, dict) and field.get("show") and not field.get("advanced")
        }  # fmt: skip


def test_the_form_follows_what_is_chosen(place):
    """Fields by database, key columns for an upsert, tables with their rows to choose from."""
    export(place, data(ONE), table_name="orders")
    form = Form(**place.inputs).change("database_type", place.inputs["database_type"])
    fields = {"host", "username", "password", "database"}
    assert (fields <= form.on_node()) == isinstance(place, Postgres)
    assert ("database_file" in form.on_node()) == isinstance(place, Sqlite)
    assert "key_columns" not in form.on_node()
    assert "key_columns" in form.change("write_mode", "Upsert").on_node()
    form.change("table_name", "")
    assert form.fields["table_name"]["options"] == ["orders"]
    assert form.told == ["1 table to choose from"]


def test_a_connection_is_tested(place):
    """The verdict is in words, without a secret, and the button springs back."""
    form = Form(**place.inputs).change("test_connection", True)
    assert form.fields["test_connection"]["value"] is False
    kind = "PostgreSQL" if isinstance(place, Postgres) else "SQLite"
    assert form.told[0].startswith(kind)
    if isinstance(place, Postgres):
        wrong = Form(**{**place.inputs, "password": "no-such-secret"})
        wrong.change("test_connection", True)
        assert "the password is wrong" in str(wrong.told)
        assert "no-such-secret" not in str(wrong.fields["verdict"])
        with pytest.raises(Problem) as failed:
            export(place, data(ONE), password="no-such-secret")
        assert "no-such-secret" not in str(failed.value)


def test_a_flow_of_the_first_integration_writes(postgres):
    """It has a connection string, a table and a mode, and no other input."""
    url = "postgresql://{user}:{password}@{host}:{port}/{database}".format(**POSTGRES)
    for mode in ("Append", "Replace", "Append"):
        node = DatabaseExporterComponent(_id="old").set(
            input_data=data(ONE), database_type="PostgreSQL", connection_string=url,
            table_name="t", schema_name="", write_mode=mode,
        )  # fmt: skip
        results, _ = asyncio.run(node.run())
        (result,) = results["result"]
        assert result.data["rows_written"] == 2
    assert len(all_of(postgres)) == 4


def adapter(place, **more):
    """The place by the adapter of the first integration."""
    if isinstance(place, Sqlite):
        return SQLDestinationAdapter("sqlite", database=str(place.path))
    given = {name: place.inputs[name] for name in ("host", "port", "database", "username")}
    return SQLDestinationAdapter(
        "postgresql", **{**given, "password": place.inputs["password"], **more}
    )


def test_the_adapter_writes_in_each_mode(place):
    """Append, upsert by a key, replace, and fail where the table is there."""
    with adapter(place) as database:
        assert database.test_connection()
        assert database.export_data(data(ONE), "t") == {
            "rows_written": 2, "status": "success", "table": "t", "schema": None,
            "inserted": 2, "updated": 0, "rejected": [],
        }  # fmt: skip
        database.export_data(frame(TWO), "t", "append", chunksize=1000)
        assert all_of(place) == [(1, "Ann"), (2, "Bea"), (2, "Bob"), (3, None)]
        database.export_data(ONE, "t", "replace", key_properties=["id"])
        database.export_data(TWO, "t", "upsert", key_properties=["id"])
        assert all_of(place) == [(1, "Ann"), (2, "Bea"), (3, None)]
        with pytest.raises(WriteError, match="there already"):
            database.export_data(ONE, "t", "fail")
        assert database.export_data([], "t", "replace")["status"] == "empty"
        assert all_of(place) == [(1, "Ann"), (2, "Bea"), (3, None)]
        bad = [{"id": "x", "name": "Zoe"}, {"id": 9, "name": "Cy"}]
        with pytest.raises(WriteError, match="at most 0 may be refused"):
            database.export_data(bad, "t")
        told = database.export_data(bad, "t", max_rejected=1)
        assert [each["record"] for each in told["rejected"]] == bad[:1]
        with pytest.raises(ConfigError, match="did you mean 'upsert'"):
            database.export_data(ONE, "t", "upserts")


def test_the_adapter_knows_the_tables_of_sqlite_in_any_case(tmp_path):
    """Their columns and their key as well."""
    place = Sqlite(tmp_path)
    place.query("CREATE TABLE t (id integer PRIMARY KEY, name text)")
    with adapter(place) as database:
        for rows in (ONE, TWO):
            spelled = [{"ID": row["id"], "Name": row["name"]} for row in rows]
            database.export_data(spelled, "T", "upsert")
        assert all_of(place) == [(1, "Ann"), (2, "Bea"), (3, None)]
        with pytest.raises(WriteError, match="at most 0 may be refused"):
            database.export_data([{"ID": "x"}], "T")


def test_the_adapter_says_why_it_cannot_connect(postgres):
    """As a ConnectionError, or as False with the problem; without the password."""
    wrong = adapter(postgres, password="no-such-secret")
    with pytest.raises(ConnectionError, match="the password is wrong") as refused:
        wrong.connect()
    assert not wrong.test_connection()
    assert wrong.problem == str(refused.value)
    assert "no-such-secret" not in wrong.problem
