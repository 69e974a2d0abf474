"""Values as texts, a column at a time: as the tap wrote them, or as a record would have them.

Moments are ISO 8601 with a T, and a Z where their type has a zone and Arrow told it; binary is
base16, floats that are none are NaN, Infinity and -Infinity. A null is a null of the array.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats.writers import SURROGATE, Misfit
from kozmo_singer.wire.arrow_lines import token
from kozmo_singer.wire.rows import text_of
from kozmo_singer.wire.types import Column

if TYPE_CHECKING:
    from kozmo_singer.wire.rows import Rows

_NON_FINITE = (("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity"))


def of_rows(rows: Rows, columns: Sequence[Column]) -> list[pa.Array]:
    """Return the texts of *columns*; Misfit where one holds half of a character."""
    return [_column(column, values) for column, values in values_of(rows, columns)]


def values_of(rows: Rows, columns: Sequence[Column]) -> Iterator[tuple[Column, Sequence[Any]]]:
    """Yield each of *columns*, and its values in *rows*, which may have others too."""
    places = {column.name: place for place, column in enumerate(rows.columns)}
    for column in columns:
        yield column, rows.column(places[column.name]) if len(rows) else ()


def of_batch(batch: pa.RecordBatch, columns: Sequence[Column]) -> list[pa.Array]:
    """Return the texts of each column of *batch*."""
    triples = zip(batch.columns, batch.schema, columns, strict=True)
    return [texts(array, field, column) for array, field, column in triples]


def string_array(values: Sequence[str | None], column: str) -> pa.Array:
    """Return *values* as an array; Misfit where one holds half of a character."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        row = next(i for i, value in enumerate(values) if value and not _encodes(value))
        raise Misfit(SURROGATE, row, column) from None


def digits(token: Any) -> str:
    """Return the digits of a decimal that is kept as its JSON, or the word for what is none."""
    return str(token, "ascii").strip('"')


def spelling(column: Column) -> Callable[[Any], Any] | None:
    """Return what makes the text of a value in a Rows, None where it is one already."""
    if column.type.name == "decimal":
        return digits
    if column.type.name == "binary" and column.type.encoding == "base64":
        return lambda value: base64.b64decode(value).hex()
    return text_of(column)


def _column(column: Column, values: Sequence[Any]) -> pa.Array:
    name = column.type.name
    if name == "boolean":
        return pa.array(values, pa.bool_()).cast(pa.string())
    if name == "float":
        return _floats(pa.array(values, pa.float64()))
    if name == "integer":
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except (OverflowError, pa.ArrowInvalid):
            return pa.array([None if v is None else str(v) for v in values], pa.string())
    spell = spelling(column)
    if spell is not None:
        values = [None if value is None else spell(value) for value in values]
    return string_array(values, column.name)


def texts(array: pa.Array, field: pa.Field, column: Column) -> pa.Array:
    """Return the texts of an array of the Arrow lane."""
    array = plain(array)
    type = array.type
    if pa.types.is_string(type):
        return array
    if pa.types.is_integer(type) or pa.types.is_boolean(type) or pa.types.is_decimal(type):
        return array.cast(pa.string())
    if pa.types.is_float64(type) or pa.types.is_float32(type):
        return _floats(array)
    if array.null_count == len(array):
        return pa.nulls(len(array), pa.string())
    valid = array.is_valid() if array.null_count else None
    if valid is not None:
        # A token has its quotes outside only where no value is null.
        array = pc.fill_null_backward(pc.fill_null_forward(array))
    hexed = msgspec.structs.replace(column.type, encoding="base16")
    found = token(array, field, hexed)
    spelt = found.array if found.quoted else _unquoted(found.array)
    if column.type.name == "timestamp":
        spelt = pc.utf8_rtrim(spelt, "Z")
    return spelt if valid is None else pc.if_else(valid, spelt, pa.scalar(None, pa.string()))


def plain(array: pa.Array) -> pa.Array:
    """Return *array* as the text that it holds, where it is JSON by its type."""
    if getattr(array.type, "extension_name", None) == "arrow.json":
        array = array.storage
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array


def _unquoted(literals: pa.Array) -> pa.Array:
    found = [None if text is None else text.as_py() for text in literals]
    return pa.array([t and (msgspec.json.decode(t) if t[0] == '"' else t) for t in found])


def _floats(array: pa.Array) -> pa.Array:
    spelt = array.cast(pa.string())
    if not pc.all(pc.is_finite(array)).as_py():
        for word, name in _NON_FINITE:
            spelt = pc.if_else(pc.equal(spelt, word), name, spelt)
    return spelt


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
