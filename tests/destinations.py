"""Targets as places to read rows back from, whatever form each gives to a value."""

from __future__ import annotations

import json
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from psycopg.rows import dict_row

from commands import BIN
from project import ROOT
from servers.postgres import Database

Row = dict[str, Any]
SCHEMA = "copied"
FIXTURES = ROOT / "tests" / "fixtures"


class Destination(ABC):
    """A target with the configuration that points it at an empty place of the test's own."""

    target: str
    config: dict[str, Any]
    upserts = True

    @property
    def command(self) -> list[str | Path]:
        """The program, without its configuration."""
        return [self.target]

    @abstractmethod
    def rows(self, stream: str) -> list[Row]:
        """Return all rows of *stream* as they stand there; none if it was never written."""


class Postgres(Destination):
    """Tables in a schema of their own, so that the same database can be read from as well."""

    target = "target-postgres"

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.config = {**database.config, "default_target_schema": SCHEMA}

    def rows(self, stream: str) -> list[Row]:
        table = f'"{SCHEMA}"."{stream.rpartition("-")[2]}"'
        with closing(self.database.connect(row_factory=dict_row)) as connection:
            found = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
            query = f"SELECT * FROM {table}".encode()
            return connection.execute(query).fetchall() if found["to_regclass"] else []


class Sqlite(Destination):
    """Tables of a file."""

    target = "target-sqlite"

    def __init__(self, folder: Path, database: Database) -> None:
        self.config = {"path": str(folder / "destination.db")}

    def rows(self, stream: str) -> list[Row]:
        table = stream.rpartition("-")[2]
        with closing(sqlite3.connect(self.config["path"])) as connection:
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
            except sqlite3.OperationalError as error:
                assert "no such table" in str(error)
                return []


class Lines(Destination):
    """Files of JSON Lines, to which a second run appends."""

    target = "target-jsonl"
    setting = "path"
    upserts = False

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder / "destination"
        self.config = {self.setting: str(self.folder)}

    def rows(self, stream: str) -> list[Row]:
        return read_lines(self.folder / f"{quote(stream, safe='')}.jsonl")


class Kozmo(Lines):
    """Files of Data objects, one a line."""

    target = "target-kozmo"
    setting = "output"

    def rows(self, stream: str) -> list[Row]:
        return [row["data"] for row in super().rows(stream)]


class Files(Destination):
    """A folder of files a stream, to which a second run adds files."""

    upserts = False
    settings: Mapping[str, Any] = {}

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder / "destination"
        self.config = {"path": str(self.folder), **self.settings}

    def rows(self, stream: str) -> list[Row]:
        folder = self.folder / quote(stream, safe="")
        return [row for path in sorted(folder.glob("[!.]*")) for row in self.read(path)]

    @abstractmethod
    def read(self, path: Path) -> list[Row]:
        """Return the rows of one file."""


class Parquet(Files):
    """Files of Parquet."""

    target = "target-parquet"

    def read(self, path: Path) -> list[Row]:
        import pyarrow.parquet

        return list(pyarrow.parquet.read_table(path).to_pylist())


class Csv(Files):
    """Files of CSV, in which only numbers, true and false have no quotes, and nothing is null."""

    target = "target-csv"
    settings = {"quoting": "text"}

    def read(self, path: Path) -> list[Row]:
        header, *rows = cells(path.read_bytes().decode())
        names = [name for name, _ in header]
        return [dict(zip(names, map(_told, row), strict=True)) for row in rows]


class Sdk(Lines):
    """The files of a target on Meltano's SDK."""

    target = "target-folder"
    setting = "folder"

    @property
    def command(self) -> list[str | Path]:
        return [BIN / "python", FIXTURES / "sdk" / "target_folder.py"]


class Classic(Lines):
    """The files of a target written with singer-python."""

    target = "target-lines"
    setting = "folder"

    @property
    def command(self) -> list[str | Path]:
        python = ROOT / ".envs" / "singer-python" / "bin" / "python"
        return [python, FIXTURES / "singer_python" / "target_lines.py"]


DESTINATIONS: dict[str, type[Destination]] = {
    kind.target: kind for kind in (Postgres, Sqlite, Lines, Kozmo, Parquet, Csv)
}


"""Ours."""
PEERS: dict[str, type[Destination]] = {kind.target: kind for kind in (Sdk, Classic)}
"""Those of others."""


def read_lines(path: Path) -> list[Row]:
    """Return the objects of a JSON Lines file, numbers with a point as Decimal; [] without it."""
    if not path.exists():
        return []
    return [json.loads(line, parse_float=Decimal) for line in path.read_bytes().split(b"\n")[:-1]]


_CELL = re.compile(r'("(?:[^"]|"")*"|[^",\r\n]*)([,\n])')


def cells(text: str) -> list[list[tuple[str, bool]]]:
    """Return the rows of a CSV as cells, and whether each was quoted: Python's reader cannot."""
    rows: list[list[tuple[str, bool]]] = [[]]
    at = 0
    while at < len(text):
        found = _CELL.match(text, at)
        assert found is not None, f"no CSV: {text[at : at + 60]!r}"
        at, cell = found.end(), found[1]
        quoted = cell.startswith('"')
        rows[-1].append((cell[1:-1].replace('""', '"') if quoted else cell, quoted))
        if found[2] == "\n":
            rows.append([])
    return rows[:-1]


def _told(cell: tuple[str, bool]) -> Any:
    text, quoted = cell
    if quoted or text in ("NaN", "Infinity", "-Infinity"):
        return text
    return json.loads(text, parse_float=Decimal) if text else None


def canonical(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> list[Row]:
    """Return *rows* with each value in the one Python form that its kind has, sorted by them all.

    *kinds* maps each column to a key of FORMS; a moment has a zone, what is local has none. Other
    columns must be metadata of the target's.
    """
    for row in rows:
        beside = {name for name in row if name not in kinds and not name.startswith("_sdc_")}
        assert not beside, f"columns that nobody asked for: {beside}"
    found = [{name: _form(kind, row[name]) for name, kind in kinds.items()} for row in rows]
    return sorted(found, key=repr)


def _form(kind: str, value: Any) -> Any:
    return None if value is None else FORMS[kind](value)


def _integer(value: Any) -> int:
    assert value == int(value), value
    return int(value)


def _text(value: Any) -> str:
    assert isinstance(value, str), value
    return value


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    assert value.tzinfo is not None, f"a moment without zone: {value}"
    return value.astimezone(timezone.utc)


def _local(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    # Plain JSON Schema has no moment without a zone, so it travels as one in UTC.
    assert value.utcoffset() in (None, timedelta(0)), value
    return value.replace(tzinfo=None)


def _time(value: Any) -> time:
    return value if isinstance(value, time) else datetime.strptime(value, "%H:%M:%S").time()


def _binary(value: Any) -> bytes:
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def _truth(value: Any) -> bool:
    assert value in (0, 1), value
    return bool(value)


FORMS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "text": _text,
    "decimal": lambda value: Decimal(str(value)),
    "boolean": _truth,
    "date": lambda value: date.fromisoformat(str(value)),
    "moment": _moment,
    "time": _time,
    "fine time": lambda value: time.fromisoformat(str(value)),
    "local": _local,
    "binary": _binary,
    "float": float,
    "uuid": lambda value: UUID(str(value)),
    "json": lambda value: json.loads(value) if isinstance(value, str) else value,
}
