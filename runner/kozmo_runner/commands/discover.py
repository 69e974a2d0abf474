"""`kozmo discover`: the catalog of a tap."""

from __future__ import annotations

from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Print what TAP can read, as a catalog in JSON, or as a table with --list.

\b
  kozmo discover tap-sqlite -c path=shop.db --list
  kozmo discover tap-postgres -c pg.json > catalog.json"""


@click.command("discover", help=_HELP)
@click.argument("tap")
@shared.config
@click.option("--list", "as_list", is_flag=True, help="A table of the streams instead.")
@shared.timeout
def command(tap: str, config: tuple[str, ...], as_list: bool, timeout: str | None) -> None:
    """Print a catalog."""
    from kozmo_runner import api

    seconds = shared.seconds(timeout) or 600.0
    catalog = shared.interruptible(
        lambda cancel: api.discover(tap, list(config), timeout=seconds, cancel=cancel)
    )
    if as_list:
        list_streams(catalog)
    else:
        shared.print_json(catalog.to_dict())


def list_streams(catalog: Any, selection: bool = False) -> None:
    """Print the streams of *catalog* as a table; with *selection* what of them is selected."""
    from kozmo_runner.words import cell, number

    heads = ["stream", "columns", "key", "replication", "rows"]
    rows = []
    for stream in catalog.streams:
        columns = stream.schema.get("properties") or {}
        shown = str(len(columns))
        if selection:
            shown = f"{len(stream.selected_columns())} of {len(columns)}"
        way = stream.replication_method or ""
        if stream.replication_key:
            way = f"{way} {stream.replication_key}".strip()
        rows.append(
            [
                cell(stream.tap_stream_id, 60),
                shown,
                cell(", ".join(stream.key_properties), 30),
                cell(way, 40),
                number(stream.row_count),
            ]
        )
    if selection:
        heads.insert(0, "")
        rows = [
            ["x" if s.selected else "", *row] for s, row in zip(catalog.streams, rows, strict=True)
        ]
    right = (1, 4) if not selection else (2, 5)
    shared.print_table(heads, rows, right)
