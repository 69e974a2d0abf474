"""State ids as names of files: any id gives a name that stays in its folder."""

from __future__ import annotations

from urllib.parse import quote, unquote


def file_name(state_id: str) -> str:
    """Return a file name for *state_id*, unlike that of any other id."""
    name = quote(state_id, safe="-_ :@+=,")
    return "%2E" + name[1:] if name.startswith(".") else name


def state_id_of(name: str) -> str:
    """Return the id whose `file_name` is *name*."""
    return unquote(name)


def entry_name(number: int, run_id: str) -> str:
    """Return the file name of a run's state; names sort by age."""
    return f"{number:08d}-{quote(run_id, safe='')}.json"


def entry_number(name: str) -> int:
    """Return the number in an `entry_name`."""
    return int(name.partition("-")[0])


def entry_run(name: str) -> str:
    """Return the run in an `entry_name`."""
    return unquote(name.partition("-")[2].removesuffix(".json"))
