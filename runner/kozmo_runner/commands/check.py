"""`kozmo check`: does a tap or a target reach its system?"""

from __future__ import annotations

import click

from kozmo_runner.commands import options as shared

_HELP = """Connect as TAP or TARGET would, and say in words what works and what does not.

\b
  kozmo check tap-postgres -c pg.json
  kozmo check target-jsonl -c path=out"""


@click.command("check", help=_HELP)
@click.argument("plugin", metavar="TAP|TARGET")
@shared.config
@shared.timeout
def command(plugin: str, config: tuple[str, ...], timeout: str | None) -> None:
    """Print one line about what was reached."""
    from kozmo_runner import api

    seconds = shared.seconds(timeout) or 120.0
    said = shared.interruptible(
        lambda cancel: api.check(plugin, list(config), timeout=seconds, cancel=cancel)
    )
    click.echo(f"ok: {said}")
