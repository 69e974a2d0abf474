"""What a query finds in PostgreSQL, by COPY: blocks of whole rows in one of COPY's formats.

The server sends as fast as it is read and no faster; nothing is held but one block. A wish to end,
or a server that says nothing for longer than its statement_timeout, cancels the query.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import ClientCursor, errors, generators
from psycopg.pq import ExecStatus

from kozmo_singer.plugin import stopping
from kozmo_taps.tap import Stopped

_LOOK_SECONDS = 0.2
_CANCEL_SECONDS = 10


def blocks(
    raw: Any,
    sql: str,
    parameters: Sequence[Any],
    options: str,
    *,
    size: int,
    silence: float | None,
) -> Iterator[bytes]:
    """Yield what *sql* finds as COPY writes it with *options*, in blocks of about *size* bytes.

    A block that holds a single row may be larger. psycopg errors are raised as they are; Stopped
    where a signal came. *silence* is how many seconds the server may take for the next row, without
    a limit if None.
    """
    # COPY takes no parameters.
    query = ClientCursor(raw).mogrify(sql, list(parameters))
    copy = _Copy(raw, f"COPY ({query}) TO STDOUT {options}", silence)
    try:
        yield from copy.blocks(size)
    finally:
        copy.close()


class _Copy:
    """A COPY TO STDOUT under way."""

    def __init__(self, raw: Any, statement: str, silence: float | None) -> None:
        self._raw, self._pgconn, self._silence = raw, raw.pgconn, silence
        self._copying = self._ended = self._cancelled = False
        self._heard = time.monotonic()
        # So sent it can be one statement only, whatever a query of the user's may hold.
        self._pgconn.send_query_params(statement.encode(), None)
        while self._pgconn.is_busy():
            self._wait()
        self._begin()

    def _begin(self) -> None:
        result = self._result()
        self._copying = result.status == ExecStatus.COPY_OUT
        if not self._copying:
            self._end(result)

    def blocks(self, size: int) -> Iterator[bytes]:
        take = self._pgconn.get_copy_data
        parts: list[Any] = []
        add = parts.append
        length = 0
        while True:
            count, data = take(1)
            if count > 0:
                add(data)
                length += count
                if length < size:
                    continue
            elif count < 0:
                self._end(self._result())
                break
            elif self._wait():
                continue
            # Full, or the next row is long in coming: those that are there go on.
            if parts and parts[-1][-1:] == b"\n":
                yield b"".join(parts)
                parts.clear()
                length = 0
        if parts:
            yield b"".join(parts)

    def close(self) -> None:
        """Give up what is not read yet, so that the connection can be used again."""
        if self._ended or self._raw.closed or self._raw.broken:
            return
        self._cancel()
        with suppress(psycopg.Error):
            if not self._copying:
                self._begin()
            for _ in self.blocks(1 << 16):
                pass

    def _wait(self) -> bool:
        """Wait a moment for the server; return whether it had something to say."""
        ready = select.select([self._pgconn.socket], [], [], _LOOK_SECONDS)[0]
        # Whether or not something came: rows that trickle may take minutes to fill a block.
        if stopping.requested and not self._cancelled:
            self.close()
            raise Stopped
        if ready:
            self._pgconn.consume_input()
            self._heard = time.monotonic()
            return True
        if self._silence is not None and time.monotonic() - self._heard > self._silence:
            self._cancel()
        return False

    def _cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._raw.cancel_safe(timeout=_CANCEL_SECONDS)

    def _result(self) -> Any:
        return self._raw.wait(generators.fetch(self._pgconn))

    def _end(self, result: Any) -> None:
        """Take the last results; raise what the server says is wrong."""
        self._ended = True
        while self._result() is not None:
            pass
        if result.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding="utf-8")
