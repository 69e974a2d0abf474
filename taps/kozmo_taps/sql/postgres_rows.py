"""Rows of a PostgreSQL cursor as the values that go on the wire, made in C.

Results come in text format. Numbers, text and timestamps have psycopg's loaders, which are exact.
A numeric and a JSON document stay the digits and the text that the server sent (msgspec.Raw).
Where a batch holds a value that its loader refuses (infinity, years before 1 or beyond 9999, NaN)
the same result is loaded once more with loaders that give PostgreSQL's own text for it.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import psycopg
from psycopg import errors, generators, pq
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader, Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.types.datetime import TimestampLoader, TimestamptzLoader

from kozmo_singer.plugin import stopping
from kozmo_taps.sql.seen import Row
from kozmo_taps.tap import Stopped

PIECE_BYTES = 1 << 16
"""How many bytes of values a batch aims at."""
FIRST_ROWS = 50
FETCH_ROWS = 10_000
"""Rows asked for at once, first and then; they come in results of up to CHUNK_ROWS."""
CHUNK_ROWS = 128
MOST_ROWS = 2000
_LOOK_SECONDS = 0.2
_CHUNKS_SINCE = 170000
"""The libpq that can hand out a result in pieces of many rows, not one by one only."""
_ROWS = (ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK)
_CURSOR = "kozmo_tap"
_NUMBERS = ("bool", "int2", "int4", "int8", "oid", "float4", "float8")
_UNSIGNED = (28, 29, 5069)
"""xid, cid and xid8, by the numbers that every server gives them."""
_SHORT = frozenset(
    psycopg.adapters.types[name].oid
    for name in (*_NUMBERS, "date", "time", "timetz", "timestamp", "timestamptz", "uuid")
) | {*_UNSIGNED}


class _Digits(Loader):
    """Numeric and jsonb: JSON as they are; NaN and infinity are refused."""

    load = msgspec.json.Decoder(msgspec.Raw).decode  # type: ignore[assignment]  # C, without self


class _AnyNumeric(Loader):
    def load(self, data: Buffer) -> Any:
        text = bytes(data)
        return text.decode() if text[-1:] in (b"N", b"y") else msgspec.Raw(text)


class _Json(Loader):
    """json keeps the newlines it was written with; between tokens a space means the same."""

    def load(self, data: Buffer) -> msgspec.Raw:
        return msgspec.Raw(bytes(data).replace(b"\n", b" "))


class _AnyTimestamp(TimestampLoader):
    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _AnyTimestamptz(TimestamptzLoader):
    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _Loaders:
    """Makes rows of results; a context for psycopg's Transformer."""

    def __init__(self, connection: Any, *, careful: bool) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(psycopg.adapters)
        types = self.adapters.types
        text = self.adapters.get_loader(types["text"].oid, Format.TEXT)
        integer = self.adapters.get_loader(types["int8"].oid, Format.TEXT)
        assert text is not None and integer is not None
        kept = {*_NUMBERS, "timestamp", "timestamptz"}
        for type in types:
            if type.name not in kept:
                self.adapters.register_loader(type.oid, text)
            if type.array_oid:
                self.adapters.register_loader(type.array_oid, text)
        for oid in _UNSIGNED:
            self.adapters.register_loader(oid, integer)
        self.adapters.register_loader("json", _Json)
        self.adapters.register_loader("jsonb", _Digits)
        self.adapters.register_loader("numeric", _AnyNumeric if careful else _Digits)
        if careful:
            self.adapters.register_loader("timestamp", _AnyTimestamp)
            self.adapters.register_loader("timestamptz", _AnyTimestamptz)
        self._transformer = Transformer(self)

    def load(self, result: Any) -> list[Row]:
        """Return the rows of *result*."""
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


class _Cursor:
    """A declared cursor; the server sends on while the rows at hand are worked on."""

    def __init__(self, raw: Any) -> None:
        self._raw, self._pgconn = raw, raw.pgconn
        self._fast = _Loaders(raw, careful=False)
        self._careful: _Loaders | None = None
        self._asked = False

    def ask(self, count: int, chunk: int) -> None:
        """Send for *count* rows, as results of *chunk* rows each."""
        self._pgconn.send_query(f"FETCH {count} FROM {_CURSOR}".encode())
        if chunk > 1 and pq.version() >= _CHUNKS_SINCE:
            self._pgconn.set_chunked_rows_mode(chunk)
        else:
            self._pgconn.set_single_row_mode()
        self._asked = True

    def result(self) -> Any:
        """Return the next result of what was asked for, or None after the last."""
        self._await()
        result = self._raw.wait(generators.fetch(self._pgconn))
        if result is None:
            self._asked = False
        elif result.status not in _ROWS:
            self.drain()
            raise errors.error_from_result(result, encoding="utf-8")
        return result

    def _await(self) -> None:
        """Wait for the server; a wish to end cancels what it is busy with."""
        while self._pgconn.is_busy():
            if select.select([self._pgconn.socket], [], [], _LOOK_SECONDS)[0]:
                self._pgconn.consume_input()
            elif stopping.requested:
                self._raw.cancel_safe(timeout=10)
                self.drain()
                raise Stopped

    def drain(self) -> None:
        """Take what was asked for and is not wanted any more, as the protocol demands."""
        while self._asked and self._raw.wait(generators.fetch(self._pgconn)) is not None:
            pass
        self._asked = False

    def load(self, result: Any) -> list[Row]:
        """Return the rows of *result*, exactly."""
        try:
            return self._fast.load(result)
        except (psycopg.DataError, msgspec.MsgspecError):
            if self._careful is None:
                self._careful = _Loaders(self._raw, careful=True)
            return self._careful.load(result)


def fetch(raw: Any, sql: str, parameters: Sequence[Any]) -> Iterator[list[Row]]:
    """Yield the rows of *sql* in batches that are bounded in bytes, however large a row is."""
    raw.execute(f"DECLARE {_CURSOR} NO SCROLL CURSOR FOR {sql}", parameters)
    cursor = _Cursor(raw)
    try:
        yield from _batches(cursor)
    finally:
        if not raw.closed and not raw.broken:
            cursor.drain()
            if raw.info.transaction_status == pq.TransactionStatus.INTRANS:
                raw.execute(f"CLOSE {_CURSOR}")


def _batches(cursor: _Cursor) -> Iterator[list[Row]]:
    """Results come a few rows at a time; the larger those were, the fewer come in the next."""
    rows: list[Row] = []
    size, count, chunk = 0, FIRST_ROWS, 1
    long: list[Callable[[Row], Any]] | None = None
    while True:
        taken, mean = 0, 1
        cursor.ask(count, chunk)
        while (result := cursor.result()) is not None:
            if not result.ntuples:
                continue
            loaded = cursor.load(result)
            if long is None:
                fields = range(result.nfields)
                long = [itemgetter(f) for f in fields if result.ftype(f) not in _SHORT]
            length = _length(loaded, long, result.nfields)
            rows += loaded
            size += length
            taken, mean = taken + len(loaded), max(mean, length // len(loaded))
            if size >= PIECE_BYTES or len(rows) >= MOST_ROWS:
                yield rows
                rows, size = [], 0
        if taken < count:
            break
        count, chunk = FETCH_ROWS, max(1, min(CHUNK_ROWS, PIECE_BYTES // mean))
    if rows:
        yield rows


def _length(rows: Sequence[Row], long: Sequence[Callable[[Row], Any]], width: int) -> int:
    """About how many bytes *rows* take; only the fields got by *long* can be larger than a few."""
    lengths = (sum(map(len, filter(None, map(get, rows)))) for get in long)
    return 8 * width * len(rows) + sum(lengths)
