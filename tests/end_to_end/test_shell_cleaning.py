"""map-kozmo-clean in plain shell pipes, between taps and targets of ours and of others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Run
from destinations import DESTINATIONS, PEERS, canonical
from kozmo_bridge.cleaner import Rules
from kozmo_singer.wire.encode import dumps
from piping import config, pipe
from project import ROOT
from servers.postgres import Database
from sources import SOURCES

CLEAN = "map-kozmo-clean"
FIXTURES = ROOT / "tests" / "fixtures"
TARGETS = {**DESTINATIONS, **PEERS}


@pytest.mark.parametrize("target", ["target-postgres", "target-sqlite", *PEERS])
@pytest.mark.parametrize("tap", ["tap-postgres", "tap-sqlite"])
def test_rows_are_cleaned_on_their_way(
    run: Run,
    tmp_path: Path,
    postgres: Database,
    environment: Callable[[str], Path],
    tap: str,
    target: str,
) -> None:
    """Every other value arrives exactly; with the state that came out, only new rows are sent."""
    environment("singer-python")
    source = SOURCES[tap](tmp_path, postgres)
    destination = TARGETS[target](tmp_path, postgres)
    read = [tap, "--config", config(tmp_path, "tap", source.config)]
    rules = {"rules": [{"action": "uppercase", "columns": ["customer"]}]}
    clean = [CLEAN, "--config", config(tmp_path, "clean", rules)]
    write = [*destination.command, "--config", config(tmp_path, "target", destination.config)]

    def expected() -> Any:
        rows = [{**row, "customer": upper(row["customer"])} for row in source.rows]
        return canonical(rows, source.kinds)

    state = pipe(run, read, write, clean).state
    assert canonical(destination.rows(source.stream), source.kinds) == expected()

    read += ["--state", config(tmp_path, "state", state)]
    source.insert([source.row(1000), source.row(1001)])
    assert pipe(run, read, write, clean).state != state
    assert canonical(destination.rows(source.stream), source.kinds) == expected()


def upper(text: str | None) -> str | None:
    """Return text in upper case, as polars has it."""
    return None if text is None else text.upper()


def products(first: int, last: int, pad: str) -> list[Any]:
    """Rows for the tap of the SDK."""
    return [
        {"id": i, "seen": f"2024-03-01T10:{i:02}:00+00:00", "name": f"{pad}thing {i}"}
        for i in range(first, last)
    ]


def test_taps_of_the_sdk_leave_what_was_learned_alone(run: Run, tmp_path: Path) -> None:
    """The rules stand in the bookmark of the stream, and hold in the next run."""
    shop = tmp_path / "shop.json"
    shop.write_bytes(dumps(products(0, 20, "  ")))
    program = [BIN / "python", FIXTURES / "sdk" / "tap_shop.py"]
    tap = [*program, "--config", config(tmp_path, "tap", {"path": str(shop)})]
    _learns_and_goes_on(run, tmp_path, tap, "products", "name", shop, products)


def entries(first: int, last: int, pad: str) -> Any:
    """Rows for the tap of singer-python."""
    others = dict.fromkeys(("amount", "rate", "booked", "open", "note", "tags", "details"))
    found = [
        {**others, "id": i, "account": f"{pad}name {i}", "updated_at": f"2024-03-01T10:{i:02}:00Z"}
        for i in range(first, last)
    ]
    return {"entries": found, "accounts": []}


def test_taps_of_singer_python_leave_what_was_learned_alone(
    run: Run, tmp_path: Path, environment: Callable[[str], Path]
) -> None:
    """As those of the SDK."""
    ledger = tmp_path / "ledger.json"
    ledger.write_bytes(dumps(entries(0, 20, "  ")))
    program = [environment("singer-python") / "python", FIXTURES / "singer_python/tap_ledger.py"]
    tap = [*program, "--config", config(tmp_path, "tap", {"path": str(ledger)})]
    _learns_and_goes_on(run, tmp_path, tap, "entries", "account", ledger, entries)


def _learns_and_goes_on(
    run: Run,
    tmp_path: Path,
    tap: list[Any],
    stream: str,
    column: str,
    path: Path,
    rows: Callable[[int, int, str], Any],
) -> None:
    """Rows with white space teach a rule, which the next run has although its first rows do not."""
    destination = DESTINATIONS["target-sqlite"](tmp_path, None)
    clean = [CLEAN, "--config", config(tmp_path, "clean", {"auto": True})]
    write = ["target-sqlite", "--config", config(tmp_path, "target", destination.config)]
    state = pipe(run, tap, write, clean).state
    rules = state["bookmarks"][stream]["kozmo_clean"]["rules"]
    assert {"action": "trim_whitespace", "columns": [column]} in rules
    kept = config(tmp_path, "state", state)
    old, new = rows(0, 20, "  "), rows(20, 40, "")
    last = rows(40, 41, "  ")
    whole = (
        [*old, *new, *last] if isinstance(old, list)
        else {**old, stream: [*old[stream], *new[stream], *last[stream]]}
    )  # fmt: skip
    path.write_bytes(dumps(whole))
    after = pipe(run, [*tap, "--state", kept], write, [*clean, "--state", kept]).state
    assert after["bookmarks"][stream]["kozmo_clean"]["rules"] == rules
    found = {row["id"]: row[column] for row in destination.rows(stream)}
    assert len(found) == 41
    assert [value for value in found.values() if value.startswith(" ")] == []


def test_batches_of_the_sdk_are_cleaned(run: Run, tmp_path: Path) -> None:
    """Rows in files of JSON Lines become records."""
    shop = tmp_path / "shop.json"
    shop.write_bytes(dumps(products(0, 20, "  ")))
    (tmp_path / "batches").mkdir()
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tmp_path / 'batches'}"},
    }
    settings = {"path": str(shop), "batch_config": batches}
    program = [BIN / "python", FIXTURES / "sdk" / "tap_shop.py"]
    rules = {"rules": [{"action": "trim_whitespace"}]}
    given = b"".join(
        run([*program, "--config", config(tmp_path, "tap", settings)]).out.splitlines(True)
    )
    assert b'"BATCH"' in given
    done = run([CLEAN, "--config", config(tmp_path, "clean", rules)], given)
    assert done.code == 0, done.err
    messages = [json.loads(line) for line in done.out.splitlines()]
    names = [m["record"]["name"] for m in messages if m["type"] == "RECORD"]
    assert names == [f"thing {i}" for i in range(20)]


def test_a_mapper_whose_reader_ended_says_so(run: Run, tmp_path: Path) -> None:
    """In one line, without a traceback."""
    source = tmp_path / "many.jsonl"
    schema = {"type": "SCHEMA", "stream": "s", "key_properties": [],
              "schema": {"properties": {"a": {"type": "string"}}}}  # fmt: skip
    line = b'{"type":"RECORD","stream":"s","record":{"a":" x"}}\n'
    source.write_bytes(dumps(schema) + b"\n" + line * 200_000)
    rules = config(tmp_path, "clean", {"rules": [{"action": "trim_whitespace"}]})
    script = f"{CLEAN} --config {rules} --input {source} | head -1 >/dev/null"
    done = run(["bash", "-c", f"{script}; exit ${{PIPESTATUS[0]}}"])
    assert (done.code, done.err) == (
        1, "Error: map-kozmo-clean stopped: the program it writes to has ended\n",
    )  # fmt: skip


def test_rules_that_were_saved_are_a_configuration(run: Run) -> None:
    """map-kozmo-clean --config rules.json, with the file that kozmo clean wrote, and --learn."""
    rows = [b'{"type":"SCHEMA","stream":"a","schema":{"properties":{"n":{"type":"string"}}},'
            b'"key_properties":[]}']  # fmt: skip
    rows += [b'{"type":"RECORD","stream":"a","record":{"n":" %d "}}' % i for i in range(30)]
    path = run.folder / "rules.json"
    path.write_text(Rules.of([{"action": "trim_whitespace", "columns": ["n"]}]).to_json())
    trimmed = run(["map-kozmo-clean", "--config", path], b"\n".join(rows) + b"\n")
    assert b'"record":{"n":"7"}' in trimmed.out
    learned = run(["map-kozmo-clean", "--learn", "20"], b"\n".join(rows) + b"\n")
    assert b'"record":{"n":7}' in learned.out
