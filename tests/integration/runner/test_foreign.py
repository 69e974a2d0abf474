"""Plug-ins built on Meltano's SDK, through the runner: what they can do is found out and used."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from project import ROOT

SDK = ROOT / "tests" / "fixtures" / "sdk"
TAP = f"{sys.executable} {SDK / 'tap_shop.py'}"
TARGET = f"{sys.executable} {SDK / 'target_folder.py'}"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Three products, of which the first two are older."""
    path = tmp_path / "shop.json"
    _write(path, 3)
    return path


def _write(path: Path, count: int) -> None:
    rows = [
        {"id": n, "name": f"product {n}", "seen": f"2024-03-{n:02}T10:00:00+00:00"}
        for n in range(1, count + 1)
    ]
    path.write_text(json.dumps(rows))


def _ids(folder: Path) -> list[int]:
    lines = (folder / "products.jsonl").read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


def test_a_run_between_plug_ins_of_the_sdk(tmp_path: Path, shop: Path) -> None:
    """Rows, counts from its metrics, state, and the next run from where the first stopped.

    The SDK reads rows as old as its bookmark again.
    """
    folder = tmp_path / "out"
    options: dict[str, Any] = {
        "tap_config": {"path": str(shop)},
        "target_config": {"folder": str(folder)},
    }
    first = api.run(TAP, TARGET, **options)
    first.raise_for_failure()
    assert _ids(folder) == [1, 2, 3]
    assert (first.rows_read, first.rows_written) == (3, 3)
    bookmark = {"replication_key": "seen", "replication_key_value": "2024-03-03T10:00:00+00:00"}
    assert first.state_after == {"bookmarks": {"products": bookmark}}
    _write(shop, 5)
    second = api.run(TAP, TARGET, **options)
    assert _ids(folder) == [1, 2, 3, 3, 4, 5]
    assert (second.state_before, second.rows_read) == (first.state_after, 3)


def test_structured_logs_are_understood(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK prints JSON when its logging is told to; counts come all the same."""
    logging = tmp_path / "logging.json"
    logging.write_text(
        json.dumps(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}},
                "handlers": {
                    "err": {"class": "logging.StreamHandler", "formatter": "json",
                            "stream": "ext://sys.stderr"},
                },
                "root": {"level": "INFO", "handlers": ["err"]},
            }
        )
    )  # fmt: skip
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(logging))
    report = api.run(
        TAP, TARGET, tap_config={"path": str(shop)}, target_config={"folder": str(tmp_path / "o")}
    )
    report.raise_for_failure()
    assert report.tap.stderr_tail[0].startswith("{")
    assert (report.rows_read, report.rows_written) == (3, 3)


def test_the_environment_is_left_to_a_plug_in_that_reads_it(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK is told --config ENV; its variables never go through a file of ours."""
    monkeypatch.setenv("TAP_SHOP_PATH", str(shop))
    monkeypatch.setenv("TARGET_FOLDER_FOLDER", str(tmp_path / "out"))
    report = api.run(TAP, TARGET)
    report.raise_for_failure()
    assert report.tap.command[2:4] == ["--config", "ENV"]
    assert _ids(tmp_path / "out") == [1, 2, 3]


def test_a_refusal_of_the_sdk_is_shown_in_its_words(tmp_path: Path, shop: Path) -> None:
    """What it logged as errors, without times and levels."""
    report = api.run(TAP, TARGET, tap_config={"path": str(shop)}, target_config={"x": 1})
    assert report.error is not None
    assert report.error.message == "target-folder failed (exit code 1)"
    assert report.error.details == ["'folder' is a required property", "Config validation failed"]


def test_about_is_asked_of_the_sdk(shop: Path) -> None:
    """Name, capabilities and settings, as it prints them."""
    told = api.about(TAP)
    assert told["name"] == "tap-shop"
    assert "path" in told["settings"]["properties"]
    assert "catalog" in told["capabilities"]
