"""Servers that the tests of the bridge and of target-kozmo talk to."""

from collections.abc import Iterator

import pytest

from servers import kozmoai_loopback


@pytest.fixture
def kozmoai() -> Iterator[kozmoai_loopback.Loopback]:
    """A server that answers as KozmoAI's API does, and fails as it is told."""
    with kozmoai_loopback.running() as server:
        yield server
