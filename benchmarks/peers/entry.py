"""What an entry of the suite is: its environments, and the commands that do a task."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset

from places import absent
from servers.postgres import Database

LANDED = "landed"
ALL_MODES = ("upsert", "again", "append", "read")


@dataclass(frozen=True)
class Task:
    """A table to copy into the schema "landed", which is empty but when the mode is again.

    upsert and again write by the key, append writes into a new table, read only reads. *port* is
    where the source is to be read, if it is not the database's own.
    """

    data: Dataset
    source: str
    rows: int
    mode: str
    database: Database
    folder: Path
    port: int | None = None

    @property
    def table(self) -> str:
        """The table to read, with its schema."""
        return f"{self.source}.{self.data.name}"

    def written(self, name: str, value: Any) -> str:
        """Write *value* as JSON to a file of that name, and return its path."""
        path = self.folder / name
        path.write_text(json.dumps(value))
        return str(path)


@dataclass(frozen=True)
class Work:
    """Commands joined by pipes, the table in which their rows land, the file that is read."""

    pipe: list[list[str]]
    landed: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    stdin: str = os.devnull


def always() -> None:
    """Nothing is missing."""


@dataclass(frozen=True)
class Peer:
    """An entry of the suite.

    Of a slow one's table only a part is run: its rows divided by `share`. A row that differs ends
    the suite if the entry is `exact`, else it is counted.
    """

    name: str
    prepare: Callable[[Task], Work]
    environments: tuple[str, ...] = ()
    modes: tuple[str, ...] = ("upsert", "append")
    share: int = 1
    exact: bool = False
    lacking: Callable[[], str | None] = always

    def missing(self) -> str | None:
        """Return why this peer cannot run, or None."""
        reasons = [absent(each) for each in self.environments]
        return next(filter(None, reasons), None) or self.lacking()
