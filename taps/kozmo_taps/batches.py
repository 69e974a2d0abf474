"""Rows that leave a tap in files, of which BATCH messages tell: the setting batch_config.

Files hold what the RECORD messages would have held, so the tap's own lines are what they are made
of: with stream maps or without, in whatever form a source spells its values.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast
from uuid import uuid4

import msgspec

from kozmo_singer.errors import ConfigError, MissingDriver, ReadError, WriteError
from kozmo_singer.settings import did_you_mean, json_type
from kozmo_singer.wire import Column, LogicalType, Reader, Rows, Schema, dumps
from kozmo_singer.wire.batches import local_path
from kozmo_singer.wire.rows import decimal, text_of

if TYPE_CHECKING:
    from kozmo_taps.tap import Lines, Row

BATCH_SIZE = 10_000
"""The rows of a file where batch_size does not say: as many as with Meltano's SDK."""
FILE_BYTES = 32 << 20
"""A file is written when so many bytes, as JSON, wait for it."""
COMPRESSIONS = {
    "arrow": ("none",),
    "jsonl": ("gzip", "none"),
    "parquet": ("snappy", "gzip", "none"),
}
"""What each format may be compressed with; the first is what is meant where nothing is said."""
_KEYS: dict[str, tuple[str, ...]] = {
    "": ("encoding", "storage", "batch_size"),
    "encoding": ("format", "compression"),
    "storage": ("root", "prefix", "params"),
}


@dataclass(frozen=True)
class BatchConfig:
    """What the setting batch_config says, checked."""

    format: str
    compression: str
    root: str
    prefix: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    rows: int = BATCH_SIZE


def batch_config(plugin: str, given: Mapping[str, Any]) -> BatchConfig:
    """Return the setting *given*; ConfigError says what is wrong with it."""
    _check_keys(plugin, "", given)
    encoding, storage = (_object(plugin, given, name) for name in ("encoding", "storage"))
    format = _choice(plugin, "encoding.format", encoding.get("format"), COMPRESSIONS)
    allowed = COMPRESSIONS[format]
    compression = encoding.get("compression") or allowed[0]
    _choice(plugin, f"encoding.compression of {format}", compression, allowed)
    root, prefix = storage.get("root"), storage.get("prefix") or ""
    if not isinstance(root, str) or not root or root == "file://":
        raise _wrong(plugin, "storage.root", "must say where files go, as file:///tmp/batches does")
    if not isinstance(prefix, str) or ".." in prefix.split("/") or prefix.startswith("/"):
        raise _wrong(plugin, "storage.prefix", "must be the beginning of names within storage.root")
    rows = given.get("batch_size") or BATCH_SIZE
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
        raise _wrong(plugin, "batch_size", "must be a number of rows, at least 1")
    params = _object(plugin, storage, "params")
    return BatchConfig(format, compression, root, prefix, params, rows)


def _object(plugin: str, given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name) or {}
    if not isinstance(found, Mapping):
        raise _wrong(plugin, name, f"must be an object, not {json_type(found)}")
    if name in _KEYS:
        _check_keys(plugin, name, found)
    return found


def _check_keys(plugin: str, name: str, given: Mapping[str, Any]) -> None:
    for key in given:
        if key not in _KEYS[name]:
            hint = did_you_mean(key, _KEYS[name])
            raise _wrong(plugin, f"{name}.{key}".lstrip("."), "is not known", *hint)


def _choice(plugin: str, name: str, value: Any, choices: Sequence[str] | Mapping[str, Any]) -> str:
    if not isinstance(value, str) or value not in choices:
        got = "nothing" if value is None else f"'{value}'"
        raise _wrong(plugin, name, f"must be one of {', '.join(choices)}; got {got}")
    return str(value)


def _wrong(plugin: str, name: str, why: str, *details: str) -> ConfigError:
    return ConfigError(f"{plugin}: in setting 'batch_config', {name} {why}", *details)


@dataclass
class _Waiting:
    """Rows of one stream that wait for their file."""

    columns: Sequence[Column]
    parts: list[Any] = field(default_factory=list)
    rows: int = 0
    size: int = 0
    largest: int = 0
    version: int | None = None
    extracted: str | None = None


class BatchLines:
    """The messages of a reading whose rows are written into files, which hold no more than asked.

    Whatever *lines* says but RECORD messages is passed on.
    """

    def __init__(self, lines: Lines, config: BatchConfig) -> None:
        self._lines, self._config = lines, config
        self._pieces: list[bytes] = []
        self._reader = Reader(cast("Any", self))
        self._streams: dict[str, _Waiting] = {}
        self._part, self._write = _FORMATS[config.format]

    @property
    def waiting(self) -> bool:
        """Whether rows wait for their file: no STATE may cover them."""
        return any(stream.rows for stream in self._streams.values())

    def schema(self) -> bytes:
        """Return the SCHEMA messages."""
        text = self._lines.schema()
        for message in self._messages(text):
            if isinstance(message, Schema):
                self._streams[message.stream] = _Waiting(message.columns)
        return text

    def records(self, rows: Sequence[Row], extracted: str | None) -> bytes:
        """Return a BATCH message for each file that *rows* completed, if any."""
        for message in self._messages(self._lines.records(rows, extracted)):
            if isinstance(message, Rows):
                self._take(message)
        most = self._config.rows
        full = any(
            s.rows + s.largest > most or s.size >= FILE_BYTES for s in self._streams.values()
        )
        return self.flush() if full else b""

    def flush(self) -> bytes:
        """Return the BATCH messages of all rows that wait."""
        return b"".join(
            self._batch(stream, waiting, file)
            for stream, waiting in self._streams.items()
            for file in self._files(waiting)
        )

    def activate(self, version: int) -> bytes:
        """Return the ACTIVATE_VERSION messages."""
        return self._lines.activate(version)

    def read(self, _: int) -> bytes:
        """Give the reader what there is to read."""
        return self._pieces.pop() if self._pieces else b""

    def _messages(self, text: bytes) -> Iterator[Any]:
        self._pieces.append(text)
        yield from self._reader

    def _take(self, rows: Rows) -> None:
        waiting = self._streams[rows.stream]
        if not waiting.rows:
            waiting.version, waiting.extracted = rows.versions[0], rows.extracted[0]
        try:
            waiting.parts.append(self._part(waiting.columns, rows))
        except UnicodeEncodeError as error:
            raise ReadError(
                f"cannot write stream {rows.stream} as {self._config.format}",
                "a text holds half of a character, which UTF-8 has no form for",
                "the format jsonl can write it",
            ) from error
        waiting.rows += len(rows)
        waiting.size += rows.size
        waiting.largest = max(waiting.largest, len(rows))

    def _files(self, waiting: _Waiting) -> Iterator[list[Any]]:
        """Yield what waits, file by file: parts of one shape, and no more rows than asked."""
        parts, waiting.parts, waiting.rows, waiting.size = waiting.parts, [], 0, 0
        file: list[Any] = []
        room = self._config.rows
        for part in parts:
            at = 0
            while at < len(part):
                if file and (not room or _shape(part) != _shape(file[0])):
                    yield file
                    file, room = [], self._config.rows
                file.append(part[at : at + room])
                at += len(file[-1])
                room -= len(file[-1])
        if file:
            yield file

    def _batch(self, stream: str, waiting: _Waiting, parts: list[Any]) -> bytes:
        config = self._config
        kind = (
            "jsonl.gz"
            if (config.format, config.compression) == ("jsonl", "gzip")
            else config.format
        )
        # No name of a stream leads out of the folder, or is one that a system does not take.
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stream)[:80]
        name = f"{config.prefix}{plain}-{uuid4().hex}.{kind}"
        try:
            with _created(config, name) as (file, url):
                self._write(file, parts, config.compression)
        except OSError as error:
            raise WriteError(
                f"cannot write a batch of stream {stream}",
                f"{config.root}, {name}: {error.strerror or error}",
            ) from error
        message = {
            "type": "BATCH",
            "stream": stream,
            "encoding": {"format": config.format, "compression": config.compression},
            "manifest": [url],
            "version": waiting.version,
            "time_extracted": waiting.extracted,
        }
        return dumps({key: value for key, value in message.items() if value is not None}) + b"\n"


def _shape(part: Any) -> Any:
    return getattr(part, "schema", None)


def _records(columns: Sequence[Column], rows: Rows) -> list[bytes]:
    return rows.records()


def _record_batch(columns: Sequence[Column], rows: Rows) -> Any:
    """Rows as Arrow; binary stays the text of a record, which is what targets of the SDK expect."""
    from kozmo_singer.wire.arrow import record_batch

    text = LogicalType("string")
    spelt = [
        msgspec.structs.replace(c, type=text) if c.type.name == "binary" else c for c in columns
    ]
    return record_batch(spelt, rows.tuples(_form))


def _form(column: Column) -> Callable[[Any], Any] | None:
    return decimal if column.type.name == "decimal" else text_of(column)


def _write_lines(file: IO[bytes], parts: list[Any], compression: str) -> None:
    text = b"".join(line + b"\n" for part in parts for line in part)
    file.write(gzip.compress(text, 6, mtime=0) if compression == "gzip" else text)


def _write_arrow(file: IO[bytes], parts: list[Any], compression: str) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(file, parts[0].schema) as writer:
        for part in parts:
            writer.write_batch(part)


def _write_parquet(file: IO[bytes], parts: list[Any], compression: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Arrow's own level of gzip is 9, which takes five times as long as the usual one.
    level = 6 if compression == "gzip" else None
    table = pa.Table.from_batches(parts)
    pq.write_table(table, file, compression=compression, compression_level=level)


_FORMATS: dict[str, tuple[Callable[..., Any], Callable[..., None]]] = {
    "jsonl": (_records, _write_lines),
    "arrow": (_record_batch, _write_arrow),
    "parquet": (_record_batch, _write_parquet),
}


@contextmanager
def _created(config: BatchConfig, name: str) -> Iterator[tuple[IO[bytes], str]]:
    """Give a file to write and its address; it has its name once it is whole."""
    folder = local_path(config.root)
    if folder is None:
        with _remote(config, name) as opened:
            yield opened
        return
    path = folder.absolute() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.part")
    descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # As it is: the SDK takes what as_uri() makes of a space for part of the name.
            yield file, f"file://{path}"
        os.replace(hidden, path)
    except BaseException:
        with suppress(OSError):
            hidden.unlink()
        raise


@contextmanager
def _remote(config: BatchConfig, name: str) -> Iterator[tuple[IO[bytes], str]]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingDriver(f"a batch at {config.root}", "fsspec", "sdk") from error
    try:
        system, base = url_to_fs(config.root, **config.params)
    except (ImportError, ValueError) as error:
        # Which package this kind of storage needs is known to fsspec alone.
        raise WriteError(f"cannot write batches to {config.root}", str(error)) from error
    path = f"{base.rstrip('/')}/{name}"
    # What is written within a transaction is there as a whole or not at all.
    with system.transaction, system.open(path, "wb") as file:
        yield file, system.unstrip_protocol(path)
