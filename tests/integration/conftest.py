"""What several packages of integration tests read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from places import Place, place, prepared
from postgres_kinds import make_tables
from servers import clouds
from servers.postgres import Database


@pytest.fixture
def kinds(postgres: Database) -> Database:
    """A table for each type: a row with a value, one with a null, one with the value again."""
    make_tables(postgres)
    return postgres


@pytest.fixture(scope="session")
def store_servers() -> Iterator[dict[str, dict[str, Any]]]:
    """The settings of a server of each kind of store, for the whole session."""
    with ExitStack() as stack:
        yield {
            kind: prepared(kind, stack.enter_context(getattr(clouds, kind)()))
            for kind in clouds.KINDS
        }


_places = itertools.count()


@pytest.fixture
def place_of(store_servers: dict[str, dict[str, Any]]) -> Iterator[Callable[[str], Place]]:
    """Give an empty folder in a store: place_of(kind)."""
    made = []

    def call(kind: str) -> Place:
        made.append(place(kind, store_servers[kind], f"t{next(_places)}"))
        return made[-1]

    yield call
    for each in made:
        each.store()[0].close()
