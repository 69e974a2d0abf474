"""The `kozmo` command. Each subcommand's module is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import click

from kozmo_singer import __version__
from kozmo_singer.errors import ConfigError, MissingDriver, report
from kozmo_singer.scripts import Entry

_COMMANDS = {
    "run": "Read with a tap, write with a target, keep the state.",
    "discover": "Print what a tap can read, as a catalog.",
    "select": "Choose streams and columns of a catalog.",
    "preview": "Show the first rows of a stream.",
    "check": "Connect, and say in words what works and what not.",
    "compare": "Tell whether a target holds what a tap's source has.",
    "count": "Count the rows of a tap's streams.",
    "replay": "Load bad records that were set aside, once they are repaired.",
    "state": "Look at the state of runs, and change it.",
    "systems": "List the taps, mappers and targets that there are.",
    "doctor": "Look at this installation.",
}
_HELP = """Move rows with Singer taps and targets: read one system, write another, go on next time
where the last run stopped.

\b
  kozmo systems                                  what there is
  kozmo check tap-sqlite -c path=shop.db         does it answer?
  kozmo preview tap-sqlite orders -c path=shop.db
  kozmo run tap-sqlite target-jsonl --tap-config path=shop.db --target-config path=out
  kozmo run pipelines.yml                        the same, kept in a file

Taps and targets are commands: those of kozmo-singer, and any other Singer program on PATH or
given by its path."""
_INTERRUPTED = 130


@cache
def _added() -> Mapping[str, Entry]:
    """The commands that installed packages declare, by name; imports none of them."""
    from importlib.metadata import entry_points

    found: dict[str, Entry] = {}
    for point in entry_points(group="kozmo.commands"):
        found.update(point.load())
    return found


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *_added()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, attribute = f"kozmo_runner.commands.{cmd_name}", "command"
        if cmd_name not in _COMMANDS:
            entry = _added().get(cmd_name)
            if entry is None:
                return None
            module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        added = {name: entry.summary for name, entry in _added().items()}
        with formatter.section("Commands"):
            formatter.write_dl(list({**_COMMANDS, **added}.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and name not in _added() and not name.startswith("-"):
            from kozmo_singer.settings import did_you_mean

            raise ConfigError(
                f"there is no command '{name}'",
                *did_you_mean(name, self.list_commands(ctx)),
                "see: kozmo --help",
            )
        return super().resolve_command(ctx, args)


def run_command_line(arguments: list[str]) -> int:
    """Run `kozmo` with *arguments* and return its exit code; errors are shown here."""
    try:
        code = _group().main(arguments, prog_name="kozmo", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return ConfigError.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "kozmo"
        return report(ConfigError(error.format_message(), f"see: {path} --help"))
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except ModuleNotFoundError as error:
        entry = _added().get(arguments[0]) if arguments else None
        if entry is None or (error.name or "").startswith("kozmo"):
            return report(error)
        return report(MissingDriver(f"kozmo {arguments[0]}", error.name or "", entry.extra))
    except BrokenPipeError:
        _silence_stdout()
        return 1
    except Exception as error:  # noqa: BLE001 - the edge: whatever it is, the user reads one line
        return report(error)
    return code if isinstance(code, int) else 0


def _group() -> click.Group:
    group = _Commands(
        "kozmo",
        help=_HELP,
        context_settings={"help_option_names": ["--help", "-h"]},
        no_args_is_help=True,
    )
    return click.version_option(__version__, message="%(prog)s %(version)s")(group)


def _silence_stdout() -> None:
    """Keep Python from a second complaint when it flushes a pipe that nobody reads."""
    import os
    import sys

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def options(*decorators: Any) -> Any:
    """Return the decorators as one, in their order."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
