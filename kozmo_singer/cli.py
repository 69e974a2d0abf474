"""The command line of taps, mappers and targets; errors are shown here and nowhere else."""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from typing import Any, BinaryIO, TextIO

import click

from kozmo_singer import __version__
from kozmo_singer.errors import (
    RETRYABLE,
    ConfigError,
    KozmoError,
    MissingDriver,
    WriteError,
    report,
    scrub,
)
from kozmo_singer.metrics import metric_line
from kozmo_singer.plugin import Plugin, about_text, stopping
from kozmo_singer.scripts import Entry
from kozmo_singer.secrets import forms
from kozmo_singer.settings import Setting, groups, load_config, read_json_object, secrets_of
from kozmo_singer.wire.catalog import Catalog

_INTERRUPTED = 130


def main(name: str, entry: Entry, arguments: list[str] | None = None) -> int:
    """Run plug-in *name* and return its exit code.

    0 done, 1 failed (state saved), 2 usage or configuration, 130 interrupted.
    """
    hidden: list[str] = []
    # Whoever writes there: a log, a warning, the traceback of a thread.
    with redirect_stderr(Masked(sys.stderr, hidden)):
        try:
            return _run(name, entry, arguments, hidden)
        finally:
            stopping.done()


def _run(name: str, entry: Entry, arguments: list[str] | None, hidden: list[str]) -> int:
    try:
        plugin = _load(entry)
        command = _COMMANDS[name.partition("-")[0]]
        command(plugin, hidden).main(arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.UsageError as error:
        hint = f"see: {name} --help"
        return report(ConfigError(error.format_message(), hint))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package.startswith("kozmo"):
            raise
        return report(MissingDriver(name, _distribution(package), entry.extra))
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except KozmoError as error:
        if error.retryable:
            sys.stderr.write(metric_line(RETRYABLE, 1))
        return report(error)
    except Exception as error:  # noqa: BLE001 - the edge: whatever it is, the user reads one line
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        return report(error)
    return _INTERRUPTED if stopping.requested else 0


def _load(entry: Entry) -> type[Plugin]:
    module, _, attribute = entry.target.partition(":")
    plugin: type[Plugin] = getattr(importlib.import_module(module), attribute)
    return plugin


def _distribution(package: str) -> str:
    return {"yaml": "pyyaml", "singer_sdk": "singer-sdk"}.get(package, package)


def _tap_command(plugin: Any, hidden: list[str]) -> click.Command:
    def run(**options: Any) -> None:
        if _answered(plugin, options):
            return
        tap = _configured(plugin, options, hidden)
        state = read_json_object(options["state"], "state") if options["state"] else {}
        if options["check"]:
            click.echo(tap.check())
        elif options["discover"]:
            click.echo(json.dumps(tap.discover().to_dict(), indent=2))
        elif options["test"]:
            tap.test(options["test"])
        else:
            path = options["catalog"] or options["properties"]
            catalog = Catalog.load(path) if path else tap.discover()
            if options["count"]:
                click.echo(json.dumps(tap.count(catalog)))
                return
            if options.get("digest"):
                click.echo(json.dumps(tap.digest(catalog)))
                return
            if options.get("ranges"):
                found = tap.ranges(catalog, state.get("value", state), options["ranges"])
                click.echo(json.dumps(found))
                return
            with _stdout() as out:
                tap.sync(catalog, state.get("value", state), out, limit=options["limit"])

    path = click.Path(dir_okay=False)
    ranges = click.Option(
        ["--ranges"],
        type=click.IntRange(2),
        metavar="N",
        help="Print where each full table can be cut into N ranges of its key, as JSON.",
    )
    digest = click.Option(
        ["--digest"],
        is_flag=True,
        help="Print rows and hash of each selected stream, as the database adds them up.",
    )
    return _command(
        plugin,
        run,
        click.Option(["--discover", "-d"], is_flag=True, help="Print the catalog and exit."),
        click.Option(["--catalog"], type=path, help="What to read: a catalog with selections."),
        click.Option(["--properties", "-p"], type=path, help="The older name of --catalog."),
        click.Option(["--state", "-s"], type=path, help="Where the last run stopped."),
        click.Option(["--limit"], type=click.IntRange(1), help="Read at most N rows a stream."),
        click.Option(["--count"], is_flag=True, help="Print the rows of each selected stream."),
        click.Option(
            ["--test"],
            is_flag=False,
            flag_value="records",
            help="Read a record of every stream; --test=schema checks the schemas only.",
            type=click.Choice(["all", "records", "schema"]),
        ),
        *([ranges] if "key-ranges" in plugin.capabilities else []),
        *([digest] if "digest" in plugin.capabilities else []),
    )


def _target_command(plugin: Any, hidden: list[str]) -> click.Command:
    def run(**options: Any) -> None:
        if _answered(plugin, options):
            return
        target = _configured(plugin, options, hidden)
        if options["run"]:
            target.note = _note(options["run"])
        if options["check"]:
            click.echo(target.check())
        elif options.get("committed_state"):
            click.echo(_committed(target.committed(options["committed_state"]), options["format"]))
        elif options.get("read_back"):
            with io.BufferedWriter(_stdout()) as out:
                target.read_back(Catalog.load(options["read_back"]), out)
        elif options["input"]:
            with _open(options["input"]) as source:
                work(target, source.fileno(), options)
        elif sys.stdin.isatty():
            raise ConfigError(
                f"{plugin.name} reads Singer messages from a pipe",
                f"try: TAP --config TAP.json | {plugin.name} --config CONFIG.json",
            )
        else:
            work(target, sys.stdin.fileno(), options)

    def work(target: Any, source: int, options: dict[str, Any]) -> None:
        if options.get("plan"):
            _print_plan(target.plan(source), options["format"])
        else:
            with _stdout() as out:
                target.run(source, out)

    path = click.Path(dir_okay=False)
    plan = click.Option(
        ["--plan"],
        is_flag=True,
        help="Print what a load of the input would do to the tables, and do none of it.",
    )
    committed = click.Option(
        ["--committed-state"],
        metavar="ID",
        help="Print the state that was committed with the rows of a state_id, for a tap's --state.",
    )
    back = click.Option(
        ["--read-back"],
        type=path,
        metavar="CATALOG",
        help="Write what is there of the catalog's streams, or say which tap reads them.",
    )
    return _command(
        plugin,
        run,
        click.Option(["--input"], type=path, help="Read FILE, not stdin."),
        click.Option(["--run"], type=path, hidden=True, help="What a runner tells, as JSON."),
        *([committed] if "exactly-once" in plugin.capabilities else []),
        *([plan] if "plan" in plugin.capabilities else []),
        *([back] if {"read-back", "read-back-by-tap"} & {*plugin.capabilities} else []),
    )


def _mapper_command(plugin: Any, hidden: list[str]) -> click.Command:
    def run(**options: Any) -> None:
        if _answered(plugin, options):
            return
        mapper = _configured(plugin, options, hidden)
        state = read_json_object(options["state"], "state") if options["state"] else {}
        state = state.get("value", state)
        if options["check"]:
            click.echo(mapper.check())
        elif options["input"]:
            with _open(options["input"]) as source, _stdout() as out:
                mapper.run(source.fileno(), out, state)
        elif sys.stdin.isatty():
            raise ConfigError(
                f"{plugin.name} reads Singer messages from a pipe",
                f"try: TAP --config TAP.json | {plugin.name} --config CONFIG.json | TARGET",
            )
        else:
            with _stdout() as out:
                mapper.run(sys.stdin.fileno(), out, state)

    path = click.Path(dir_okay=False)
    return _command(
        plugin,
        run,
        click.Option(["--input"], type=path, help="A file of messages instead of the pipe."),
        click.Option(["--state", "-s"], type=path, help="The state that the tap is given, too."),
        *(
            click.Option([f"--{each.name}"], type=click.IntRange(1), metavar="N", help=each.help)
            for each in plugin.shortcuts
        ),
    )


_COMMANDS = {"tap": _tap_command, "map": _mapper_command, "target": _target_command}


def _print_plan(plan: Any, format: str | None) -> None:
    """Print a plan, then raise the error with which the load would end, if it would."""
    click.echo(plan.words() if format == "text" else plan.to_json(), nl=format == "text")
    if plan.error:
        raise WriteError(*plan.error)


def _note(path: str) -> Any:
    import msgspec

    from kozmo_singer.wire.committed import RunNote

    return msgspec.convert(read_json_object(path, "run"), RunNote)


def _committed(found: list[Any], format: str) -> str:
    """The state as a tap takes it; with --format=json what is known of it too."""
    import msgspec

    from kozmo_singer.wire.committed import joined

    return json.dumps(msgspec.to_builtins(found) if format == "json" else joined(found, {}))


def _command(plugin: Any, run: Callable[..., None], *options: click.Option) -> click.Command:
    common = [
        click.Option(
            ["--config", "-c"],
            multiple=True,
            metavar="FILE",
            help="A JSON file; ENV reads the environment. Repeat it to merge; later ones win.",
        ),
        *options,
        click.Option(["--check"], is_flag=True, help="Connect, say what was found, and exit."),
        click.Option(["--about"], is_flag=True, help="Describe the settings and exit."),
        click.Option(
            ["--format"],
            type=click.Choice(["text", "json", "markdown"]),
            help="How --about or a committed state is printed, else as text; a plan, else as json.",
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
            default="info",
            help="What to log on standard error.",
        ),
        click.Option(["--version"], is_flag=True, help="Print the version and exit."),
    ]
    return _Command(
        plugin.name, params=list(common), callback=run, help=plugin.summary + ".", plugin=plugin
    )


class _Command(click.Command):
    """Help that goes on with the settings and with commands to try."""

    def __init__(self, *args: Any, plugin: type[Plugin], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plugin = plugin

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # Click would end the process without a word.
            name = self.plugin.name
            raise KozmoError(f"{name} stopped: the program it writes to has ended") from error

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Settings (in the JSON of --config)"):
            for group, settings in groups(self.plugin.settings).items():
                if group:
                    formatter.write(f"\n  {group}:\n")
                formatter.write_dl([(s.name, _described(s)) for s in settings])
        if self.plugin.examples:
            with formatter.section("Try"):
                for example in self.plugin.examples:
                    formatter.write(f"  {example}\n")


def _described(setting: Setting) -> str:
    notes = ["required"] if setting.required else []
    if setting.default is not None:
        notes.append(f"default {json.dumps(setting.default)}")
    if setting.choices:
        notes.append("one of " + ", ".join(setting.choices))
    return setting.description + (f" ({'; '.join(notes)})" if notes else "")


def _answered(plugin: type[Plugin], options: dict[str, Any]) -> bool:
    """What needs no configuration."""
    if options["version"]:
        click.echo(f"{plugin.name} {__version__}")
    elif options["about"]:
        click.echo(about_text(plugin, options["format"] or "text"))
    else:
        return False
    return True


def _configured(plugin: type[Plugin], options: dict[str, Any], hidden: list[str]) -> Any:
    config = load_config(plugin.name, plugin.settings, options["config"])
    for shortcut in plugin.shortcuts:
        if options[shortcut.name] is not None:
            config.update(shortcut.settings(options[shortcut.name]))
    hidden += forms(secrets_of(plugin.settings, config))
    made = plugin(config)
    hidden += forms(made.secrets)
    _log(options["log_level"].upper())
    stopping.listen()
    return made


def _log(level: str) -> None:
    form = "%(levelname)s %(message)s"
    logging.basicConfig(level=level, stream=sys.stderr, format=form, force=True)


class Masked:
    """Standard error without *secrets*, to which more may be added later."""

    def __init__(self, err: TextIO, secrets: Sequence[str]) -> None:
        self._err, self._secrets = err, secrets

    def write(self, text: str) -> int:
        """Write *text*, a line or less of it."""
        return self._err.write(scrub(text, self._secrets))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._err, name)


def _open(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise ConfigError(f"cannot read input file {path}: {error.strerror}") from error


def _stdout() -> io.FileIO:
    """Standard output without a buffer of its own: engines write whole pieces."""
    return io.FileIO(1, "w", closefd=False)
