"""One stream's way into files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.errors import KozmoError, RecordError, WriteError
from kozmo_singer.systems.formats.writers import Misfit, Unwritable, WriteOptions, make
from kozmo_singer.systems.formats.writers.cells import of_batch, of_rows
from kozmo_singer.wire.rows import json_path
from kozmo_singer.wire.types import Column
from kozmo_targets.files.naming import MOST_BYTES, partition_folder
from kozmo_targets.files.open_files import File
from kozmo_targets.files.settings import partition_columns
from kozmo_targets.target import Writer

if TYPE_CHECKING:
    from kozmo_singer.systems.formats.writers import FileFormat, Part
    from kozmo_singer.wire.messages import Batch, Schema
    from kozmo_singer.wire.rows import Rows
    from kozmo_targets.files.engine import Places

_PIECE_BYTES = 16 << 20
"""Rows of the Arrow lane that are taken at once, so that no array grows beyond its bounds."""


class FilesWriter(Writer):
    """Gathers rows in files that nobody sees, and shows them when they are flushed or finished."""

    def __init__(self, places: Places, stream: str, options: WriteOptions, *, shown: bool) -> None:
        self._places, self._stream, self._shown = places, stream, shown
        self._options = options
        self._number = 0
        self._files: dict[str, File] = {}
        self._hidden: list[File] = []
        self._visible: set[str] = set()
        self._whole = False
        self._format: FileFormat
        self._columns: tuple[Column, ...] = ()
        self._by: list[Column] = []

    def open(self, schema: Schema) -> None:
        names = [column.name for column in schema.columns]
        by = partition_columns(self._stream, self._places.partition_by, names)
        self._close_all()
        self._columns = tuple(schema.columns)
        self._by = [column for name in by for column in schema.columns if column.name == name]
        own = [column for column in schema.columns if column not in self._by]
        try:
            self._format = make(self._places.format, own, self._options)
        except (Unwritable, Misfit) as error:
            raise WriteError(
                f"stream {self._stream} cannot be written as {self._places.format}", str(error)
            ) from error
        self._schema = self._format.schema

    def write(self, rows: Rows) -> None:
        if not len(rows):
            return
        try:
            part = self._format.of_rows(rows)
            folders = self._folders(of_rows(rows, self._by)) if self._by else None
        except Misfit as misfit:
            path = None if misfit.column is None else json_path(misfit.column)
            raise RecordError(
                misfit.reason, stream=self._stream, line=rows.lines[misfit.row], path=path
            ) from misfit
        self._take(part, folders)

    def write_columns(self, rows: pa.RecordBatch, batch: Batch) -> bool:
        if rows.schema.names != [column.name for column in self._columns]:
            return False
        pairs = zip(self._columns, rows.columns, strict=True)
        if any(array.null_count and not column.nullable for column, array in pairs):
            return False
        try:
            schema, parts = self._format.schema, self._parts(rows)
            while schema is not self._format.schema and parts and len(parts) > 1:
                # Where the last rows want another type than the first ones, all have it.
                schema, parts = self._format.schema, self._parts(rows)
        except Misfit:
            # What is wrong with which record is told of records.
            return False
        for part, folders in parts or ():
            self._take(part, folders)
        return parts is not None

    def _parts(self, rows: pa.RecordBatch) -> list[tuple[Part, pa.Array | None]] | None:
        """Return *rows* as they go into files, None where they are wanted as records."""
        by = [column.name for column in self._by]
        parts: list[tuple[Part, pa.Array | None]] = []
        for piece in _pieces(rows):
            part = self._format.of_columns(piece.drop_columns(by) if by else piece)
            if part is None:
                return None
            folders = self._folders(of_batch(piece.select(by), self._by)) if by else None
            parts.append((part, folders))
        return parts

    def flush(self) -> bool:
        if self._shown:
            self._close_all()
            self._commit_all()
        return self._shown

    def finish(self) -> None:
        if not self._shown and not self._hidden and not self._files and not self._visible:
            self._empty()
        self._close_all()
        self._commit_all()
        self._whole = True
        if not self._shown:
            self._remove_old()

    def abort(self) -> None:
        for file in (*self._files.values(), *self._hidden):
            self._places.open_files.forget(file)
        self._files, self._hidden = {}, []
        if not self._shown and not self._whole:
            for path in self._visible:
                # The store may be what failed.
                with suppress(OSError, KozmoError):
                    self._places.store.remove(path)

    def _take(self, part: Part, folders: pa.Array | None) -> None:
        if self._format.schema is not self._schema:
            # Files that are open have types which do not hold these rows.
            self._close_all()
            self._schema = self._format.schema
        if folders is None:
            self._add("", part)
            return
        for folder, rows in _sorted(part, folders):
            self._add(folder, rows)

    def _add(self, folder: str, part: Part) -> None:
        limit = min((n for n in (self._places.max_rows, self._format.longest) if n), default=None)
        while len(part):
            file = self._files.get(folder) or self._open_file(folder)
            room = len(part) if limit is None else limit - file.rows
            with self._errors(file.path):
                self._places.open_files.add(file, part.slice(0, room))
            part = part.slice(room)
            if file.waiting_bytes >= self._places.max_bytes:
                # Only what is in the file tells how large it is.
                with self._errors(file.path):
                    self._places.open_files.settle(file)
            if file.rows == limit or file.size >= self._places.max_bytes:
                self._close(file)

    def _open_file(self, folder: str) -> File:
        places = self._places
        path, replaces = self._free(folder)
        with self._errors(path):
            upload = places.store.create(path)
            file = File(path, folder, upload, self._format, replaces=replaces)
        self._files[folder] = file
        places.open_files.opened(file, self._close)
        return file

    def _free(self, folder: str) -> tuple[str, bool]:
        """Return the path of the next file, and whether it replaces one that may be there."""
        while True:
            self._number += 1
            path = self._places.path(self._stream, folder, self._number)
            alone = self._number == 1 and not self._places.template.counts
            if alone and not self._shown:
                return path, True
            if not self._is_there(path):
                return path, False

    def _is_there(self, path: str) -> bool:
        with self._errors(path):
            try:
                self._places.store.info(path)
            except FileNotFoundError:
                return False
        return True

    def _close_all(self) -> None:
        for file in list(self._files.values()):
            self._close(file)

    def _close(self, file: File) -> None:
        del self._files[file.folder]
        self._hidden.append(file)
        with self._errors(file.path):
            self._places.open_files.closed(file, self._commit)

    def _commit_all(self) -> None:
        # What takes the place of an old file comes last: until then the old ones are all there.
        for file in sorted(self._hidden, key=lambda file: file.replaces):
            self._commit(file)

    def _commit(self, file: File) -> None:
        if not file.replaces and self._is_there(file.path):
            raise WriteError(f"{file.path} is there by now", "another run of this stream wrote it")
        with self._errors(file.path):
            self._places.open_files.shown(file)
        self._hidden.remove(file)
        self._visible.add(file.path)

    def _empty(self) -> None:
        """Write a file without a row, which takes the place of what was there."""
        if not self._by:
            self._open_file("")

    def _remove_old(self) -> None:
        for path in self._places.files_of(self._stream):
            if path not in self._visible:
                with self._errors(path):
                    self._places.store.remove(path)

    def _folders(self, cells: list[pa.Array]) -> pa.Array:
        """Return the folder of each row, by the texts of the columns to partition by."""
        parts = []
        for column, texts in zip(self._by, cells, strict=True):
            coded = texts.dictionary_encode(null_encoding="encode")
            names = [partition_folder(column.name, v) for v in coded.dictionary.to_pylist()]
            if None in names:
                bad = pc.equal(coded.indices, names.index(None))
                reason = f"the folder of its partition would have more than {MOST_BYTES} letters"
                raise Misfit(reason, pc.indices_nonzero(bad)[0].as_py(), column.name)
            parts.append(pa.array(names, pa.string()).take(coded.indices))
        return pc.binary_join_element_wise(*parts, "/") if len(parts) > 1 else parts[0]

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(
                f"cannot write {path}", getattr(error, "strerror", None) or str(error)
            ) from error


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield *batch* in pieces of bounded size."""
    count = max(1, -(-batch.nbytes // _PIECE_BYTES))
    step = max(1, -(-batch.num_rows // count))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _sorted(part: Part, folders: pa.Array) -> Iterator[tuple[str, Part]]:
    """Yield the rows of each folder, in the order in which they came."""
    coded = folders.dictionary_encode()
    if len(coded.dictionary) == 1:
        yield coded.dictionary[0].as_py(), part
        return
    order = pc.sort_indices(coded.indices)
    part, start = part.take(order), 0
    counts: Mapping[int, int] = {
        each["values"]: each["counts"] for each in pc.value_counts(coded.indices).to_pylist()
    }
    for place, folder in enumerate(coded.dictionary.to_pylist()):
        yield folder, part.slice(start, counts[place])
        start += counts[place]
