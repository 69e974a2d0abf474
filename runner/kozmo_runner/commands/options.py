"""Arguments that several subcommands share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

CONFIG_HELP = (
    "A JSON file, NAME=VALUE (NAME:=JSON for an exact value), or ENV for variables such as "
    "TAP_SQLITE_PATH. Repeat it; later ones win. For secrets use a file or ENV: a shell's "
    "history and `ps` show what stands here."
)

config = click.option(
    "--config",
    "-c",
    "--tap-config",
    "--target-config",
    "config",
    multiple=True,
    metavar="SOURCE",
    help=CONFIG_HELP,
)
streams = click.option(
    "--streams",
    "-s",
    multiple=True,
    metavar="RULE",
    help="Streams to read: orders, 'public-*', orders.id (a column), '!orders.secret' (not this "
    "one). Repeat it, or separate by commas; later ones win.",
)
catalog = click.option(
    "--catalog",
    metavar="FILE",
    help="The streams and their selection, as `kozmo discover` and `kozmo select` print them.",
)
state_store = click.option(
    "--state-store",
    envvar="KOZMO_STATE_STORE",
    metavar="WHERE",
    help="Where state is kept: a .db file, a folder, a SQLAlchemy URL, an fsspec URL such as "
    "s3://bucket/state, or none. Default: state.db in KOZMO_HOME or your data folder; the "
    "variable KOZMO_STATE_STORE sets it for good.",
)
timeout = click.option(
    "--timeout", metavar="SPAN", help="Stop after this time: 90, 15m, 2h. State is kept."
)


def rules(given: Sequence[str]) -> list[str]:
    """Return the rules of --streams, those in one word separated."""
    return [rule.strip() for part in given for rule in part.split(",") if rule.strip()]


def seconds(text: str | None) -> float | None:
    """Return what a time span in an option means."""
    from kozmo_runner.words import duration

    return None if text is None else duration(text)


def load_catalog(path: str | None) -> Any:
    """Return the catalog of --catalog, None without it."""
    if path is None:
        return None
    from kozmo_singer.wire.catalog import Catalog

    return Catalog.load(path)


def print_json(value: Any) -> None:
    """Print *value* for people and programs alike."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    """Print a table: drawn on a terminal, in plain columns elsewhere."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        from kozmo_runner.words import table

        click.echo(table(heads, rows, right))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for i, head in enumerate(heads):
        drawn.add_column(Text(head), justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(text) for text in row))
    Console(highlight=False).print(drawn)


def interruptible(work: Callable[[Any], Any]) -> Any:
    """Return *work*(cancel) with Ctrl-C and SIGTERM turned into a clean end of the plug-in."""
    from kozmo_runner.process import Cancel
    from kozmo_runner.signals import listening

    with listening(Cancel()) as cancel:
        return work(cancel)
