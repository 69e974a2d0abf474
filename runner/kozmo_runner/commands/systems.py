"""`kozmo systems`: what can be read and written."""

from __future__ import annotations

import click

from kozmo_runner.commands import options as shared

_HELP = """List the taps, mappers and targets: those that installed packages declare, with what is
missing for them, and other programs on PATH that are called like one."""


@click.command("systems", help=_HELP)
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a table.")
def command(as_json: bool) -> None:
    """Print the table."""
    rows = _registered() + _others()
    heads = ["name", "what", "installed"]
    if as_json:
        shared.print_json([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        shared.print_table(heads, rows)


def _registered() -> list[list[str]]:
    from kozmo_runner.installed import homes, missing
    from kozmo_runner.plugins import KINDS, registered

    rows = []
    for kind in KINDS:
        for name, entry in registered(kind).items():
            home = homes(kind)[name]
            absent = missing(home, entry.extra) if entry.extra else ()
            install = f"pip install '{home}[{entry.extra}]'"
            rows.append([name, entry.summary, install if absent else "yes"])
    return rows


def _others() -> list[list[str]]:
    from kozmo_runner.plugins import KINDS, on_path, registered

    known = {name for kind in KINDS for name in registered(kind)}
    return [[name, path, "on PATH"] for name, path in on_path().items() if name not in known]
