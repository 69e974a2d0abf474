"""Values that a database would change without a word: found before they are sent."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.checks import fit_digits
from kozmo_singer.wire.rows import decimal
from kozmo_singer.wire.types import Column

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.wire.rows import Rows

_LONGEST = {"time": len("00:00:00.123456"), "timestamp": len("2024-01-01T00:00:00.123456")}
"""A text that is no longer has no fraction finer than microseconds."""
_FINER = re.compile(r"\.\d{6}0*[1-9]")
Check = Callable[[Sequence[Any]], bool]


class Fit:
    """Checks rows of a stream against its columns: digits, length, offsets, and keys.

    A decimal with more digits than its type would be rounded, a text with spaces past its length
    cut, and a time with an offset stored without it. Where the database has *microseconds*, a finer
    fraction of a second would be rounded.
    """

    def __init__(
        self,
        stream: str,
        columns: Sequence[Column],
        keys: Sequence[str],
        *,
        microseconds: bool = False,
    ) -> None:
        self._stream = stream
        self._checks = [
            (i, column.name, *found)
            for i, column in enumerate(columns)
            for found in (_check(column), _fraction(column) if microseconds else None)
            if found is not None
        ]
        self._digits = {
            i: (c.type.precision, c.type.scale or 0)
            for i, c in enumerate(columns)
            if c.type.name == "decimal" and c.type.precision is not None
        }
        self._lengths = [
            (i, c.type.length)
            for i, c in enumerate(columns)
            if c.type.name == "string" and c.type.length is not None
        ]
        self._keys = [(i, c.name) for i, c in enumerate(columns) if c.name in keys]

    def check(self, rows: Rows) -> None:
        """Raise RecordError for the first value of a column of *rows* that does not fit."""
        for i, name, fits, expected in self._checks:
            if i in self._digits and fit_digits(rows.looks[i], *self._digits[i]):
                continue
            if not fits(rows.present(i)):
                column = rows.column(i)
                at = next(n for n, v in enumerate(column) if v is not None and not fits([v]))
                found = f"expected {expected}, got {_shown(column[at])}"
                raise self.error(found, rows.lines[at], name)

    def check_keys(self, rows: Rows) -> None:
        """Raise RecordError for the first row whose key holds null."""
        for i, name in self._keys:
            values = rows.column(i)
            if None in values:
                raise self.null_key(rows.lines[values.index(None)], name)

    def fits_columns(self, rows: pa.RecordBatch) -> bool:
        """Whether a batch surely fits; where it may not, a look at each row says why."""
        if any(rows[i].null_count for i, _ in self._keys):
            return False
        if not self._lengths:
            return True
        import pyarrow.compute as pc

        return all((pc.max(pc.utf8_length(rows[i])).as_py() or 0) <= n for i, n in self._lengths)

    def null_key(self, line: int | None, name: str) -> RecordError:
        """Return the error for a key that is null."""
        return self.error("this field is part of the key and must not be null", line, name)

    def error(self, message: str, line: int | None, name: str | None) -> RecordError:
        """Return the error for one field of one record."""
        path = None if name is None else f"$.{name}"
        return RecordError(message, stream=self._stream, line=line, path=path)


def _check(column: Column) -> tuple[Check, str] | None:
    type = column.type
    if type.name == "decimal" and type.precision is not None:
        scale = type.scale or 0
        return _digits(type.precision, scale), f"decimal({type.precision},{scale})"
    if type.name == "string" and type.length is not None:
        limit = type.length
        return (lambda values: max(map(len, values), default=0) <= limit), (
            f"at most {limit} characters"
        )
    if type.name in ("time", "timestamp"):
        return _without_offset(0 if type.name == "time" else 2), (
            f"a {'time' if type.name == 'time' else 'date-time'} without an offset"
        )
    return None


def _fraction(column: Column) -> tuple[Check, str] | None:
    if column.type.name not in ("time", "timestamp", "timestamptz"):
        return None
    longest = _LONGEST[column.type.name.removesuffix("tz")]

    def fits(values: Sequence[Any]) -> bool:
        if max(map(len, values), default=0) <= longest:
            return True
        joined = "\n".join(values)
        if "," in joined:
            joined = joined.replace(",", ".")
        return "." not in joined or _FINER.search(joined) is None

    return fits, "at most 6 digits of a second"


def _digits(precision: int, scale: int) -> Check:
    context = Context(prec=precision, traps=[Inexact, InvalidOperation])
    unit = Decimal(1).scaleb(-scale)

    def fits(values: Sequence[Any]) -> bool:
        try:
            numbers = map(decimal, values)
            deque(map(Decimal.quantize, numbers, repeat(unit), repeat(None), repeat(context)), 0)
        except DecimalException:
            return False
        return True

    return fits


def _without_offset(dashes: int) -> Check:
    """Counts signs: a text without an offset has so many dashes and no plus."""

    def fits(values: Sequence[Any]) -> bool:
        joined = "".join(values)
        if "+" in joined:
            return False
        infinite = joined.count("infinity")
        signs = joined.count("-") - joined.count("-infinity")
        return signs <= dashes * (len(values) - infinite)

    return fits


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    if isinstance(value, msgspec.Raw):
        text = str(decimal(value))
    return text if len(text) <= 60 else text[:57] + "..."
