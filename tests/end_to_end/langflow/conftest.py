"""A real Langflow, and a browser on its canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import canvas as pages
from canvas.langflow import LangflowCanvas
from project import ROOT
from servers import kozmoai


@pytest.fixture
def canvas(environment: Callable[[str], Path], tmp_path: Path) -> Iterator[LangflowCanvas]:
    """A new empty flow on the canvas of a server of its own, with our components."""
    python = environment("langflow") / "python"
    with (
        kozmoai.running(
            tmp_path / "langflow",
            python,
            frontend=True,
            components=[ROOT / "kozmo_bridge" / "components" / "path"],
            environment={"ENABLE_MAGE_INTEGRATIONS": "true"},
            kind=kozmoai.Langflow,
        ) as host,
        sync_playwright() as playwright,
        pages.launch(playwright) as browser,
        pages.logged_in(browser, host) as context,
        context.new_page() as page,
    ):
        yield LangflowCanvas(page, host).open()


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder for screenshots: with --screenshots that of the docs."""
    return ROOT / "docs" / "images" if request.config.getoption("--screenshots") else tmp_path
