"""`kozmo clean`: what could be done to a file or a stream, and doing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Put a file right, or a stream of a tap. First look at what is suggested, then apply it:

\b
  kozmo clean orders.csv --suggest
  kozmo clean orders.csv --apply -o clean.csv
  kozmo clean orders.csv --apply --risk lossy -o clean.parquet
  kozmo clean orders.csv --suggest --save-rules rules.json
  kozmo clean new.csv --check --rules rules.json
  kozmo clean new.csv --apply --rules rules.json --in-place
  kozmo clean tap-postgres public-orders -c pg.json --apply -o orders.parquet

Without --rules the suggestions up to --risk are applied; safe ones, the default, lose nothing: they
drop no row, no column and no value. What is written has the format of its ending. The file that is
read is only ever replaced with --in-place. Rows go through one after the other, however many there
are, unless a rule has to see the whole table, such as sort."""


@click.command("clean", help=_HELP)
@click.argument("source")
@click.argument("stream", required=False)
@shared.config
@click.option("--suggest", is_flag=True, help="Print what could be done.")
@click.option("--apply", "do", is_flag=True, help="Write the rows clean, and print what changed.")
@click.option("--check", is_flag=True, help="Say where the rows no longer fit the rules.")
@click.option("--rules", metavar="FILE", default="auto", help="Rules to apply. Default: auto.")
@click.option(
    "--risk",
    type=click.Choice(["safe", "lossy", "destructive"]),
    help="How far suggestions go that are applied or saved. Default: safe, and of --suggest all.",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="The file to write.")
@click.option("--in-place", is_flag=True, help="Replace the file that is read.")
@click.option("--save-rules", type=click.Path(dir_okay=False), help="Write the rules as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(source: str, stream: str | None, **given: Any) -> int:
    """Suggest, check or apply; 1 where the check found something."""
    _expect_sense(given)
    work: Any = shared.interruptible(lambda cancel: _work(source, stream, given, cancel))
    return int(work)


def _expect_sense(given: dict[str, Any]) -> None:
    from kozmo_singer.errors import ConfigError

    chosen = [name for name in ("suggest", "do", "check") if given[name]]
    if len(chosen) != 1:
        raise ConfigError("say one of --suggest, --apply and --check", "see: kozmo clean --help")
    if given["check"] and given["rules"] == "auto":
        raise ConfigError("--check needs the rules that were made before: --rules rules.json")
    if given["do"] and bool(given["output"]) == given["in_place"]:
        raise ConfigError("say where to write: --output FILE, or --in-place to replace the file")


def _work(what: str, stream: str | None, given: dict[str, Any], cancel: Any) -> int:
    from kozmo_bridge.cleaner.commands.applying import Applying
    from kozmo_bridge.cleaner.commands.source import attempts, source_of

    source = source_of(what, stream, list(given["config"]), None, cancel)
    job = Applying(source, given["rules"], given["risk"], cancel)
    if given["check"]:
        return _show_drift(attempts(source, job.drift), given["as_json"])
    if given["suggest"]:
        found = attempts(source, job.suggestions)
        _save(given["save_rules"], job.rules if given["save_rules"] else None)
        _show_suggestions(found, given["as_json"])
        return 0
    target = job.target(given["output"], given["in_place"])
    log = attempts(source, lambda: job.apply(target))
    for name in job.missing:
        click.echo(f"Warning: '{name}' is missing: its rules were left out", err=True)
    _save(given["save_rules"], job.rules)
    _show_changes(log, target, given["as_json"])
    return 0


def _save(path: str | None, rules: Any) -> None:
    if path is not None:
        Path(path).write_text(rules.to_json(), encoding="utf-8")
        click.echo(f"wrote {path}: {len(rules)} rules", err=True)


def _show_suggestions(found: Any, as_json: bool) -> None:
    if as_json:
        shared.print_json([each.to_dict() for each in found])
    elif found:
        from kozmo_bridge.cleaner.commands.showing import suggestions

        suggestions(found)
    else:
        click.echo("there is nothing to suggest")


def _show_drift(found: Any, as_json: bool) -> int:
    if as_json:
        from kozmo_bridge.cleaner.plain import plain

        click.echo(json.dumps(plain(found), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(each.text for each in found) or "the rules fit")
    return 1 if found else 0


def _show_changes(log: dict[str, Any], target: Path, as_json: bool) -> None:
    if as_json:
        shared.print_json({"output": str(target), **log})
        return
    from kozmo_bridge.cleaner.commands.showing import changes
    from kozmo_bridge.cleaner.insights import plural

    changes(log["log"])
    for fault in log["faults"]:
        where = f"column {fault['column']}, " if fault["column"] else ""
        click.echo(f"Warning: {where}rule {fault['step']} ({fault['action']}): {fault['why']}",
                   err=True)  # fmt: skip
    cells = sum(each["cells"] for each in log["log"])
    click.echo(f"wrote {target}: {plural(log['rows'], 'row')}, {plural(cells, 'cell')} changed")
