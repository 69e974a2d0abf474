"""Bad records in files of their own, from which they can be loaded once they are repaired."""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import ConfigError, RecordError, WriteError
from kozmo_singer.metrics import metric_line
from kozmo_singer.settings import Setting
from kozmo_singer.wire.encode import dumps, schema_line
from kozmo_targets.files.lines import file_name, prepare_folder, sync_folder

if TYPE_CHECKING:
    from kozmo_singer.wire.messages import Schema
    from kozmo_singer.wire.rows import Refuse, Rows

SETTINGS = (
    Setting(
        "on_bad_record",
        "What becomes of a record that cannot be read or stored. fail: the run ends, with what "
        "came before loaded and its state told. quarantine: it goes to a file, for `kozmo replay`",
        default="fail",
        choices=("fail", "quarantine"),
    ),
    Setting(
        "max_bad_records",
        "With quarantine: how many records may be set aside before the run fails; a number, or a "
        "share of all records such as 1%",
        default="1000",
    ),
    Setting(
        "quarantine_path",
        "With quarantine: folder for the files, one STREAM.jsonl a stream; made if need be",
        default="quarantine",
    ),
)
REMEDY = "to set such records aside and go on: on_bad_record: quarantine"
UNKNOWN = "unknown"
"""The file of lines that name no stream."""
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*%|(\d+)")
_MISFIT = re.compile(r"expected (.*?), got (.*)", re.DOTALL)
_FEW = 10_000
"""A share is one of at least so many records, but for the one at the end."""
_MOST_BYTES = 8 << 20
"""Entries wait for so many bytes at most, or until a state is told."""
_log = logging.getLogger("kozmo_targets")


def chosen(plugin: str, config: Mapping[str, Any]) -> Quarantine | None:
    """Return the quarantine that *config* asks for; None where a bad record ends the run."""
    found = _LIMIT.fullmatch(config["max_bad_records"].strip())
    if found is None:
        raise ConfigError(
            f"{plugin}: setting 'max_bad_records' must be a number or a share such as 1%, "
            f"got '{config['max_bad_records']}'"
        )
    if config["on_bad_record"] == "fail":
        return None
    share = None if found[1] is None else float(found[1]) / 100
    limit = int(found[2] or 0)
    return Quarantine(plugin, Path(config["quarantine_path"]).expanduser(), limit, share)


def sift(rows: Rows, take: Callable[[Rows], None], refuse: Refuse) -> None:
    """Give *rows* to *take*, which takes them all or raises RecordError; and the bad to *refuse*.

    Whichever are bad, and however many, are found by halves.
    """
    try:
        take(rows)
    except RecordError as error:
        if len(rows) == 1:
            refuse(error, rows.block)
            return
        middle = len(rows) // 2
        sift(rows.part(0, middle), take, refuse)
        sift(rows.part(middle, len(rows)), take, refuse)


class Quarantine:
    """Takes bad records; they are durable after `flush`, which comes before each state is told.

    *seen* is how many records there were, good or bad: whoever takes them counts them.
    """

    def __init__(self, plugin: str, folder: Path, limit: int, share: float | None) -> None:
        self.seen = 0
        self._plugin, self._folder = plugin, folder
        self._limit, self._share = limit, share
        self._schemas: dict[str, bytes] = {}
        self._in_file: dict[str, dict[str, bytes]] = {}
        self._pending: dict[str, list[bytes]] = {}
        self._size = 0
        self._new: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    @property
    def is_full(self) -> bool:
        """Whether more records were bad than the user bears."""
        return self._counts.total() > self._bearable(max(self.seen, _FEW))

    @property
    def is_full_at_end(self) -> bool:
        """The same once all records have been seen."""
        return self._counts.total() > self._bearable(self.seen)

    def know(self, schema: Schema) -> None:
        """Note the SCHEMA that the stream's records have from now on."""
        self._schemas[schema.stream] = schema_line(
            schema.stream, schema.schema, schema.key_properties, schema.bookmark_properties or ()
        )

    def count(self, error: RecordError) -> None:
        """Count a bad record; whether it goes to a file is for others to say."""
        name = error.stream or UNKNOWN
        self._counts[name] += 1
        # Words, since an error holds on to all that was at hand when it was raised.
        self._first.setdefault(name, error.details[0])

    def take(self, error: RecordError, line: bytes) -> None:
        """Set aside the record or other text in *line*, with the reason."""
        name = error.stream or UNKNOWN
        entry = dumps(_entry(error, line)) + b"\n"
        self._pending.setdefault(name, []).extend([*self._missing_schemas(error.stream), entry])
        self._size += len(entry)
        self._new[name] += 1
        self.count(error)
        if self._size > _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Make durable what was taken so far."""
        if not self._pending:
            return
        prepare_folder(self._folder, "quarantine_path")
        for name, lines in self._pending.items():
            self._append(self._path(name), b"".join(lines))
        sync_folder(self._folder)
        self._pending, self._size = {}, 0
        told = "".join(
            metric_line("quarantined", n, name, file=str(self._path(name)))
            for name, n in self._new.items()
        )
        self._new.clear()
        with suppress(OSError):
            sys.stderr.write(told)
            sys.stderr.flush()

    def too_many(self, loaded: str = "what came before is") -> WriteError:
        """Return the error that ends a run with too many bad records."""
        most = f"{self._share:.3%}" if self._share is not None else str(self._limit)
        most = re.sub(r"\.?0+%", "%", most)
        return WriteError(
            f"{self._counts.total()} of {self.seen} records are bad, and max_bad_records is {most}",
            *[f"{self._path(name)}: {self._first[name]}" for name in list(self._counts)[:2]],
            f"{loaded} loaded; correct the source, or raise max_bad_records",
        )

    def close(self) -> None:
        """Tell the user what was set aside, and what can be done about it."""
        for name, count in self._counts.items():
            records = "record is" if count == 1 else "records are"
            _log.warning(
                "stream %s: %d bad %s in %s; the first: %s; once repaired: "
                "kozmo replay %s %s --config ...",
                name, count, records, self._path(name), self._first[name], self._path(name),
                self._plugin,
            )  # fmt: skip

    def _bearable(self, seen: int) -> float:
        return self._limit if self._share is None else self._share * seen

    def _path(self, name: str) -> Path:
        return self._folder / f"{file_name(name)}.jsonl"

    def _missing_schemas(self, stream: str | None) -> list[bytes]:
        """The SCHEMA messages that are needed before the next entry; all for an unknown stream."""
        there = self._in_file.setdefault(stream or UNKNOWN, {})
        wanted = self._schemas if stream is None else {stream: self._schemas.get(stream)}
        missing = {s: line for s, line in wanted.items() if line and there.get(s) != line}
        there.update(missing)
        return list(missing.values())

    def _append(self, path: Path, data: bytes) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with _errors(path):
            fd = os.open(path, flags, 0o600)
            with os.fdopen(fd, "r+b", buffering=0) as file:
                # Other targets of the same run may set aside records of the same stream.
                fcntl.flock(fd, fcntl.LOCK_EX)
                size = os.fstat(fd).st_size
                if size and os.pread(fd, 1, size - 1) != b"\n":
                    data = b"\n" + data
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
                os.fsync(fd)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"cannot set bad records aside in {path}",
            error.strerror or str(error),
            "check the setting quarantine_path",
        ) from error


def _entry(error: RecordError, line: bytes) -> dict[str, Any]:
    misfit = _MISFIT.fullmatch(error.reason)
    expected, got = misfit.groups() if misfit else (None, None)
    entry: dict[str, Any] = {
        "stream": error.stream or None,
        "line": error.line,
        "path": error.path,
        "expected": expected,
        "got": got,
        "reason": "; ".join((error.reason, *error.details[1:])),
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    try:
        entry["raw"] = line.decode()
    except UnicodeDecodeError:
        entry["raw_base64"] = base64.b64encode(line).decode()
    return entry
