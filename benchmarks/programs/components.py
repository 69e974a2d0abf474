"""The Database Loader and its baselines, in KozmoAI's environment; prints JSON.

The first call of each is not counted: it imports what the server has imported already.
"""

import asyncio
import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from kozmo_bridge.components.canvas import Data, DataFrame
from kozmo_bridge.components.database_loader import DatabaseLoaderComponent

Way = Callable[[], Awaitable[Any]]


def main() -> None:
    """Measure the mode of the order file."""
    with open(sys.argv[1]) as file:
        order = json.load(file)
    ways = {"dataframe": dataframe, "data": data, "preview": preview}[order["what"]]
    print(json.dumps(asyncio.run(measured(ways(order["login"]), order["rounds"]))))


def node(login: dict[str, Any]) -> DatabaseLoaderComponent:
    """Return the node that reads all of the table."""
    inputs = {name: login[name] for name in ("host", "port", "password", "database")}
    inputs |= {"username": login["user"], "table_name": "orders", "limit": 0}
    return DatabaseLoaderComponent(_id="loader", database_type="PostgreSQL", **inputs)


def dataframe(login: dict[str, Any]) -> dict[str, Way]:
    """The output DataFrame, beside psycopg's rows in pandas' constructor."""

    async def ours() -> Any:
        return await node(login).as_dataframe()

    async def plain() -> Any:
        return await asyncio.to_thread(fetched)

    def fetched() -> Any:
        import pandas as pd

        with connected(login) as connection:
            cursor = connection.execute("SELECT * FROM orders")
            names = [column.name for column in cursor.description or ()]
            return DataFrame(pd.DataFrame(cursor.fetchall(), columns=names))

    return {"node": ours, "psycopg and pandas": plain}


def data(login: dict[str, Any]) -> dict[str, Way]:
    """The output Data, beside the constructor over dicts that are there, and the wire alone."""
    rows: list[dict[str, Any]] = []

    async def ours() -> Any:
        made = await node(login).as_data()
        rows[:] = [row.data for row in made]
        return made

    async def constructed() -> Any:
        return [Data(data=row) for row in rows]

    async def wire() -> Any:
        return await node(login).extracted()

    return {"node": ours, "Data()": constructed, "the wire": wire}


def preview(login: dict[str, Any]) -> dict[str, Way]:
    """What happens when a table is chosen: its columns and samples, beside psycopg's first rows."""

    async def ours() -> Any:
        chosen = node(login)
        form = {each.name: each.to_dict() for each in chosen.inputs}
        for name in ("host", "port", "username", "password", "database"):
            form[name]["value"] = getattr(chosen, name)
        form = await chosen.update_build_config(form, "orders", "table_name")
        if len(form["columns"]["value"]) != 10 or not form["columns"]["value"][0]["sample"]:
            sys.exit(f"no preview: {form['verdict']['value']}")

    async def plain() -> Any:
        with connected(login) as connection:
            return connection.execute("SELECT * FROM orders LIMIT 5").fetchall()

    return {"node": ours, "psycopg": plain}


def connected(login: dict[str, Any]) -> psycopg.Connection[Any]:
    """Return a connection of psycopg's."""
    parts = {"dbname" if name == "database" else name: value for name, value in login.items()}
    return psycopg.connect(**parts)


async def measured(ways: dict[str, Way], rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians of each way, called in turn."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            gc.collect()
            started, cpu = time.perf_counter(), everybody()
            made = await way()
            if turn:
                took[name].append((time.perf_counter() - started, everybody() - cpu))
            del made
    return {
        name: {
            "wall": statistics.median(w for w, _ in t),
            "cpu": statistics.median(c for _, c in t),
        }
        for name, t in took.items()
    }


def everybody() -> float:
    """Return the CPU seconds of this process and of those that it waited for."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
