"""Programs written with singer-python, in their own environment, on the other end of a pipe."""

import shlex
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commands import Run
from destinations import Destination, Row, canonical
from kozmo_singer.wire.encode import dumps
from piping import config, pipe
from project import ROOT

PROGRAMS = ROOT / "tests" / "fixtures" / "singer_python"
ENTRIES = {
    "id": "integer",
    "account": "text",
    "amount": "decimal",
    "rate": "decimal",
    "booked": "date",
    "updated_at": "moment",
    "open": "boolean",
    "note": "text",
    "tags": "json",
    "details": "json",
}
ACCOUNTS = {"code": "text", "title": "text", "since": "moment"}
Ledger = dict[str, list[Row]]


def entry(id: int, *values: Any) -> Row:
    """Return an entry; values that are left out are null."""
    padded = [*values, *[None] * (len(ENTRIES) - 1 - len(values))]
    row = dict(zip(ENTRIES, [id, *padded], strict=True))
    return {**row, "updated_at": f"2024-03-{row['updated_at']}Z"}


def account(code: str, title: str | None = None, since: str | None = None) -> Row:
    """Return an account."""
    return {"code": code, "title": title, "since": since}


FIRST: Ledger = {
    "entries": [
        entry(1, "cash", "12345678901234567890.1234", Decimal("0.1"), "2024-02-29",
              "01T10:00:00.123456", True, 'Grüße\n😀 "quoted" \\n', ["a"], {"pages": 3, "by": "x"}),
        entry(2, "cash", "-0.0001", Decimal("1234567890123.1234"), "1970-01-01", "01T10:00:01",
              False, "a\ttab", [], {"pages": None, "by": "it's"}),
        # A null boolean becomes false in the transformer of singer-python.
        entry(3, None, None, None, None, "01T10:00:02", False),
        entry(4, "bank", "0", Decimal("0.0"), "9999-12-31", "01T10:00:03", True, "\u2028\x85"),
        entry(5, "bank", "1000", Decimal("-7.5"), "0001-01-01", "01T10:00:04", True, "NULL",
              ["ö"], {"pages": 9007199254740993, "by": "\\."}),
    ],
    "accounts": [account("cash", "Cash, in hand", "2020-01-01T00:00:00Z"), account("bank"),
                 account("debt", "Ü")],
}  # fmt: skip
CHANGED: Ledger = {
    "entries": [
        entry(2, "bank", "5.5", Decimal("0.25"), "2024-03-02", "02T08:00:00", True, "moved"),
        entry(6, "debt", "600.00", Decimal("6.125"), "2024-03-03", "03T08:00:00", False, "new"),
    ],
    "accounts": [account("cash", "Cash"), account("bank"), account("loan", "L")],
}


def after(ledger: Ledger) -> Ledger:
    """Return the ledger once CHANGED has happened to it."""
    gone = {row["id"] for row in CHANGED["entries"]}
    kept = [row for row in ledger["entries"] if row["id"] not in gone]
    return {"entries": kept + CHANGED["entries"], "accounts": CHANGED["accounts"]}


@pytest.fixture
def classic(environment: Callable[[str], Path]) -> Callable[[str], list[str | Path]]:
    """Give the command that runs one of the programs."""
    python = environment("singer-python") / "python"
    return lambda name: [python, PROGRAMS / f"{name}.py"]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The file that the tap reads, as it is before CHANGED."""
    path = tmp_path / "ledger.json"
    path.write_bytes(dumps(FIRST))
    return path


def expect(destination: Destination, entries: list[Row], accounts: list[Row]) -> None:
    """Compare every row that stands in *destination*."""
    found = canonical(destination.rows("entries"), ENTRIES)
    assert found == canonical(entries, ENTRIES)
    found = canonical(destination.rows("accounts"), ACCOUNTS)
    assert found == canonical(accounts, ACCOUNTS)


def expect_changed(destination: Destination) -> None:
    """Compare every row after a second run: only what is new was sent, and old versions went.

    Files are appended to, so they hold both versions of what was changed or sent again.
    """
    if destination.upserts:
        expect(destination, **after(FIRST))
    else:
        expect(destination, **{name: FIRST[name] + CHANGED[name] for name in FIRST})


def settings(destination: Destination) -> Row:
    """Return the configuration under which rows that are gone at the source are removed."""
    return {**destination.config, **({"hard_delete": True} if destination.upserts else {})}


def test_a_shell_pipe_loads_what_a_classic_tap_sends(
    run: Run, tmp_path: Path, classic: Callable, ledger: Path, destination: Destination
) -> None:
    """Every value arrives; with the state that the target let out, only what is new is sent."""
    tap = [*classic("tap_ledger"), "--config", config(tmp_path, "tap", {"path": str(ledger)})]
    target = [destination.target, "--config", config(tmp_path, "target", settings(destination))]

    state = pipe(run, tap, target).state
    expect(destination, **FIRST)
    assert state["bookmarks"]["entries"] == {"updated_at": FIRST["entries"][-1]["updated_at"]}

    ledger.write_bytes(dumps(after(FIRST)))
    state = pipe(run, [*tap, "--state", config(tmp_path, "state", state)], target).state
    expect_changed(destination)
    assert state["bookmarks"]["entries"] == {"updated_at": CHANGED["entries"][-1]["updated_at"]}


def test_the_runner_loads_what_a_classic_tap_sends(
    run: Run, tmp_path: Path, classic: Callable, ledger: Path, destination: Destination
) -> None:
    """The same with `kozmo run`, which keeps the state and gives it back."""
    tap = config(tmp_path, "tap", {"path": str(ledger)})
    target = config(tmp_path, "target", settings(destination))
    command = ["kozmo", "run", shlex.join(map(str, classic("tap_ledger"))), destination.target]
    command += ["--tap-config", tap, "--target-config", target]

    done = run(command)
    assert done.code == 0, done.err
    expect(destination, **FIRST)

    ledger.write_bytes(dumps(after(FIRST)))
    done = run(command)
    assert done.code == 0, done.err
    expect_changed(destination)
