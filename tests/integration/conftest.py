"""What several packages of integration tests read."""

from __future__ import annotations

import pytest

from postgres_kinds import make_tables
from servers.postgres import Database


@pytest.fixture
def kinds(postgres: Database) -> Database:
    """A table for each type: a row with a value, one with a null, one with the value again."""
    make_tables(postgres)
    return postgres
