"""`kozmo state`: what runs left, and changing it by hand."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from kozmo_runner.commands import options as shared

_HELP = """Look at the state that runs leave, and change it.

\b
  kozmo state list
  kozmo state get tap-sqlite-to-target-jsonl > state.json
  kozmo state set tap-sqlite-to-target-jsonl state.json
  kozmo state clear tap-sqlite-to-target-jsonl      the next run starts from the beginning"""


@click.group("state", help=_HELP)
def command() -> None:
    """Hold the subcommands together."""


@command.command("list")
@shared.state_store
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a table.")
def list_states(state_store: str | None, as_json: bool) -> None:
    """List the ids that have a state, with their last run."""
    from kozmo_runner.stores import open_store

    store = open_store(state_store)
    rows = []
    for state_id in store.ids():
        saved, holder = store.get(state_id), store.holder(state_id)
        if saved is not None:
            running = f"process {holder.pid} on {holder.host}" if holder is not None else ""
            rows.append([state_id, saved.saved_at, saved.status, running])
    heads = ["state", "saved at", "status", "running"]
    if as_json:
        shared.print_json([dict(zip(heads, row, strict=True)) for row in rows])
    elif rows:
        shared.print_table(heads, rows)
    else:
        click.echo(f"no state in {store.where}", err=True)


@command.command("get")
@click.argument("state_id")
@shared.state_store
@click.option("--run", "run_id", metavar="RUN", help="That of an older run, see: state history.")
def get(state_id: str, state_store: str | None, run_id: str | None) -> None:
    """Print a state as JSON."""
    shared.print_json(_saved(state_id, state_store, run_id).state)


@command.command("set")
@click.argument("state_id")
@click.argument("file", default="-")
@shared.state_store
@click.option("--merge", is_flag=True, help="Lay it over the present state, map by map.")
def set_state(state_id: str, file: str, state_store: str | None, merge: bool) -> None:
    """Set a state from FILE, or from stdin."""
    from kozmo_runner.stores import Saved, open_store
    from kozmo_runner.stores.base import check_id, now
    from kozmo_singer.wire.state import merge as laid_over

    value = _read(file)
    store = open_store(state_store)
    with _lock(store, check_id(state_id)) as owner:
        before = store.get(state_id)
        if merge and before is not None:
            value = laid_over(before.state, value)
        store.save(state_id, Saved(owner.run_id, now(), "set", value))
    click.echo(f"state '{state_id}' is set", err=True)


@command.command("clear")
@click.argument("state_id")
@shared.state_store
def clear(state_id: str, state_store: str | None) -> None:
    """Forget a state and its history; the next run starts from the beginning."""
    from kozmo_runner.stores import Saved, open_store
    from kozmo_runner.stores.base import now

    store = open_store(state_store)
    with _lock(store, state_id) as owner:
        if not store.clear(state_id):
            raise _missing(state_id, store)
        # Without a word here, the state that a target has committed would count as newer.
        store.save(state_id, Saved(owner.run_id, now(), "cleared", {}))
    click.echo(f"state '{state_id}' is cleared", err=True)


@command.command("history")
@click.argument("state_id")
@shared.state_store
@click.option("--json", "as_json", is_flag=True, help="With the states, as a JSON list.")
def history(state_id: str, state_store: str | None, as_json: bool) -> None:
    """List the states that the last runs left, newest first."""
    from kozmo_runner.stores import open_store
    from kozmo_runner.words import cell

    store = open_store(state_store)
    found = store.history(state_id)
    if not found:
        raise _missing(state_id, store)
    if as_json:
        import msgspec

        shared.print_json(msgspec.to_builtins(found))
        return
    rows = [[s.run_id, s.saved_at, s.status, cell(s.state, 60)] for s in found]
    shared.print_table(["run", "saved at", "status", "state"], rows)


def _saved(state_id: str, state_store: str | None, run_id: str | None) -> Any:
    from kozmo_runner.stores import open_store
    from kozmo_singer.errors import ConfigError

    store = open_store(state_store)
    found = store.history(state_id)
    if not found:
        raise _missing(state_id, store)
    if run_id is None:
        return found[0]
    for saved in found:
        if saved.run_id == run_id:
            return saved
    raise ConfigError(
        f"the state '{state_id}' has no run '{run_id}'", f"see: kozmo state history {state_id}"
    )


def _lock(store: Any, state_id: str) -> Any:
    from kozmo_runner.job import locked, new_run_id
    from kozmo_runner.stores.base import Owner

    return locked(store, state_id, Owner.me(new_run_id()))


def _missing(state_id: str, store: Any) -> Exception:
    from kozmo_singer.errors import ConfigError
    from kozmo_singer.settings import did_you_mean

    known = store.ids()
    hint = did_you_mean(state_id, known) or [f"there are: {', '.join(known[:8]) or 'none'}"]
    return ConfigError(f"there is no state '{state_id}' in {store.where}", *hint)


def _read(file: str) -> dict[str, Any]:
    from kozmo_singer.errors import ConfigError
    from kozmo_singer.settings import json_type, read_json_object

    if file != "-":
        return read_json_object(file, "state")
    try:
        value = json.load(sys.stdin)
    except ValueError as error:
        raise ConfigError(f"what stands on stdin is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"a state is a JSON object, not {json_type(value)}")
    return value
