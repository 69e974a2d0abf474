"""`kozmo preview`: the first rows of a stream."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Show the first rows of STREAM, by default of the first one that has any, then stop TAP.

\b
  kozmo preview tap-sqlite -c path=shop.db
  kozmo preview tap-postgres public-orders -c pg.json -n 20
  kozmo preview tap-postgres public-orders -c pg.json --json"""


@click.command("preview", help=_HELP)
@click.argument("tap")
@click.argument("stream", required=False)
@click.option("--rows", "-n", type=click.IntRange(1), default=10, show_default=True)
@shared.config
@shared.catalog
@click.option("--json", "as_json", is_flag=True, help="A JSON object a row, whole and exact.")
def command(
    tap: str,
    stream: str | None,
    rows: int,
    config: tuple[str, ...],
    catalog: str | None,
    as_json: bool,
) -> None:
    """Print the rows."""
    found = shared.interruptible(
        lambda cancel: _read(tap, list(config), stream, rows, shared.load_catalog(catalog), cancel)
    )
    if found is None:
        click.echo(f"{stream or tap} has no rows", err=True)
    elif as_json:
        for record in found.records:
            click.echo(record.decode())
    else:
        _show(found, stream)


class _Found:
    """The rows of a stream, and the names of the streams that there are."""

    def __init__(self, name: str, columns: list[str], others: list[str]) -> None:
        self.name, self.columns, self.others = name, columns, others
        self.tuples: list[tuple[Any, ...]] = []
        self.records: list[bytes] = []


def _read(
    tap: str, config: list[str], stream: str | None, limit: int, catalog: Any, cancel: Any
) -> _Found | None:
    from kozmo_runner import api
    from kozmo_runner.process import Interrupted
    from kozmo_singer.wire.decode import Reader

    rules = [stream] if stream is not None else []
    with api.stream(
        tap, config, streams=rules, catalog=catalog, limit=limit, cancel=cancel
    ) as reading:
        others = [s.tap_stream_id for s in reading.catalog.streams] if reading.catalog else []
        found = _first(Reader(reading.stdout.fileno()), limit, others)
        if cancel.requests:
            raise Interrupted(f"stopped: {cancel.why}")
        if found is None or len(found.tuples) < limit:
            reading.wait()
        return found


def _first(messages: Iterable[Any], limit: int, others: list[str]) -> _Found | None:
    """The first *limit* rows of the first stream that has any."""
    from kozmo_singer.wire.messages import Schema
    from kozmo_singer.wire.rows import Rows

    schemas: dict[str, list[str]] = {}
    found: _Found | None = None
    for message in messages:
        if isinstance(message, Schema):
            schemas[message.stream] = [column.name for column in message.columns]
        if not isinstance(message, Rows) or (found and message.stream != found.name):
            continue
        found = found or _Found(message.stream, schemas[message.stream], others)
        left = limit - len(found.tuples)
        found.tuples += message.tuples()[:left]
        found.records += message.records()[:left]
        if len(found.tuples) >= limit:
            break
    return found


def _show(found: _Found, asked: str | None) -> None:
    from kozmo_runner.words import cell

    width = 30 if sys.stdout.isatty() else 60
    rows = [[cell(value, width) for value in row] for row in found.tuples]
    numbers = [
        i
        for i in range(len(found.columns))
        if all(_is_number(row[i]) for row in found.tuples)
        and any(row[i] is not None for row in found.tuples)
    ]
    shown, hidden = _fitting(found.columns, rows)
    shared.print_table(
        [found.columns[i] for i in shown],
        [[row[i] for i in shown] for row in rows],
        [at for at, i in enumerate(shown) if i in numbers],
    )
    if hidden:
        click.echo(f"and {len(hidden)} more columns: {cell(', '.join(hidden), 200)}", err=True)
    if asked is None:
        _hint(found)


def _fitting(columns: list[str], rows: list[list[str]]) -> tuple[list[int], list[str]]:
    """The columns for which the terminal has room, and the names of the others."""
    if not sys.stdout.isatty():
        return list(range(len(columns))), []
    room = os.get_terminal_size(sys.stdout.fileno()).columns
    shown: list[int] = []
    for i, name in enumerate(columns):
        room -= 3 + max(len(name), *(len(row[i]) for row in rows))
        if room < 0 and shown:
            break
        shown.append(i)
    return shown, columns[len(shown) :]


def _hint(found: _Found) -> None:
    others = [name for name in found.others if name != found.name]
    if others:
        more = f" and {len(others) - 8} more" if len(others) > 8 else ""
        click.echo(f"stream {found.name}; others: {', '.join(others[:8])}{more}", err=True)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) or type(value).__name__ == "Decimal")
