"""A real KozmoAI, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from servers import kozmoai


@pytest.fixture(scope="session")
def host(
    environment: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[kozmoai.Host]:
    """The server of the environment that `make envs` makes, on a port of the kernel's choice."""
    folder = tmp_path_factory.mktemp("kozmoai")
    with kozmoai.running(folder, environment("kozmoai") / "python") as running:
        yield running
