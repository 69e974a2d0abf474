"""`kozmo select`: which streams and columns of a catalog are read."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kozmo_runner.commands import options as shared

_HELP = """Apply RULES to a catalog, and print it or change it in place. WHAT is a catalog's file,
or a tap, whose catalog is discovered.

\b
  kozmo select catalog.json orders customers            these streams, all columns
  kozmo select catalog.json 'orders.*' '!orders.secret' all columns but one
  kozmo select catalog.json orders.id orders.total      two columns (keys come with them)
  kozmo select catalog.json '!logs'                     everything but one stream
  kozmo select catalog.json orders --in-place
  kozmo select tap-sqlite -c path=shop.db '*' > catalog.json

Rules take * and ?; later ones win. Without rules the catalog is shown as it is."""


@click.command("select", help=_HELP)
@click.argument("what")
@click.argument("rules", nargs=-1)
@shared.config
@click.option("--in-place", "-i", is_flag=True, help="Change the file instead of printing it.")
@click.option("--list", "as_list", is_flag=True, help="A table of what is selected instead.")
def command(
    what: str, rules: tuple[str, ...], config: tuple[str, ...], in_place: bool, as_list: bool
) -> None:
    """Change or print a selection."""
    from kozmo_runner import api
    from kozmo_runner.commands.discover import list_streams
    from kozmo_singer.errors import ConfigError
    from kozmo_singer.wire.catalog import Catalog, select

    is_file = what.endswith(".json") or (Path(what).is_file() and not config)
    if is_file:
        catalog = Catalog.load(what)
    else:
        catalog = shared.interruptible(
            lambda cancel: api.discover(what, list(config), cancel=cancel)
        )
    if rules:
        catalog = select(catalog, shared.rules(rules))
    if in_place:
        if not is_file:
            raise ConfigError("--in-place needs the file of a catalog", f"{what} is a tap")
        Path(what).write_text(json.dumps(catalog.to_dict(), indent=2) + "\n", encoding="utf-8")
    if as_list or in_place:
        list_streams(catalog, selection=True)
    else:
        shared.print_json(catalog.to_dict())
