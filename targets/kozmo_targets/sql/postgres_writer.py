"""One stream's way into PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from kozmo_singer.errors import RecordError, WriteError
from kozmo_singer.systems.sql import postgres as system
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.quarantine import sift
from kozmo_targets.sql.csv_rows import COPY_OPTIONS, CsvRows, copied, record_at, rows_in
from kozmo_targets.sql.names import Name
from kozmo_targets.sql.table import Change
from kozmo_targets.sql.writer import DELETED, NOT_DATA, Row, SqlWriter, upsert
from kozmo_targets.target import LoadMethod

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from kozmo_singer.wire.messages import Batch, Schema
    from kozmo_singer.wire.rows import Rows
    from kozmo_targets.sql.postgres_binary import BinaryRows
    from kozmo_targets.sql.postgres_database import PostgresDatabase

BINARY_OPTIONS = "(FORMAT binary)"
CSV_OPTIONS = "(FORMAT csv, ENCODING 'UTF8')"
"""How batches of Arrow are copied: see postgres_binary."""
# https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.4
BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_TRAILER = b"\xff\xff"
PUSH_BYTES = 1 << 19
"""Rows of a stream wait for so many bytes before they are sent, so that streams can interleave."""
# It comes last; what a type has to say of its own, as json does, stands before it.
_CONTEXT = re.compile(r"(?:.*\n)?COPY .*?, \S+ (\d+)(?:, \S+ (.*))?", re.DOTALL)
_UNIQUE_VIOLATION = "23505"
_OUT_OF_RANGE = "22003"
_SECOND_TIME = "21000"
# Classes of https://www.postgresql.org/docs/18/errcodes-appendix.html that a row can be to blame
# for: its data, constraints, views, limits, and what triggers raise.
_OF_ROWS = ("22", "23", "44", "54", "P0")
SIFTED_ROWS = 500
"""Where a batch holds bad rows, so many are sent at once: those after a bad one go again."""
_numbers = count(1)


class Piece(NamedTuple):
    """Rows in one of COPY's formats, and the numbers of the lines that they came from.

    Where bad ones are set aside, *origin* is these lines, or gives rows where there are none.
    """

    blob: bytes
    lines: Sequence[int]
    options: str = COPY_OPTIONS
    origin: bytes | Callable[[], Iterator[Rows]] | None = None

    @property
    def binary(self) -> bool:
        return self.options == BINARY_OPTIONS


class Single(NamedTuple):
    """One row as COPY takes it, and the line that it came from."""

    blob: bytes
    line: int
    origin: bytes


class PostgresWriter(SqlWriter):
    """Copies rows straight into a table that was empty, or if there is no key to update by; else
    to a stage that flush merges.

    Each COPY runs under a savepoint, and its rows are kept until it has ended well: if it fails
    for a reason that can be mended, they are sent again.
    """

    database: PostgresDatabase

    def __init__(
        self,
        database: PostgresDatabase,
        config: Mapping[str, Any],
        table: Name,
        destination: Name,
        method: LoadMethod,
    ) -> None:
        super().__init__(database, config, table, destination, method)
        self.microseconds = config["fine_fractions"] == "fail"
        self._number = next(_numbers)
        self._stage: str | None = None
        self._staged = False
        self._straight: bool | None = None
        self._unsent: list[Piece] = []
        self._unsent_size = 0
        self._sent: list[Piece] = []
        self._kept: list[Piece] = []
        self._copy: _Copy | None = None
        self._csv: CsvRows
        self._binary: BinaryRows | None = None

    def open(self, schema: Schema) -> None:
        with self._errors(schema.stream):
            if self.method == "overwrite":
                self._expect_unreferenced(schema.stream)
            super().open(schema)

    def opened(self) -> None:
        if self._straight is None:
            fresh = self.found.empty and not self.removes_deleted
            self._straight = fresh or not self.key
        if self._stage is not None:
            self.database.execute(f"DROP TABLE {self._stage}")
            self._stage = None
        self._binary = None
        self._csv = CsvRows(
            [column.type.name for column in self.columns],
            replace_nul=self.config["nul_characters"] == "replace",
            fault=self._fault,
        )

    def write(self, rows: Rows) -> None:
        with self._errors(self.stream):
            super().write(rows)

    def values(self, rows: Rows) -> list[Row]:
        return rows.tuples(partial(copied, finite=rows.fast))

    def load(self, values: Sequence[Row], rows: Rows) -> None:
        self._add(self._piece(values, rows))

    def _piece(self, values: Sequence[Row], rows: Rows) -> Piece:
        blob = self._csv.encode(values, rows.lines, plain=rows.plain)
        return Piece(blob, rows.lines, origin=None if self.aside is None else rows.block)

    def write_columns(self, rows: pa.RecordBatch, batch: Batch) -> bool:
        names = [column.name for column in self._schema.columns]
        versioned = batch.version is not None and self._expects_versions
        if self._metadata or versioned or rows.schema.names != names:
            return False
        with self._errors(self.stream):
            if not self.fit.fits_columns(rows):
                return False
            encoder = self._encoder()
            for make, options in ((encoder.encode, BINARY_OPTIONS), (encoder.csv, CSV_OPTIONS)):
                blob = make(rows)
                if blob is not None:
                    origin = self.aside and partial(self.aside.rows_of, batch, rows)
                    self._add(Piece(blob, [batch.line] * rows.num_rows, options, origin))
                    return True
            return False

    def _encoder(self) -> BinaryRows:
        if self._binary is None:
            from kozmo_targets.sql.postgres_binary import BinaryRows

            types = self.database.formatted(self.destination)
            self._binary = BinaryRows([types[column.name] for column in self.columns])
        return self._binary

    def _add(self, piece: Piece) -> None:
        if self._unsent and self._unsent[-1].options != piece.options:
            self._push()
        self._unsent.append(piece)
        self._unsent_size += len(piece.blob)
        if self._unsent_size >= PUSH_BYTES:
            self._push()

    def flush(self) -> bool:
        with self._errors(self.stream):
            self._push()
            self.settle()
            if self._staged:
                self._merge_or_sift()
            self._kept.clear()
        return self.method != "overwrite"

    def activate_version(self, version: int) -> None:
        with self._errors(self.stream):
            super().activate_version(version)

    def finish(self) -> None:
        if self.method == "overwrite":
            with self._errors(self.stream):
                self.database.replace(self.table, self.destination, self.key)

    def settle(self) -> None:
        """End the COPY that is open; mend what can be mended and send its rows again."""
        while self._copy is not None:
            copy, self._copy, self.database.copying = self._copy, None, None
            try:
                rows = copy.end()
            except self._driver_error as error:
                self._resend(error)
            else:
                self.database.execute("RELEASE SAVEPOINT kozmo_copy")
                if not self._staged:
                    self.count(rows)
                if self._staged and self.aside is not None:
                    self._kept += self._sent
        self._sent.clear()

    def _push(self) -> None:
        if not self._unsent:
            return
        pieces, self._unsent, self._unsent_size = self._unsent, [], 0
        self._send(pieces)

    def _send(self, pieces: list[Piece]) -> None:
        options = pieces[0].options
        if self._copy is not None and self._copy.options != options:
            self.settle()
        if self._copy is None:
            self.database.settle()
            self._start(options)
        copy = self._copy
        assert copy is not None
        self._sent += pieces
        try:
            for piece in pieces:
                copy.write(piece.blob)
        except self._driver_error:
            # The COPY's end says more about it.
            self.settle()

    def _start(self, options: str) -> None:
        # The stage is made before the savepoint: what fails later must not take it back.
        where = self.database.text(self.destination) if self._straight else self._staging()
        self.database.execute("SAVEPOINT kozmo_copy")
        names = ", ".join(self.database.quote(c.name) for c in self.columns)
        self._copy = _Copy(self.database.connection, f"COPY {where} ({names}) FROM STDIN", options)
        self.database.copying = self
        self._staged = self._staged or not self._straight

    def _resend(self, error: psycopg.Error) -> None:
        if error.sqlstate is None:
            raise error
        self._undo("kozmo_copy")
        pieces, self._sent = self._sent, []
        if self._mended(error):
            self._start(pieces[0].options)
            self._send(pieces)
        elif self.aside is not None and _of_rows(error):
            self._sift(pieces)
        else:
            raise self._record_error(error, pieces) or error

    def _undo(self, savepoint: str) -> None:
        self.database.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self.database.execute(f"RELEASE SAVEPOINT {savepoint}")

    def _mended(self, error: psycopg.Error) -> bool:
        """Remove the reason of a failed COPY, if that can be done."""
        column = self._column(error)
        if error.sqlstate == _UNIQUE_VIOLATION and self._straight and self.key:
            self._straight = False
            return True
        if error.sqlstate == _OUT_OF_RANGE and column is not None:
            index = [c.name for c in self.columns].index(column)
            if self.columns[index].type == LogicalType("integer"):
                self._widen(index)
                return True
        return False

    def _merge_or_sift(self) -> None:
        """Merge the stage; without the rows that the server refuses, where they are set aside."""
        if self.aside is None:
            self._merge()
        elif not self._merged():
            self._sift_merging(self._singles(self._kept))

    def _merged(self) -> bool:
        """Merge the stage, or tell that the server refuses one of its rows."""
        self.database.execute("SAVEPOINT kozmo_batch")
        before = self._counts
        try:
            self._merge()
        except self._driver_error as error:
            if not _of_rows(error):
                raise
            self._undo("kozmo_batch")
            self._counts = before
            return False
        self.database.execute("RELEASE SAVEPOINT kozmo_batch")
        return True

    def _sift(self, pieces: list[Piece]) -> None:
        """Load *pieces*, and set aside the rows that COPY refuses, or the merge that follows it."""
        kept = self._singles(self._kept)
        rows = self._passing(self._singles(pieces), merge=False)
        if self._staged and not self._merged():
            self._sift_merging([*kept, *rows])
        self._kept.clear()

    def _sift_merging(self, rows: Sequence[Single]) -> None:
        self.database.execute(f"TRUNCATE {self._staging()}")
        self._staged = False
        self._passing(rows, merge=True)

    def _passing(self, rows: Sequence[Single], *, merge: bool) -> list[Single]:
        """Load *rows*, set aside those that are refused, and return the others."""
        assert self.aside is not None
        passing: list[Single] = []
        starts = range(0, len(rows), SIFTED_ROWS)
        waiting = [(start, min(start + SIFTED_ROWS, len(rows))) for start in reversed(starts)]
        while waiting:
            start, stop = waiting.pop()
            error = self._refusal(rows[start:stop], merge=merge) if start < stop else None
            if error is None:
                passing += rows[start:stop]
                continue
            at = self._line(error)
            if at is None and stop - start > 1:
                middle = (start + stop) // 2
                waiting += [(middle, stop), (start, middle)]
                continue
            blobs = (row.blob for row in rows[start:stop])
            bad = start if at is None else start + record_at(blobs, at)
            self.aside.refuse(self._said(error, rows[bad].line), rows[bad].origin)
            waiting += [(bad + 1, stop), (start, bad)]
        return passing

    def _refusal(self, rows: Sequence[Single], *, merge: bool) -> psycopg.Error | None:
        """Load *rows*, all or none; return why the server does not take them, if it does not."""
        staged, before = self._staged, self._counts
        while True:
            self._start(COPY_OPTIONS)
            copy, self._copy, self.database.copying = self._copy, None, None
            assert copy is not None
            with suppress(self._driver_error):
                copy.write(b"".join(row.blob for row in rows))
            try:
                taken = copy.end()
                if not self._staged:
                    self.count(taken)
                elif merge:
                    self._merge()
            except self._driver_error as error:
                if not _of_rows(error):
                    raise
                self._undo("kozmo_copy")
                self._staged, self._counts = staged, before
                if not self._mended(error):
                    return error
            else:
                self.database.execute("RELEASE SAVEPOINT kozmo_copy")
                return None

    def _singles(self, pieces: Iterable[Piece]) -> list[Single]:
        assert self.aside is not None
        found: list[Single] = []

        def take(rows: Rows) -> None:
            self.fit.check(rows)
            if self.key:
                self.fit.check_keys(rows)
            found.extend(_split(self._piece(self.values(rows), rows)))

        for piece in pieces:
            if callable(piece.origin):
                for rows in piece.origin():
                    sift(rows, take, self.aside.refuse)
            else:
                found.extend(_split(piece))
        return found

    def _widen(self, index: int) -> None:
        """An integer without limits met a bigint: make the column numeric."""
        self._binary = None
        column = self.columns[index]
        self.columns[index] = column._replace(type=LogicalType("decimal"))
        have = LogicalType("integer", bits=64)
        self.database.change_types(
            self.destination, [Change(column.name, have, LogicalType("decimal"))]
        )
        if self._stage is not None:
            name = self.database.quote(column.name)
            self.database.execute(f"ALTER TABLE {self._stage} ALTER COLUMN {name} TYPE numeric")

    def _staging(self) -> str:
        """Return the stage, made like the destination but without its constraints."""
        if self._stage is None:
            name = f"kozmo_stage_{self._number}"
            columns = ", ".join(self.database.quote(c.name) for c in self.columns)
            self.database.execute(
                f"CREATE TEMP TABLE {name} AS SELECT {columns} "
                f"FROM {self.database.text(self.destination)} WITH NO DATA"
            )
            self._stage = f"pg_temp.{name}"
        return self._stage

    def _merge(self) -> None:
        stage = self._staging()
        if self.has_unique_key:
            self._upsert(stage)
        else:
            self._update_and_insert(stage)
        if self.removes_deleted:
            self.database.execute(
                f"DELETE FROM {self._into} t USING {stage} s WHERE {self._same_key('t', 's')} "
                f"AND t.{self.database.quote(DELETED)} IS NOT NULL"
            )
        self.database.execute(f"TRUNCATE {stage}")
        self._staged = False

    @property
    def _into(self) -> str:
        return self.database.text(self.destination)

    def _upsert(self, stage: str) -> None:
        names = [c.name for c in self.columns]
        source = f"SELECT {', '.join(map(self.database.quote, names))} FROM {stage}"
        differs = self._differs("t", "excluded")
        statement = upsert(self.database, self._into, names, self.key, source, differs)
        self.database.execute("SAVEPOINT kozmo_merge")
        before = self.database.changed(self.destination)
        try:
            rows = self.database.execute(statement)
        except self._driver_error as error:
            if error.sqlstate != _SECOND_TIME:
                raise
            self.database.execute("ROLLBACK TO SAVEPOINT kozmo_merge")
            self._keep_last(stage)
            before = self.database.changed(self.destination)
            rows = self.database.execute(statement)
        self.database.execute("RELEASE SAVEPOINT kozmo_merge")
        after = self.database.changed(self.destination)
        inserted, updated = after.inserted - before.inserted, after.updated - before.updated
        # Views, triggers and servers that do not count have it otherwise.
        self.count(inserted if inserted + updated == rows else None, updated)

    def _update_and_insert(self, stage: str) -> None:
        """For a table whose key is not unique: columns that the stream lacks keep their values."""
        self._keep_last(stage)
        quote = self.database.quote
        rest = [quote(c.name) for c in self.columns if c.name not in self.key]
        same, updated = self._same_key("t", "s"), 0
        if rest:
            changes = ", ".join(f"{name} = s.{name}" for name in rest)
            updated = self.database.execute(
                f"UPDATE {self._into} t SET {changes} FROM {stage} s "
                f"WHERE {same} AND {self._differs('t', 's')}"
            )
        names = ", ".join(quote(c.name) for c in self.columns)
        inserted = self.database.execute(
            f"INSERT INTO {self._into} ({names}) SELECT {names} FROM {stage} s "
            f"WHERE NOT EXISTS (SELECT FROM {self._into} t WHERE {same})"
        )
        self.count(inserted, updated)

    def _keep_last(self, stage: str) -> None:
        # Rows lie in a stage in the order in which they came.
        self.database.execute(
            f"DELETE FROM {stage} a USING {stage} b "
            f"WHERE {self._same_key('a', 'b')} AND a.ctid < b.ctid"
        )

    def _same_key(self, one: str, other: str) -> str:
        names = map(self.database.quote, self.key)
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)

    def _differs(self, one: str, other: str) -> str:
        """Compare the images of rows: that works for types without an equality too."""
        names = [
            self.database.quote(c.name)
            for c in self.columns
            if c.name not in self.key and c.name not in NOT_DATA
        ]
        if not names:
            return "false"
        rows = (", ".join(f"{side}.{name}" for name in names) for side in (one, other))
        return "record_image_ne(ROW({}), ROW({}))".format(*rows)

    def _expect_unreferenced(self, stream: str) -> None:
        other = self.database.referencing(self.table)
        if other is not None:
            raise WriteError(
                f"cannot overwrite the table of stream {stream}",
                f"table {other} refers to it by a foreign key, and would lose its rows",
                "use load_method 'upsert' for this stream",
            )

    def _fault(self, message: str, line: int, column: int) -> RecordError:
        return self.fit.error(message, line, self.property_of(self.columns[column].name))

    def _column(self, error: psycopg.Error) -> str | None:
        found = _CONTEXT.match(error.diag.context or "")
        said = (found[2] or "") if found else ""
        names = sorted((c.name for c in self.columns), key=len, reverse=True)
        named = error.diag.column_name
        return next((n for n in names if said == n or said.startswith(f"{n}:")), named)

    def _line(self, error: psycopg.Error) -> int | None:
        """Return which line of COPY's input the server stumbled over, if it says so."""
        found = _CONTEXT.match(error.diag.context or "")
        return int(found[1]) - 1 if found else None

    def _record_error(self, error: psycopg.Error, pieces: Iterable[Piece]) -> RecordError | None:
        """Return the error for the record that COPY stumbled over, if it says which."""
        line = self._line(error)
        if line is None:
            return None
        for piece in pieces:
            length = len(piece.lines) if piece.binary else piece.blob.count(b"\n")
            if line < length:
                # Rows of an Arrow batch have one line of the input in common.
                whole = length == len(piece.lines) or piece.options != COPY_OPTIONS
                rows = rows_in(piece.blob)
                row = min(line, len(piece.lines) - 1) if whole else record_at(rows, line)
                return self._said(error, piece.lines[row])
            line -= length
        return None

    def _said(self, error: psycopg.Error, line: int) -> RecordError:
        """Return what the server says of the record that came in *line*."""
        column = self._column(error)
        details = [error.diag.message_detail] if error.diag.message_detail else []
        return RecordError(
            (error.diag.message_primary or str(error))[:300],
            *(detail[:300] for detail in details),
            stream=self.stream,
            line=line,
            path=None if column is None else f"$.{self.property_of(column) or column}",
        )

    @property
    def _driver_error(self) -> type[psycopg.Error]:
        import psycopg

        return psycopg.Error

    @contextmanager
    def _errors(self, stream: str) -> Iterator[None]:
        with system.translated(WriteError, f"target-postgres could not write stream {stream}"):
            yield


def _of_rows(error: psycopg.Error) -> bool:
    """Whether the server refuses what a row holds, rather than to work at all."""
    return (error.sqlstate or "").startswith(_OF_ROWS)


def _split(piece: Piece) -> Iterator[Single]:
    assert isinstance(piece.origin, bytes)
    lines = piece.origin.split(b"\n")
    return map(Single, rows_in(piece.blob), piece.lines, lines)


class _Copy:
    """A COPY that stays open between calls."""

    def __init__(self, connection: psycopg.Connection[Any], statement: str, options: str) -> None:
        self.options = options
        self._cursor = connection.cursor()
        self._context = self._cursor.copy(f"{statement} {options}".encode())
        self._copy = self._context.__enter__()
        if options == BINARY_OPTIONS:
            self.write(BINARY_HEADER)

    def write(self, blob: bytes) -> None:
        self._copy.write(blob)

    def end(self) -> int:
        """Say that this is all and return the number of rows; the server's errors are raised."""
        if self.options == BINARY_OPTIONS:
            self.write(BINARY_TRAILER)
        self._context.__exit__(None, None, None)
        return self._cursor.rowcount
