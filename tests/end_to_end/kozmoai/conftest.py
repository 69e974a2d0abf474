"""A real KozmoAI, started once for all tests of this folder, and a browser on its canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

import canvas as canvas_of_kozmoai
from project import ROOT
from servers import kozmoai

COMPONENTS = [ROOT / "kozmo_bridge" / "components" / "path", Path(__file__).parent / "components"]
SWITCHED_ON = {"ENABLE_MAGE_INTEGRATIONS": "true"}


@pytest.fixture(scope="session")
def host(
    environment: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[kozmoai.Host]:
    """The server of the environment that `make envs` makes, on a port of the kernel's choice."""
    folder = tmp_path_factory.mktemp("kozmoai")
    python = environment("kozmoai") / "python"
    with kozmoai.running(
        folder, python, frontend=True, components=COMPONENTS, environment=SWITCHED_ON
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one module: while it is open, no other asyncio loop can run."""
    with sync_playwright() as playwright, canvas_of_kozmoai.launch(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def profile(host: kozmoai.Host, browser: Browser) -> Iterator[BrowserContext]:
    """A profile of the browser that is logged in and keeps the frontend's 13 MB in its cache."""
    with canvas_of_kozmoai.logged_in(browser, host) as context:
        yield context


@pytest.fixture
def canvas(host: kozmoai.Host, profile: BrowserContext) -> Iterator[canvas_of_kozmoai.Canvas]:
    """A new empty flow on the canvas of the host."""
    with profile.new_page() as page:
        yield canvas_of_kozmoai.Canvas(page, host).open()


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder for screenshots: with --screenshots that of the docs."""
    if not request.config.getoption("--screenshots"):
        return tmp_path
    folder = ROOT / "docs" / "images"
    folder.mkdir(exist_ok=True)
    return folder
