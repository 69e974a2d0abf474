"""The engine of the taps that read files: discovery by a glance at some, sessions that read all."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from kozmo_singer.errors import ConfigError, DiscoverError, ReadError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.systems.stores.settings import STORES
from kozmo_singer.wire import Catalog, LogicalType, Stream, to_schema
from kozmo_taps import tap
from kozmo_taps.files import settings as s
from kozmo_taps.tap import Reading, Tap, replication

if TYPE_CHECKING:
    from kozmo_singer.systems.formats import LeftOut, Look
    from kozmo_taps.files.streams import File, FileStream

LOOKED_AT = 20
"""The files of a stream at which discovery looks, if there are more: the ends, and some between."""
_log = logging.getLogger("kozmo_taps")


class TapFiles(Tap):
    """Reads the files that a path names, as streams."""

    name = "tap-files"
    summary = "Files of CSV, JSON, Excel, Parquet, Avro and other formats"
    capabilities = (*tap.CAPABILITIES, "arrow-pipe")
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {"arrow-pipe": ("pyarrow",)}
    settings = (
        *s.PLACES[:2],
        s.FORMAT,
        s.KEYS,
        s.PLACES[2],
        *s.READING,
        *s.ROWS,
        *s.TEXT,
        *s.CSV,
        *s.FIXED_WIDTH,
        *s.JSON,
        *s.XML,
        *s.EXCEL,
        *s.PACKED,
        *STORES,
        *s.COMMON,
    )
    format: ClassVar[str | None] = None
    """What files are whose names do not tell."""
    scheme: ClassVar[str | None] = None
    """The store of paths that name none, if it is not this machine."""
    examples: ClassVar[tuple[str, ...]] = (
        'echo \'{"path": "data/**/*.parquet"}\' > files.json',
        "tap-files --config files.json --check",
        "tap-files --config files.json --discover > catalog.json",
        "tap-files --config files.json --catalog catalog.json --limit 5",
        "tap-files --config files.json | target-jsonl --config out.json",
    )

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._specs = s.specs(self.name, self.settings, self.config, self.scheme)
        self._bad: dict[str, str] = {}
        self._left_out: dict[str, str] = {}

    @cached_property
    def streams(self) -> dict[str, FileStream]:
        """The streams by name, as the files are when they are first asked for."""
        from kozmo_taps.files.streams import find_streams

        bad = self.set_aside if self.skips else None
        return find_streams(self.name, self._specs, self.format, bad)

    def check(self) -> str:
        """Return how many streams, files and bytes there are, once a glance at them went well."""
        self.discover()
        # The sheets of a workbook are of one file.
        files = {f.entry.path: f.entry for stream in self.streams.values() for f in stream.files}
        size = sum(entry.size for entry in files.values())
        streams = _counted(len(self.streams), "stream")
        return f"{streams}, {_counted(len(files), 'file')}, {size:,} bytes"

    def discover(self) -> Catalog:
        """Return the streams, with the types that a glance at their files tells."""
        found = [self._stream(found) for found in self.streams.values()]
        return Catalog([stream for stream in found if stream is not None])

    @contextmanager
    def session(self, streams: Sequence[Stream]) -> Iterator[FilesSession]:
        """Read files; those that could not be read are told at the end."""
        try:
            yield FilesSession(self)
        finally:
            for found in self.streams.values():
                found.listing.store.close()
        told = {**self._left_out, **self._bad}
        if told:
            paths = sorted(told, key=lambda path: (path not in self._bad, path))
            more = [f"and {len(paths) - 3} more"] if len(paths) > 3 else []
            files = f"{len(self._bad)} of the files" if self._bad else "some rows"
            raise ReadError(
                f"{self.name} could not read {files}; the others were read",
                *[f"{path}: {told[path]}" for path in paths[:3]],
                *more,
            )

    def set_aside(self, path: str, error: ReadError) -> None:
        """Note that *path* cannot be read."""
        why = error.details[0] if error.details else error.message
        self._bad[path] = why
        _log.warning("%s is set aside: %s", path, why)

    def note_left_out(self, path: str, rows: LeftOut) -> None:
        """Note which *rows* of *path* could not be read."""
        self._left_out[path] = str(rows)
        _log.warning("%s: %s", path, rows)

    @property
    def skips(self) -> bool:
        """Whether a bad file is set aside."""
        return bool(self.config["on_bad_file"] == "skip")

    def _stream(self, found: FileStream) -> Stream | None:
        looks = self._looks(found)
        if not looks:
            return None
        types = self._types(found, [look for _, look in looks])
        keys = list(found.spec.keys)
        for name in (*keys, *found.spec.options.types):
            if name not in types:
                raise ConfigError(
                    f"{self.name}: stream {found.name} has no column '{name}'",
                    *did_you_mean(name, types),
                )
        rows = self._estimate(found, looks)
        decimals = self.config["decimal_format"]
        root = {
            "inclusion": "available",
            "selected-by-default": True,
            "table-key-properties": keys,
            "row-count": rows,
            "files": len(found.files),
            "bytes": sum(file.entry.size for file in found.files),
            "format": found.files[0].format,
            "read-as": looks[0][1].notes or None,
        }
        metadata: dict[tuple[str, ...], dict[str, Any]] = {
            (): {k: v for k, v in root.items() if v is not None}
        }
        for name in types:
            inclusion = "automatic" if name in keys else "available"
            metadata["properties", name] = {"inclusion": inclusion, "selected-by-default": True}
        return Stream(
            tap_stream_id=found.name,
            stream=found.name,
            table=found.name,
            schema={
                "type": "object",
                "properties": {
                    name: to_schema(type, name not in keys, decimals)
                    for name, type in types.items()
                },
            },
            key_properties=keys,
            replication_method=self.config["replication_method"],
            row_count=rows,
            metadata=metadata,
        )

    def _looks(self, found: FileStream) -> list[tuple[File, Look]]:
        tried = [(file, self._look(found, file)) for file in _some(found.files)]
        looks = [(file, look) for file, look in tried if look is not None]
        if not any(look.columns for _, look in looks):
            if looks and all(file.part for file in found.files):
                _log.info("stream %s is left out: there is nothing in the sheet", found.name)
                return []
            raise DiscoverError(
                f"{self.name} found no column for the stream {found.name}",
                *[f"{path}: {why}" for path, why in list(self._bad.items())[:2]],
                *(["nothing stands in " + _those(found.files)] if looks else []),
            )
        notes = dict.fromkeys(look.notes for _, look in looks if look.notes)
        files = _counted(len(found.files), "file")
        _log.info("stream %s: %s, read as %s", found.name, files, " / ".join(notes))
        return looks

    def _look(self, found: FileStream, file: File) -> Look | None:
        try:
            reader = found.reader(file)
            look = reader.look()
            # It knows the dialect by now.
            found.known[file.key] = reader
            return look
        except ReadError as error:
            if not self.skips:
                raise
            self.set_aside(file.entry.path, error)
            return None

    def _types(self, found: FileStream, looks: Sequence[Look]) -> dict[str, LogicalType]:
        """The columns of all files, in the order in which they are met, with partitions last."""
        from kozmo_taps.files.streams import joined

        told: dict[str, list[LogicalType]] = {}
        for look in looks:
            for column in look.columns:
                told.setdefault(column.name, []).append(column.type)
        text = found.files[0].format == "csv"
        types = {name: joined(each, text=text) for name, each in told.items()}
        added = {
            **self._partitions(found),
            **{name: s.METADATA[name] for name in self.config["metadata_columns"] or ()},
        }
        for name in added:
            if name in types:
                raise ConfigError(
                    f"{self.name}: the files of stream {found.name} have a column '{name}' "
                    "of their own"
                )
        return {
            **types,
            **added,
            **{n: t for n, t in found.spec.options.types.items() if n in added},
        }

    def _partitions(self, found: FileStream) -> dict[str, LogicalType]:
        from kozmo_singer.systems.formats.csv_types import infer
        from kozmo_singer.wire.arrow_lines import texts

        values: dict[str, dict[str, None]] = {}
        for file in found.files:
            for name, value in file.partitions.items():
                if value is not None:
                    values.setdefault(name, {})[value] = None
                else:
                    values.setdefault(name, {})
        types = {name: infer(texts(each)) for name, each in values.items()}
        simple = ("integer", "date")
        return {n: t if t.name in simple else LogicalType("string") for n, t in types.items()}

    def _estimate(self, found: FileStream, looks: Sequence[tuple[File, Look]]) -> int | None:
        """About how many rows there are, by the size of the files that were looked at."""
        if any(look.rows is None for _, look in looks):
            return None
        rows = sum(look.rows or 0 for _, look in looks)
        size = sum(file.entry.size for file, _ in looks)
        whole = sum(file.entry.size for file in found.files)
        return rows if len(looks) == len(found.files) else rows * whole // max(size, 1)


class FilesSession:
    """The files while they are read."""

    def __init__(self, tap: TapFiles) -> None:
        self._tap = tap

    def open(self, stream: Stream, bookmark: Mapping[str, Any], limit: int | None) -> Reading:
        """Return the reading of *stream*."""
        from kozmo_taps.files.reading import FilesReading

        config = self._tap.config
        method = stream.replication_method or config["replication_method"]
        if stream.replication_key:
            raise ConfigError(
                f"stream {stream.tap_stream_id}: files have no replication key",
                "INCREMENTAL reads the files that are new or changed; take replication-key away",
            )
        if method not in ("FULL_TABLE", "INCREMENTAL"):
            replication(stream, config)
        return FilesReading(
            self._found(stream),
            stream,
            incremental=method == "INCREMENTAL",
            metadata=config["metadata_columns"] or (),
            mark=bookmark,
            versioned=bool(config["emit_activate_version_messages"]),
            arrow=self._tap.arrow,
            limit=limit,
            bad=self._tap.set_aside if self._tap.skips else None,
            left_out=self._tap.note_left_out,
        )

    def count(self, stream: Stream) -> int:
        """Return the exact number of rows of all files."""
        found = self._found(stream)
        return sum(found.reader(file).count() for file in found.files)

    def _found(self, stream: Stream) -> FileStream:
        streams = self._tap.streams
        found = streams.get(stream.tap_stream_id)
        if found is None:
            raise ReadError(
                f"stream {stream.tap_stream_id}: there are no files of it",
                *did_you_mean(stream.tap_stream_id, streams),
                "the catalog may be out of date; make a new one with --discover",
            )
        return found


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _those(files: Sequence[File]) -> str:
    return files[0].entry.path + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def _some(files: Sequence[File]) -> list[File]:
    """The first file, the last, and some between."""
    if len(files) <= LOOKED_AT:
        return list(files)
    return [files[(len(files) - 1) * n // (LOOKED_AT - 1)] for n in range(LOOKED_AT)]
