"""Databases to export to, and flows that do, for tests in KozmoAI's environment."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing

import pandas as pd
import psycopg

from kozmo_bridge import _host
from kozmo_bridge.components.database_exporter import DatabaseExporterComponent

POSTGRES = json.loads(os.environ["POSTGRES"])
DATA, FRAME = _host.host()[:2]
Graph = _host.module("graph").Graph
ONE = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}]
TWO = [{"id": 2, "name": "Bea"}, {"id": 3, "name": None}]


class Postgres:
    """A database on a real server; its schemas are made anew for each test."""

    def __init__(self):
        for (schema,) in self.query(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND "
            "nspname <> 'information_schema'"
        ):
            self.query(f'DROP SCHEMA "{schema}" CASCADE')
        self.query("CREATE SCHEMA public")
        self.inputs = {
            "database_type": "PostgreSQL",
            "username": POSTGRES["user"],
            **{name: POSTGRES[name] for name in ("host", "port", "password", "database")},
        }

    def query(self, statement):
        login = {**POSTGRES, "dbname": POSTGRES["database"], "autocommit": True}
        login.pop("database")
        with psycopg.connect(**login) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def tables(self):
        return self.query(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema "
            "NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )

    def types(self, table):
        return dict(
            self.query(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid"
                f" = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            )
        )


class Sqlite:
    """A file of the test's own."""

    def __init__(self, folder):
        self.path = folder / "place.db"
        self.inputs = {"database_type": "SQLite", "database_file": str(self.path)}

    def query(self, statement):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    def tables(self):
        found = self.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        return [("public", name) for (name,) in found]


def data(rows):
    return [DATA(data=dict(row)) for row in rows]


def frame(rows):
    return FRAME(pd.DataFrame(rows))


def exporter(place, rows=None, id="exporter", **inputs):
    """A node that writes *rows*, or what is connected to it."""
    given = {} if rows is None else {"input_data": rows}
    return DatabaseExporterComponent(_id=id).set(
        **{"table_name": "t", **place.inputs, **given, **inputs}
    )


def export(place, rows, **inputs):
    """Run a node alone; return what Result says and the rows that were rejected."""
    results, _ = asyncio.run(exporter(place, rows, **inputs).run())
    (result,) = results["result"]
    return result.data, [row.data for row in results["rejected"]]


def flow(start, end, flow_id=None):
    """Run the nodes from *start* to *end*; return what came of those that ran, by their ids."""
    graph = Graph(start, end, flow_id=flow_id)
    graph.prepare()

    async def run():
        steps = [r async for r in graph.async_start() if hasattr(r, "vertex")]
        return {step.vertex.id: step.vertex.results for step in steps}

    return asyncio.run(run())


def all_of(place, table='"t"', columns="id, name"):
    return place.query(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
