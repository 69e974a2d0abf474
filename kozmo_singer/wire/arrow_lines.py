"""Arrow arrays as RECORD lines, a column at a time: nothing of a row is ever a Python object.

Lines say what `RecordEncoder` says of the rows that `arrow_values.record_values` gives, and moments
without a zone end in Z, as all that a RecordEncoder spells: RFC 3339 wants a zone. What cannot be
spelt by columns goes that other way, value by value.
"""

from __future__ import annotations

import json
from array import array as c_array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.wire.arrow_values import is_json, record_values
from kozmo_singer.wire.cells import PackedLines, Row, row_decoder
from kozmo_singer.wire.encode import dumps, spell_binary
from kozmo_singer.wire.types import Column, LogicalType

SPELT = {b"kozmo:spelt": b"json"}
"""Metadata of a field of text whose values are JSON already: digits, true and false."""
_SPECIAL = b'"\\' + bytes(range(32))
_PLAIN = bytes(set(range(256)) - set(_SPECIAL))
_DAY_SECONDS = 86_400
_YEAR_ONE, _YEAR_10000 = -719_162, 2_932_897
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Token:
    """The values of a column as JSON; with *quoted* they are the inside of strings.

    A null is a null of the array. Where *array* is None every value is the JSON *constant*.
    """

    def __init__(
        self, array: pa.Array | None, *, quoted: bool = False, constant: bytes = b""
    ) -> None:
        if array is not None and quoted and array.null_count:
            # A null has no quotes.
            array = pc.binary_join_element_wise(
                _QUOTE, array, _QUOTE, _NOTHING, null_handling="emit_null"
            )
            quoted = False
        self.array, self.quoted, self.constant = array, quoted, constant

    def cut(self, start: int, stop: int) -> Token:
        """Return the values from *start* to *stop*."""
        if self.array is None:
            return self
        return Token(self.array.slice(start, stop - start), quoted=self.quoted)

    def json(self, place: int) -> bytes:
        """Return the value at *place*."""
        if self.array is None:
            return self.constant
        value = self.array[place].as_py()
        if value is None:
            return b"null"
        text: bytes = value.encode()
        return b'"' + text + b'"' if self.quoted else text


class ArrowLines(PackedLines):
    """Rows of *columns* as one Token a column."""

    def __init__(self, tokens: Sequence[Token], rows: int, columns: Sequence[Column]) -> None:
        self._tokens, self._rows, self._columns = tokens, rows, columns

    def __len__(self) -> int:
        return self._rows

    def row(self, place: int) -> Row:
        text = b",".join(token.json(place) for token in self._tokens)
        return row_decoder(self._columns)(b"[" + text + b"]")

    def cut(self, start: int, stop: int) -> ArrowLines:
        cut = [token.cut(start, stop) for token in self._tokens]
        return ArrowLines(cut, stop - start, self._columns)

    def lines(self, keys: Sequence[bytes], head: bytes, tail: bytes) -> bytes:
        before = head + b"{"
        parts: list[Any] = []
        for place, (key, token) in enumerate(zip(keys, self._tokens, strict=True)):
            before += (b"," if place else b"") + key
            if token.array is None:
                before += token.constant
                continue
            quote = b'"' if token.quoted else b""
            parts += [literal(before + quote), token.array]
            before = quote
        last = before + b"}" + tail
        if not parts:
            return last * self._rows
        joined = pc.binary_join_element_wise(
            *parts, literal(last), _NOTHING, null_handling="replace", null_replacement="null"
        )
        return data_of(joined)


def arrow_lines(batch: pa.RecordBatch, columns: Sequence[Column]) -> ArrowLines:
    """Return the rows of *batch*, whose fields are *columns* in order.

    Misfit says that a value cannot be a record's.
    """
    pairs = zip(batch.columns, batch.schema, columns, strict=True)
    tokens = [token(array, field, column.type) for array, field, column in pairs]
    return ArrowLines(tokens, batch.num_rows, columns)


def token(array: pa.Array, field: pa.Field, type: LogicalType) -> Token:
    """Return the values of *array* as JSON; *type* is what the stream's schema says of them."""
    if array.null_count == len(array):
        return Token(None, constant=b"null")
    if field.metadata and SPELT.items() <= field.metadata.items():
        return Token(array)
    if is_json(field):
        return _each(array, field, type)
    for test, spell in _SPELL:
        if getattr(pa.types, test)(array.type):
            return spell(array, type) or _each(array, field, type)
    return _each(array, field, type)


def data_of(array: pa.Array) -> bytes:
    """Return all values of a string or binary array, one after the other."""
    start, stop = _span(array)
    return bytes(memoryview(array.buffers()[2])[start:stop]) if stop > start else b""


def size_of(array: pa.Array) -> int:
    """Return how many bytes `data_of` has."""
    start, stop = _span(array)
    return stop - start


def _span(array: pa.Array) -> tuple[int, int]:
    offsets = array.buffers()[1]
    if offsets is None:
        return 0, 0
    places = memoryview(offsets).cast("i")
    return places[array.offset], places[array.offset + len(array)]


def texts(values: Iterable[str | bytes | None]) -> pa.Array:
    """Return *values* as an array of text.

    pa.array and pa.scalar would load pandas where it is installed, which takes longer than to read
    a file of some megabytes; so would every Python value that is handed to a function of Arrow.
    """
    found = [value.encode() if isinstance(value, str) else value for value in values]
    ends = accumulate((len(value or b"") for value in found), initial=0)
    mask = None
    if None in found:
        bits = sum((value is not None) << place for place, value in enumerate(found))
        mask = pa.py_buffer(bits.to_bytes(len(found) // 8 + 1, "little"))
    buffers = [mask, pa.py_buffer(c_array("i", ends)), pa.py_buffer(b"".join(filter(None, found)))]
    return pa.Array.from_buffers(pa.string(), len(found), buffers)


def literal(text: str | bytes) -> pa.Scalar:
    """Return *text* as a scalar, see `texts`."""
    return texts([text])[0]


def number(value: int) -> pa.Scalar:
    """Return *value* as a scalar of 32 bits, see `texts`."""
    return pa.Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(c_array("i", [value]))])[0]


def _each(array: pa.Array, field: pa.Field, type: LogicalType) -> Token:
    """Value by value, as a RecordEncoder spells them."""
    alone = pa.RecordBatch.from_arrays([array], schema=pa.schema([field]))
    found = [value for (value,) in record_values(alone, {field.name: type})]
    if type.name == "binary":
        found = [spell_binary(v, type.encoding) if isinstance(v, bytes) else v for v in found]
    return Token(texts(None if value is None else dumps(value) for value in found))


def _bare(array: pa.Array, type: LogicalType) -> Token:
    return Token(array.cast(pa.string()))


def _floats(array: pa.Array, type: LogicalType) -> Token | None:
    if pa.types.is_float16(array.type) or not pc.all(pc.is_finite(array)).as_py():
        return None
    return Token(array.cast(pa.string()))


def _texts(array: pa.Array, type: LogicalType) -> Token | None:
    if type.name in ("integer", "float", "boolean", "decimal", "binary", "json"):
        return None
    return Token(escaped(array.cast(pa.string())), quoted=True)


def escaped(array: pa.Array) -> pa.Array:
    """Return text as the insides of JSON strings."""
    found = set(data_of(array).translate(None, _PLAIN))
    # Escapes begin with a backslash, so those that are there come first.
    for byte in sorted(found, key=lambda byte: byte != ord("\\")):
        letter = chr(byte)
        array = pc.replace_substring(array, letter, json.dumps(letter)[1:-1])
    return array


def _binary(array: pa.Array, type: LogicalType) -> Token | None:
    if type.name != "binary" or type.encoding != "base16":
        return None
    array = array.cast(pa.binary())
    valid, offsets, _ = (pa.concat_arrays([array]) if array.offset else array).buffers()
    places = pa.Array.from_buffers(pa.int32(), len(array) + 1, [None, offsets])
    moved = pc.subtract(places, places[0])
    doubled = pc.add(moved, moved).buffers()[1]
    buffers = [valid, doubled, pa.py_buffer(data_of(array).hex().encode())]
    hexed = pa.Array.from_buffers(pa.string(), len(array), buffers, array.null_count)
    return Token(hexed, quoted=True)


def _dates(array: pa.Array, type: LogicalType) -> Token | None:
    days = array.cast(pa.date32())
    if not _between(days.cast(pa.int32()), _YEAR_ONE, _YEAR_10000):
        return None
    return Token(days.cast(pa.string()), quoted=True)


def _times(array: pa.Array, type: LogicalType) -> Token:
    wide = array.cast(pa.time64("ns"))
    return Token(_shortest(wide, (pa.time32("s"), pa.time64("us"))), quoted=True)


def _moments(array: pa.Array, type: LogicalType) -> Token | None:
    unit = array.type.unit
    units = _UNITS[unit] * _DAY_SECONDS
    # Arrow spells moments with a zone forty times more slowly; without one they stay in UTC.
    array = array.cast(pa.timestamp(unit))
    if not _between(array.cast(pa.int64()), _YEAR_ONE * units, _YEAR_10000 * units):
        return None
    made = _shortest(array, (pa.timestamp("s"), pa.timestamp("us")))
    day, clock = pc.utf8_slice_codeunits(made, 0, 10), pc.utf8_slice_codeunits(made, 11)
    return Token(pc.binary_join_element_wise(day, _T, clock, _Z, _NOTHING), quoted=True)


def _shortest(array: pa.Array, units: Sequence[pa.DataType]) -> pa.Array:
    """Texts in the coarsest of *units* that tells all values; zeros at their ends are cut off."""
    for place, unit in enumerate(units):
        try:
            made = array.cast(unit).cast(pa.string())
        except pa.ArrowInvalid:
            continue
        return made if place == 0 else _without_zeros(made)
    return _without_zeros(array.cast(pa.string()))


def _without_zeros(array: pa.Array) -> pa.Array:
    """Fractions where they are not zero, of six digits or, if need be, nine."""
    array = pc.replace_substring_regex(array, r"(\.\d{6})000$", r"\1")
    return pc.replace_substring_regex(array, r"\.0+$", "")


def _between(array: pa.Array, low: int, high: int) -> bool:
    ends = pc.min_max(array).as_py()
    return ends["min"] is None or (low <= ends["min"] and ends["max"] < high)


_QUOTE, _NOTHING, _T, _Z = (literal(letter) for letter in ('"', "", "T", "Z"))
_SPELL: tuple[tuple[str, Callable[[pa.Array, LogicalType], Token | None]], ...] = (
    ("is_integer", _bare),
    ("is_boolean", _bare),
    ("is_decimal", _bare),
    ("is_floating", _floats),
    ("is_string", _texts),
    ("is_large_string", _texts),
    ("is_string_view", _texts),
    ("is_binary", _binary),
    ("is_large_binary", _binary),
    ("is_fixed_size_binary", _binary),
    ("is_date", _dates),
    ("is_time", _times),
    ("is_timestamp", _moments),
)
