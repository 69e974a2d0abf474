"""`kozmo replay`: repaired records of a quarantine file into a target."""

from __future__ import annotations

from pathlib import Path

import click

from kozmo_runner.commands import options as shared

_HELP = """Load the records of FILE, which a target set aside as bad, once you have repaired them.

\b
  kozmo run tap-sqlite target-postgres --tap-config path=shop.db \\
      --target-config pg.json --target-config on_bad_record=quarantine
  "$EDITOR" quarantine/orders.jsonl
  kozmo replay quarantine/orders.jsonl target-postgres --config pg.json
  rm quarantine/orders.jsonl

Each line of FILE is a bad record: "raw" is its message as it came, "reason", "path", "expected" and
"got" say what is wrong with it. Correct what stands in raw; instead of the text with its escapes
you may put the message there as it is: "raw": {"type": "RECORD", ...}. Delete the lines that you
do not want. The SCHEMA messages in FILE are needed; if it was the schema that was wrong, correct
that.

The records are loaded in their order, beside the rows that are there, by key where the stream has
one: without a key a second replay of FILE doubles them. FILE is checked as a whole before anything
is sent, and stays as it is. No state is read or written. A record that is still bad ends the
replay, or is set aside again if the target is told so (on_bad_record=quarantine), in the folder
again/ beside FILE.

\b
Exit codes: 0 all were loaded, 1 some were not, 2 FILE or the configuration is wrong."""


@click.command("replay", help=_HELP)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("target")
@shared.config
def command(file: Path, target: str, config: tuple[str, ...]) -> int:
    """Replay the file and return the exit code."""
    from kozmo_runner.replaying import replay
    from kozmo_runner.words import number

    done = shared.interruptible(lambda cancel: replay(file, target, list(config), _Shown(), cancel))
    loaded = done.sent - done.bad
    click.echo(f"{number(loaded)} of {number(done.sent)} records loaded into {target}")
    return 1 if done.bad else 0


class _Shown:
    """Shows warnings of the target; its error is told by the replay itself."""

    def tick(self, progress: object) -> None:
        return

    def line(self, name: str, text: str) -> None:
        from kozmo_runner.speech import level
        from kozmo_runner.words import cell

        if level(text) == "warning":
            click.echo(f"{name} | {cell(text, 500)}", err=True)
