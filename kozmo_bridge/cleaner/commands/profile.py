"""`kozmo profile`: what is in there, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Show what a file or a stream holds: of each column the kind, the gaps, the values, and
what is wrong with it; what is remarkable, and what could be done about it.

SOURCE is a file of any format that tap-files reads (CSV, Parquet, JSON Lines, JSON, Excel, Arrow,
Avro, ORC, XML, packed or not, here or in a store such as s3://bucket/orders.csv) or a tap.

\b
  kozmo profile orders.csv
  kozmo profile orders.csv --html orders.html
  kozmo profile shop.xlsx shop-Orders --json
  kozmo profile tap-postgres public-orders -c pg.json --rows 100000
  kozmo profile big.parquet --sample 50000

Next: kozmo clean orders.csv --suggest"""


@click.command("profile", help=_HELP)
@click.argument("source")
@click.argument("stream", required=False)
@shared.config
@click.option("--rows", "-n", type=click.IntRange(1), help="Look at the first N rows only.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Look at N rows of all.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page to look at.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    source: str,
    stream: str | None,
    config: tuple[str, ...],
    rows: int | None,
    sample: int | None,
    html: str | None,
    as_json: bool,
) -> None:
    """Print the profile."""
    found = shared.interruptible(
        lambda cancel: _profile(source, stream, list(config), rows, sample, cancel)
    )
    if html is not None:
        Path(html).write_text(found.to_html(), encoding="utf-8")
        click.echo(f"wrote {html}", err=True)
    if as_json:
        shared.print_json(found.to_dict())
    elif html is None:
        from rich.console import Console

        from kozmo_bridge.cleaner.report import terminal

        terminal(found, Console(highlight=False))


def _profile(
    what: str,
    stream: str | None,
    config: list[Any],
    rows: int | None,
    sample: int | None,
    cancel: Any,
) -> Any:
    from kozmo_bridge.cleaner.commands.showing import progress
    from kozmo_bridge.cleaner.commands.source import attempts, sampled, source_of
    from kozmo_bridge.cleaner.profiling import profile

    source = source_of(what, stream, config, None, cancel)

    def look() -> Any:
        with progress(f"reading {source.name}") as tell:
            frames = source.frames(cancel, rows, tell)
            if sample is None:
                return profile(frames, source=source.name)
            return profile(sampled(frames, sample), source=source.name)

    return attempts(source, look)
