"""`kozmo compare`: does a target hold what the source has?"""

from __future__ import annotations

from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Compare the rows of TAP's streams with what TARGET holds of them: how many there are, and
whether their values are the same, in whatever order. Or do so for the pipelines of a file.

\b
  kozmo compare tap-postgres target-postgres --tap-config shop.json --target-config copy.json
  kozmo compare tap-sqlite target-jsonl orders --tap-config path=shop.db --target-config path=out
  kozmo compare pipelines.yml orders

The rows of the source are those that it has now, whatever a bookmark says: a stream to which the
target only adds, or in which it keeps what is gone from the source, will differ. What a target adds
itself (_sdc_ columns, rows that it marked as deleted) does not count.

Databases add up their rows themselves where both ends can; other rows are read. Exit codes:
0 equal, 1 not equal or one side cannot be read, 2 usage or configuration, 130 interrupted."""


@click.command("compare", help=_HELP)
@click.argument(
    "what", nargs=-1, required=True, metavar="TAP TARGET [STREAM]... | FILE.yml [NAME]..."
)
@click.option("--tap-config", multiple=True, metavar="SOURCE", help=shared.CONFIG_HELP)
@click.option("--target-config", multiple=True, metavar="SOURCE", help="The same of the target.")
@shared.streams
@shared.catalog
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A table, or a JSON list of streams.",
)
def command(what: tuple[str, ...], form: str, **given: Any) -> int:
    """Print what was found and return the exit code."""
    from kozmo_runner.comparing import compare_plugs

    jobs = _jobs(what, given)
    found: list[Any] = shared.interruptible(
        lambda cancel: [
            each
            for job in jobs
            for each in compare_plugs(
                job.tap, job.target, job.tap_config, job.target_config, job.streams, job.catalog,
                cancel,
            )
        ]
    )  # fmt: skip
    if form == "json":
        import msgspec

        shared.print_json(msgspec.to_builtins(found))
    else:
        _show(found)
    return 0 if all(each.equal for each in found) else 1


def _jobs(what: tuple[str, ...], given: dict[str, Any]) -> list[Any]:
    from kozmo_runner.pipelines import job, load
    from kozmo_singer.errors import ConfigError

    said: dict[str, Any] = {
        "tap_config": list(given["tap_config"]),
        "target_config": list(given["target_config"]),
        "streams": shared.rules(given["streams"]),
        "catalog": given["catalog"],
    }
    said = {name: value for name, value in said.items() if value}
    if what[0].endswith((".yml", ".yaml")):
        return load(what[0], list(what[1:]), said)
    if len(what) < 2:
        raise ConfigError(
            "to compare takes a tap and a target, or a file of pipelines",
            "kozmo compare TAP TARGET [STREAM]..., or: kozmo compare FILE.yml",
        )
    streams = [*said.pop("streams", ()), *what[2:]]
    return [job({"tap": what[0], "target": what[1], "streams": streams, **said})]


def _show(found: list[Any]) -> None:
    from kozmo_runner.words import cell, number

    rows = []
    for each in found:
        verdict = each.verdict
        if each.missing:
            verdict = f"{verdict}: {', '.join(each.missing)}"
        counts = (number(each.source_rows), number(each.target_rows))
        rows.append([cell(each.name, 60), *counts, cell(verdict, 80)])
    if rows:
        shared.print_table(["stream", "source", "target", "verdict"], rows, right=(1, 2))
    else:
        click.echo("no stream is selected, so nothing was compared", err=True)
