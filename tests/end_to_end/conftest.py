"""The places that the end-to-end tests load rows into."""

from __future__ import annotations

from pathlib import Path

import pytest

from destinations import DESTINATIONS, Destination
from servers.postgres import Database


@pytest.fixture(params=sorted(DESTINATIONS))
def destination(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Destination:
    """Each target of ours in turn, with an empty place to load into."""
    return DESTINATIONS[request.param](tmp_path, postgres)
