"""`kozmo count`: rows of each stream."""

from __future__ import annotations

import click

from kozmo_runner.commands import options as shared

_HELP = """Count the rows of TAP's streams. A tap of another house has no short way: it is run, and
its records are counted and thrown away.

\b
  kozmo count tap-sqlite -c path=shop.db
  kozmo count tap-postgres -c pg.json --streams 'public-*' --json"""


@click.command("count", help=_HELP)
@click.argument("tap")
@shared.config
@shared.streams
@shared.catalog
@click.option("--json", "as_json", is_flag=True, help="One JSON object: stream to rows.")
def command(
    tap: str,
    config: tuple[str, ...],
    streams: tuple[str, ...],
    catalog: str | None,
    as_json: bool,
) -> None:
    """Print the counts."""
    from kozmo_runner import api
    from kozmo_runner.words import cell, number

    counts = shared.interruptible(
        lambda cancel: api.count(
            tap,
            list(config),
            streams=shared.rules(streams),
            catalog=shared.load_catalog(catalog),
            cancel=cancel,
        )
    )
    if as_json:
        shared.print_json(counts)
        return
    rows = [[cell(name, 60), number(count)] for name, count in counts.items()]
    if len(rows) > 1:
        rows.append(["total", number(sum(counts.values()))])
    shared.print_table(["stream", "rows"], rows, right=[1])
