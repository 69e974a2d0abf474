"""Reading the files of one stream: all of them, or those that are new or have changed."""

from __future__ import annotations

import logging
import time
from array import array as c_array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec
import pyarrow as pa

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import LeftOut
from kozmo_singer.systems.formats.cells import shown
from kozmo_singer.systems.formats.csv_types import TEXTS, misfit, spelt, typed, without_blanks
from kozmo_singer.systems.stores.remote import Replaced
from kozmo_singer.wire import Column, Rows, Stream, lane
from kozmo_singer.wire.arrow import arrow_type, field
from kozmo_singer.wire.arrow_lines import ArrowLines, Token, arrow_lines, texts, token
from kozmo_singer.wire.arrow_values import Misfit
from kozmo_singer.wire.cells import PackedLines, row_decoder
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import REPLICATION_METHOD, LogicalType, columns
from kozmo_taps.files.streams import File, FileStream
from kozmo_taps.tap import Columnar, Row

PIECE_BYTES, LANE_BYTES = 1 << 20, 1 << 23
"""What a batch holds at most as Arrow, unless one row is larger: for lines, and for the lane."""
_MOST_ROWS = 1 << 16
_ROUNDS = 100
"""How often it is asked what came meanwhile: a run ends, even if files come for ever."""
_RECORD: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BARE = ("integer", "decimal", "float", "boolean")
_log = logging.getLogger("kozmo_taps")
Bad = Callable[[str, ReadError], None]


class ArrowRows(Columnar):
    """Rows as they go through the Arrow lane."""

    def __init__(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> None:
        self._batch, self._columns = batch, columns

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def payload(self) -> memoryview:
        """Return the rows as an Arrow IPC stream."""
        return lane.payload(self._batch)

    def row(self, place: int) -> Row:
        return arrow_lines(self._batch.slice(place, 1), self._columns).row(0)

    def cut(self, start: int, stop: int) -> ArrowRows:
        return ArrowRows(self._batch.slice(start, stop - start), self._columns)


class JsonRows(PackedLines):
    """Rows that a file holds as JSON, each with *more* pairs of key and value at its end.

    Where *first* is given each has a _row too, from that number on.
    """

    def __init__(
        self, rows: Rows, columns: Sequence[Column], more: Sequence[bytes], first: int | None
    ) -> None:
        self._rows, self._columns, self._more, self._first = rows, columns, more, first

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, place: int) -> Row:
        record = _RECORD.decode(self._records()[place])
        values = (bytes(record[column.name]) for column in self._columns)
        return row_decoder(self._columns)(b"[" + b",".join(values) + b"]")

    def cut(self, start: int, stop: int) -> JsonRows:
        first = None if self._first is None else self._first + start
        return JsonRows(self._rows.part(start, stop), self._columns, self._more, first)

    def lines(self, keys: Sequence[bytes], head: bytes, tail: bytes) -> bytes:
        return head + (tail + head).join(self._records()) + tail

    def _records(self) -> list[bytes]:
        found = self._rows.records()
        if not self._more and self._first is None:
            return found
        more = b",".join(self._more)
        if self._first is None:
            return [_with(record, more) for record in found]
        comma = b"," if more else b""
        return [
            _with(record, b'%b%b"_row":%d' % (more, comma, number))
            for number, record in enumerate(found, self._first)
        ]


class FilesReading:
    """The files of a stream, from *mark* on, at most *limit* rows.

    *mark* tells which files were read to their ends, and how many rows of those that were not.
    *metadata* are the columns that say where a row comes from; in any other file a column may be
    called so. A file that cannot be read goes to *bad* where that is given, else it ends the
    reading.
    """

    def __init__(
        self,
        found: FileStream,
        stream: Stream,
        *,
        incremental: bool,
        metadata: Sequence[str],
        mark: Mapping[str, Any],
        versioned: bool,
        arrow: bool,
        limit: int | None,
        bad: Bad | None,
        left_out: Callable[[str, LeftOut], None],
    ) -> None:
        self._left_out = left_out
        self._found, self._incremental, self._arrow, self._bad = found, incremental, arrow, bad
        method = "INCREMENTAL" if incremental else "FULL_TABLE"
        self.schema = {**stream.masked_schema(), REPLICATION_METHOD: method}
        self.columns = columns(self.schema, stream.key_properties)
        self.key_properties = list(stream.key_properties)
        self.bookmark_properties: list[str] = []
        self.complete = False
        told = mark if incremental else mark.get("full_table") or {}
        self._marked = bool(told)
        self._warned: set[str] = set()
        self._known = {*(stream.schema.get("properties") or {})}
        self._rows = {str(name): int(rows) for name, rows in told.get("partial") or ()}
        self.version: int | None = None
        if versioned and not incremental:
            kept = told.get("version")
            self.version = kept if isinstance(kept, int) else time.time_ns() // 1_000_000
        self._room = limit
        self._tokens = {file.token: file for file in found.files}
        done = (str(name) for name in told.get("files") or ())
        self._done = [name for name in done if name in self._tokens]
        self._metadata = frozenset(metadata)
        # Not those that folders and the listing tell.
        apart = {*metadata, *(n for file in found.files for n in file.partitions)}
        self._own = [column for column in self.columns if column.name not in apart]
        self._text = {
            name
            for name, said in (self.schema.get("properties") or {}).items()
            if "string" in (said.get("type") or ())
        }

    def batches(self) -> Iterator[Sequence[Row]]:
        """Yield the rows of each file that is not done; after each batch `bookmark` covers it."""
        whole = True
        done = set(self._done)
        waiting = [(name, file) for name, file in self._tokens.items() if name not in done]
        rounds = 0
        while waiting:
            for name, file in waiting:
                if self._room == 0:
                    return
                try:
                    yield from self._file(name, file)
                except ReadError as error:
                    if self._incremental and isinstance(error.__cause__, Replaced):
                        self._leave(name, file)
                        continue
                    whole = False
                    if self._bad is None:
                        raise
                    self._bad(file.entry.path, error)
            rounds += 1
            waiting = self._arrived() if rounds < _ROUNDS else []
        self.complete = whole and self._room != 0

    def _arrived(self) -> list[tuple[str, File]]:
        """Return the files that came while others were read, by the names that stand for them.

        A full table is of the files that were there when it was begun.
        """
        if not self._incremental or self._room is not None:
            return []
        new = {file.token: file for file in self._found.arrived()}
        if new:
            _log.info("%s files came while others were read", len(new))
        self._tokens |= new
        return list(new.items())

    def bookmark(self) -> dict[str, Any]:
        """Return which files are done, and how much of others; of those alone that are there."""
        if self.complete and not self._incremental:
            # Said aloud, because stores of state that merge would keep the old mark.
            return {"full_table": None} if self._marked else {}
        self._marked = True
        mark: dict[str, Any] = {
            "files": list(self._done),
            "partial": [[name, rows] for name, rows in self._rows.items() if name in self._tokens],
        }
        if self._incremental:
            return mark
        return {"full_table": mark if self.version is None else {**mark, "version": self.version}}

    def _file(self, name: str, file: File) -> Iterator[Sequence[Row]]:
        done = self._rows.get(name, 0)
        path = file.entry.path
        reader = self._found.reader(file)
        _log.debug("reading %s from row %s on", path, done + 1)
        try:
            for batch in reader.batches(self._own, done, self._arrow):
                for rows in self._made(batch, file, done):
                    if self._room is not None:
                        rows = rows[: self._room]
                        self._room -= len(rows)
                    done += len(rows)
                    self._rows[name] = done
                    yield rows
                    if self._room == 0:
                        return
        except Misfit as error:
            raise ReadError(f"cannot read {path}", f"{error.path}: {error}") from error
        self._warn(path, reader.beside)
        left_out = getattr(reader, "left_out", None)
        if left_out:
            self._left_out(path, left_out)
        self._finish(name, file)

    def _warn(self, path: str, beside: set[str]) -> None:
        """Say once which columns of files the catalog does not know."""
        for column in sorted(beside - self._known - self._warned):
            _log.warning(
                "%s has a column '%s' that the catalog lacks; it is left out "
                "(make a new catalog with --discover)", path, column,
            )  # fmt: skip
        self._warned |= beside

    def _finish(self, name: str, file: File) -> None:
        """Note that *file* is done, unless it is another one by now."""
        why = self._found.changed(file)
        if why is None:
            self._done.append(name)
            self._rows.pop(name, None)
            return
        if not self._incremental:
            raise ReadError(
                f"cannot read {file.entry.path} as a whole",
                why,
                "run again; or replace files in one step, by renaming new ones",
            )
        self._leave(name, file)

    def _leave(self, name: str, file: File) -> None:
        """Leave a file that is another one by now to the next run."""
        # The name that stands for it does not stand for the new content.
        self._rows.pop(name, None)
        path = file.entry.path
        _log.warning("%s was changed while it was read; the next run reads it again", path)

    def _made(
        self, batch: pa.RecordBatch | Rows, file: File, before: int
    ) -> Iterator[Sequence[Row]]:
        """Yield the rows of *batch*, of which there were *before* in the file, piece by piece."""
        if isinstance(batch, Rows):
            yield self._decoded(batch, file, before)
            return
        for piece in _pieces(batch, LANE_BYTES if self._arrow else PIECE_BYTES):
            if self._arrow:
                yield self._columnar(piece, file, before)
            else:
                tokens = [self._token(piece, c, file, before) for c in self.columns]
                yield ArrowLines(tokens, piece.num_rows, self.columns)
            before += piece.num_rows

    def _decoded(self, rows: Rows, file: File, before: int) -> JsonRows:
        apart = [c for c in self.columns if c not in self._own]
        more = [
            dumps(c.name) + b":" + _json(self._constant(c, file), c.type)
            for c in apart
            if not self._numbers(c)
        ]
        numbered = len(more) < len(apart)
        for place, column in enumerate(rows.columns):
            if column.type.name == "decimal" and column.name in self._text:
                _change(rows, place, _quoted)
            elif column.type.name == "timestamp":
                _change(rows, place, "{}Z".format)
        return JsonRows(rows, self.columns, more, before + 1 if numbered else None)

    def _columnar(self, piece: pa.RecordBatch, file: File, before: int) -> ArrowRows:
        made = [self._array(piece, c, file, before) for c in self.columns]
        schema = pa.schema([field for _, field in made])
        batch = pa.RecordBatch.from_arrays([array for array, _ in made], schema=schema)
        return ArrowRows(batch, self.columns)

    def _token(self, piece: pa.RecordBatch, column: Column, file: File, before: int) -> Token:
        name = column.name
        place = piece.schema.get_field_index(name)
        if place < 0:
            if self._numbers(column):
                return Token(_numbers(before, piece.num_rows).cast(pa.string()))
            return Token(None, constant=_json(self._constant(column, file), column.type))
        found = token(piece.column(place), piece.schema.field(place), column.type)
        if column.type.name == "decimal" and name in self._text and found.array is not None:
            return Token(found.array, quoted=True)
        return found

    def _array(
        self, piece: pa.RecordBatch, column: Column, file: File, before: int
    ) -> tuple[pa.Array, pa.Field]:
        place = piece.schema.get_field_index(column.name)
        if place >= 0:
            return piece.column(place), piece.schema.field(place)
        if self._numbers(column):
            array = _numbers(before, piece.num_rows)
        else:
            value = self._constant(column, file)
            wanted = arrow_type(column.type)
            array = pa.nulls(piece.num_rows, wanted)
            if value is not None:
                array = pa.repeat(typed(texts([value]), column.type)[0], piece.num_rows)
        return array, field(column, array.type)

    def _numbers(self, column: Column) -> bool:
        """Whether a column holds the numbers of rows."""
        return column.name == "_row" and column.name in self._metadata

    def _constant(self, column: Column, file: File) -> str | None:
        """What a column holds that the file itself lacks."""
        if column.name in file.partitions:
            return _of_folder(file, column)
        if column.name not in self._metadata:
            return None
        if column.name == "_file":
            return file.entry.path.encode("utf-8", "replace").decode()
        seconds, rest = divmod(file.entry.modified, 10**9)
        whole = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{whole}.{rest // 1000:06}Z"


def _of_folder(file: File, column: Column) -> str | None:
    """Return what the name of a folder says *column* is; ReadError where it is of another type."""
    told = texts([file.partitions[column.name]])
    if column.type.name not in TEXTS:
        told = without_blanks(told)
    if misfit(told, column.type) is not None:
        raise ReadError(
            f"cannot read {file.entry.path}",
            f"its folder says that {column.name} is {shown(told[0].as_py())}, "
            f"which is no {column.type.name}",
            "the catalog may be out of date; make a new one with --discover",
            f'or read the column as text: columns: {{"{column.name}": "string"}}',
        )
    found: str | None = spelt(told, column.type)[0].as_py()
    return found


def _pieces(batch: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    rows = max(1, min(_MOST_ROWS, batch.num_rows * size // max(batch.nbytes, 1)))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _numbers(before: int, count: int) -> pa.Array:
    values = c_array("q", range(before + 1, before + count + 1))
    return pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(values)])


def _change(rows: Rows, place: int, change: Callable[[Any], Any]) -> None:
    for struct in rows.structs:
        value = getattr(struct, f"f{place}")
        if value is not None:
            setattr(struct, f"f{place}", change(value))
    rows.changed()


def _quoted(digits: Any) -> msgspec.Raw:
    return msgspec.Raw(b'"' + bytes(digits).strip(b'"') + b'"')


def _with(record: bytes, more: bytes) -> bytes:
    return b"{" + more + b"}" if record == b"{}" else record[:-1] + b"," + more + b"}"


def _json(value: str | None, type: LogicalType) -> bytes:
    if value is None:
        return b"null"
    return value.encode() if type.name in _BARE else dumps(value)
