"""Programs built on Meltano's SDK, on the other end of a plain shell pipe."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Run
from destinations import Destination, Row, canonical
from kozmo_singer.wire.encode import dumps
from piping import config, pipe
from project import ROOT

TAP = [BIN / "python", ROOT / "tests" / "fixtures" / "sdk" / "tap_shop.py"]
PRODUCTS = {
    "id": "integer",
    "name": "text",
    "price": "decimal",
    "weight": "decimal",
    "made": "date",
    "seen": "moment",
    "code": "uuid",
    "sold": "boolean",
    "tags": "json",
    "maker": "json",
}


def product(id: int, seen: str, *values: Any) -> Row:
    """Return a product; values that are left out are null."""
    names = [name for name in PRODUCTS if name not in ("id", "seen")]
    padded = [*values, *[None] * (len(names) - len(values))]
    return {"id": id, "seen": f"2024-03-{seen}+00:00", **dict(zip(names, padded, strict=True))}


FIRST = [
    product(1, "01T10:00:00.123456", "Löffel", Decimal("19.99"), "12345678901234567890.000001",
            "2024-02-29", "8d1b1a3c-0d55-4c55-9c0e-0c0f0f0f0f0f", True, ["a", "ü"],
            {"city": "Bonn"}),
    product(2, "01T10:00:01", "", Decimal("-0.5"), "-1", "1969-12-31",
            "00000000-0000-0000-0000-000000000000", False, [], {"city": None}),
    product(3, "01T10:00:02"),
]  # fmt: skip
NEW = [product(4, "02T08:00:00", "Gabel\n\\n", Decimal("123456789.125"))]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The file that the tap reads."""
    path = tmp_path / "shop.json"
    path.write_bytes(dumps(FIRST))
    return path


def test_a_tap_of_the_sdk_feeds_every_target(
    run: Run, tmp_path: Path, shop: Path, destination: Destination
) -> None:
    """Every value arrives, and the SDK's state comes back as it was sent.

    The SDK reads rows as old as the bookmark again, so files that are appended to get that row
    twice; a target that knows the key does not.
    """
    tap = [*TAP, "--config", config(tmp_path, "tap", {"path": str(shop)})]
    target = [destination.target, "--config", config(tmp_path, "target", destination.config)]

    state = pipe(run, tap, target).state
    expected = canonical(FIRST, PRODUCTS)
    assert canonical(destination.rows("products"), PRODUCTS) == expected
    assert state["bookmarks"]["products"]["replication_key_value"] == FIRST[-1]["seen"]

    shop.write_bytes(dumps(FIRST + NEW))
    state = pipe(run, [*tap, "--state", config(tmp_path, "state", state)], target).state
    again = [] if destination.upserts else FIRST[-1:]
    expected = canonical(FIRST + again + NEW, PRODUCTS)
    assert canonical(destination.rows("products"), PRODUCTS) == expected
    assert state["bookmarks"]["products"]["replication_key_value"] == NEW[-1]["seen"]


def test_batches_of_the_sdk_are_read(
    run: Run, tmp_path: Path, shop: Path, destination: Destination
) -> None:
    """A tap that writes its rows into files and sends BATCH messages loads the same rows."""
    folder = tmp_path / "batches"
    folder.mkdir()
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{folder}"},
    }
    settings = {"path": str(shop), "batch_config": batches}
    tap = [*TAP, "--config", config(tmp_path, "tap", settings)]
    target = [destination.target, "--config", config(tmp_path, "target", destination.config)]

    assert pipe(run, tap, target).state["bookmarks"]
    assert canonical(destination.rows("products"), PRODUCTS) == canonical(FIRST, PRODUCTS)
