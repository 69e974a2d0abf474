"""`kozmo run`: a tap into a target, or the pipelines of a file."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Read with TAP, write with TARGET, and keep the state so that the next run goes on where
this one stopped. What the tap sends may go through one MAPPER or several. Or run the pipelines of a
file: all of them, or those that are named.

\b
  kozmo run tap-sqlite target-jsonl --tap-config path=shop.db --target-config path=out
  kozmo run tap-postgres target-sqlite --tap-config pg.json --tap-config ENV \\
      --target-config path=copy.db --streams 'public-*' --streams '!public-*.secret'
  kozmo run tap-csv map-kozmo-clean target-sqlite --tap-config path=orders.csv \\
      --mapper-config rules=rules.json --target-config path=shop.db
  kozmo run pipelines.yml orders customers

\b
A file of pipelines:
  pipelines:
    orders:
      tap: tap-postgres
      tap_config: {host: db.example.org, user: me, password: "${PG_PASSWORD}"}
      target: target-jsonl
      target_config: out.json
      streams: [public-orders, "!public-orders.secret"]
      mappers: [{mapper: map-kozmo-clean, config: {rules: rules.json}}]

Ctrl-C stops cleanly and keeps the state; a second one kills. Exit codes: 0 done, 1 failed (state
kept), 2 usage or configuration, 3 done but nothing was read where rows were expected, 130
interrupted."""


@click.command("run", help=_HELP)
@click.argument(
    "what", nargs=-1, required=True, metavar="TAP [MAPPER]... TARGET | FILE.yml [NAME]..."
)
@click.option("--tap-config", multiple=True, metavar="SOURCE", help=shared.CONFIG_HELP)
@click.option("--target-config", multiple=True, metavar="SOURCE", help="The same of the target.")
@click.option(
    "--mapper-config",
    multiple=True,
    metavar="[MAPPER:]SOURCE",
    help="The same of a mapper; where there are several it begins with the name of the one meant.",
)
@shared.streams
@shared.catalog
@click.option("--full-refresh", is_flag=True, help="Read the selected streams from the start.")
@click.option("--state-id", metavar="ID", help="Default: tap-x-to-target-y.")
@click.option(
    "--state-suffix",
    metavar="TEXT",
    default="",
    help="Added to the default id, to tell apart pipelines between the same plug-ins.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Share the streams, and large tables by key, out among N taps and targets at once.",
)
@click.option(
    "--lane",
    type=click.Choice(["auto", "text", "arrow"]),
    help="How rows go: as Singer lines, or as Arrow in a pipe beside them. auto, the default: as "
    "Arrow where both ends can.",
)
@click.option(
    "--retries",
    type=click.IntRange(0),
    metavar="N",
    help="Go on this often after a lost connection, from the last safe state, a while later each "
    "time. Default: 5.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Compare what arrived with what the source has then (see kozmo compare); exit code 1 "
    "where they differ.",
)
@shared.state_store
@shared.timeout
@click.option("--idle-timeout", metavar="SPAN", help="Stop when nothing moves for this time.")
@click.option("--report", metavar="FILE", help="Write a report as JSON.")
@click.option("--log", metavar="FILE", help="Append all that the plug-ins say on stderr.")
@click.option("--keep-going", is_flag=True, help="Of a file: run the rest when one fails.")
@click.option("--verbose", "-v", is_flag=True, help="Show all that the plug-ins say.")
@click.option("--quiet", "-q", is_flag=True, help="Show warnings and errors only.")
def command(what: tuple[str, ...], **given: Any) -> int:
    """Run one pipeline or several and return the exit code."""
    jobs = _jobs(what, given)
    with ExitStack() as stack:
        from kozmo_runner.job import NOTHING_READ
        from kozmo_runner.process import Cancel
        from kozmo_runner.signals import listening

        log = stack.enter_context(_log(given["log"])) if given["log"] else None
        cancel = stack.enter_context(listening(Cancel()))
        reports, code = [], 0
        for job in jobs:
            report, outcome = _run(job, given, log, cancel)
            failed = outcome not in (0, NOTHING_READ)
            code = outcome if failed and code in (0, NOTHING_READ) else code or outcome
            reports.append(report)
            if failed and (cancel.requests or not given["keep_going"]):
                break
    if given["report"]:
        _write(given["report"], reports)
    return code


def _run(job: Any, given: dict[str, Any], log: Any, cancel: Any) -> tuple[Any, int]:
    """Run *job*; return its report, None where it could not begin, and the exit code."""
    from kozmo_runner.display import Lines, choose_display
    from kozmo_runner.job import execute
    from kozmo_singer.errors import KozmoError
    from kozmo_singer.errors import report as show

    display = choose_display(Lines(given["verbose"], log), given["quiet"])
    display.begin(job.pipeline)
    try:
        report = execute(job, display, cancel)
    except KozmoError as error:
        display.close()
        return None, show(error)
    display.end(report)
    return report, report.exit_code


def _jobs(what: tuple[str, ...], given: dict[str, Any]) -> list[Any]:
    from kozmo_singer.errors import ConfigError

    if what[0].endswith((".yml", ".yaml")):
        from kozmo_runner.pipelines import load

        return load(what[0], list(what[1:]), _overrides(given))
    if len(what) < 2:
        raise ConfigError(
            "a run needs a tap and a target, or a file of pipelines",
            "kozmo run TAP [MAPPER]... TARGET, or: kozmo run FILE.yml",
        )
    from kozmo_runner.pipelines import job

    mappers = list(what[1:-1])
    return [job({"tap": what[0], "mappers": mappers, "target": what[-1], **_overrides(given)})]


def _overrides(given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a pipeline that were given as options."""
    said: dict[str, Any] = {
        "tap_config": list(given["tap_config"]),
        "target_config": list(given["target_config"]),
        "mapper_config": list(given["mapper_config"]),
        "streams": shared.rules(given["streams"]),
        "timeout": shared.seconds(given["timeout"]),
        "idle_timeout": shared.seconds(given["idle_timeout"]),
    }
    for name in (
        "catalog",
        "full_refresh",
        "state_id",
        "state_suffix",
        "state_store",
        "jobs",
        "lane",
        "retries",
        "verify",
    ):
        said[name] = given[name]
    return {
        name: value for name, value in said.items() if value or value == 0 and name == "retries"
    }


def _log(path: str) -> Any:
    import os

    from kozmo_singer.errors import ConfigError

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot write the log {path}: {error.strerror}") from error
    return os.fdopen(descriptor, "a", encoding="utf-8")


def _write(path: str, reports: list[Any]) -> None:
    """Write the report of one pipeline, or a list of reports."""
    import msgspec

    from kozmo_runner.home import write_private

    ran = [report for report in reports if report is not None]
    if not ran:
        return
    value = ran[0] if len(ran) == 1 else ran
    from pathlib import Path

    write_private(Path(path), msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
