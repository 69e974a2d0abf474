"""The tap of examples/, installed as a package of a third party would be, on a real server."""

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from commands import BIN, Run
from project import ROOT

PAGE = 100
ITEMS = [{"id": n, "name": f"item {n}" if n % 7 else None, "price": n / 100} for n in range(1, 251)]
TOKEN = "token-of-the-shop"


class Shop(BaseHTTPRequestHandler):
    """GET /v1/items?page=N, for those who bear the token."""

    def do_GET(self) -> None:
        """Give a page, or 401."""
        allowed = self.headers["Authorization"] == f"Bearer {TOKEN}"
        number = int(parse_qs(urlsplit(self.path).query)["page"][0])
        page = ITEMS[PAGE * (number - 1) : PAGE * number]
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(page if allowed else None).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The URL of a running API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the package is installed."""
    folder = tmp_path_factory.mktemp("third_party")
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    where = [
        "-p",
        str(BIN / "python"),
        "--target",
        str(folder),
        str(ROOT / "examples" / "tap_pages"),
    ]
    subprocess.run([BIN / command[0], *command[1:], *where], check=True)
    return folder


@pytest.fixture
def env(package: Path, clean_env: dict[str, str], shop: str) -> dict[str, str]:
    """The package beside ours, and the settings of its tap."""
    return {
        "PYTHONPATH": str(package),
        "PATH": f"{package / 'bin'}:{clean_env['PATH']}",
        "TAP_PAGES_URL": shop,
        "TAP_PAGES_TOKEN": TOKEN,
    }


def test_an_installed_tap_is_listed(run: Run, env: dict[str, str]) -> None:
    """By its entry point, with its summary."""
    assert "Items of an API, page by page" in run(["kozmo", "systems"], env=env).out.decode()


def test_its_rows_reach_a_target_of_ours(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """All of them, of every page; a second run replaces them and doubles nothing."""
    for _ in range(2):
        done = run(
            ["kozmo", "run", "tap-pages", "target-jsonl", "--target-config", "path=out"], env=env
        )
        assert done.code == 0, done.err
        lines = (tmp_path / "out" / "items.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == ITEMS


def test_limit_selection_and_count_come_with_the_seam(run: Run, env: dict[str, str]) -> None:
    """A preview of two columns, and the number of rows."""
    shown = run(["kozmo", "preview", "tap-pages", "items", "-n", "3", "--json"], env=env)
    assert [json.loads(line) for line in shown.out.splitlines()] == ITEMS[:3]
    counted = run(["kozmo", "count", "tap-pages", "--json"], env=env)
    assert json.loads(counted.out) == {"items": len(ITEMS)}


def test_a_wrong_token_is_an_error_in_words(run: Run, env: dict[str, str]) -> None:
    """Exit code 1, no traceback, and not the token."""
    done = run(
        ["tap-pages", "--config", "ENV", "--check"], env={**env, "TAP_PAGES_TOKEN": "wrong one"}
    )
    assert done.code == 1
    assert done.err.splitlines()[0].startswith("Error: tap-pages could not read http://127.0.0.1")
    assert "401 Unauthorized" in done.err
    assert "wrong one" not in done.err
