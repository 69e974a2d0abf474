"""The server and the source of all that is struck down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crash.harness import World
from servers import postgres


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Tables in a server of their own."""
    with postgres.running() as server, postgres.database(server, "source") as source:
        yield World(server, source)
