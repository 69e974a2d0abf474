"""Arrow batches as COPY's binary format, encoded in Rust by pgpq, or as its CSV, in C++ by pyarrow.

Binary COPY takes each value in the form of the column's own type, so batches are brought to the
types of the table first. https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.4
CSV takes what has no such form in Arrow: digits of a numeric without precision, infinity, enums.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pgpq
import pyarrow as pa

from kozmo_singer.wire.arrow import uuid_bytes

# pyarrow's own allocator keeps what batches of a megabyte need no more.
pa.set_memory_pool(pa.system_memory_pool())
_TYPES = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "text": pa.string(),
    "character": pa.string(),
    "character varying": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time without time zone": pa.time64("us"),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "json": pa.string(),
}
_TEXTUAL = ("text", "character", "character varying")
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_LIMIT = re.compile(r"\(\d+\)")


class BinaryRows:
    """Encodes batches for a table whose columns have the types *formatted*, by format_type()."""

    def __init__(self, formatted: Sequence[str]) -> None:
        self._columns = [_converter(type) for type in formatted]
        self._textual = [_LIMIT.sub("", type) in _TEXTUAL for type in formatted]

    def encode(self, batch: pa.RecordBatch) -> bytes | None:
        """Return the rows of *batch*, without a header; None where a column has no binary form."""
        arrays = []
        for convert, values in zip(self._columns, _plain(batch), strict=True):
            made = None if convert is None else convert(values)
            if made is None:
                return None
            arrays.append(made)
        ready = pa.RecordBatch.from_arrays(arrays, names=[f"f{i}" for i in range(len(arrays))])
        encoder = pgpq.ArrowToPostgresBinaryEncoder(ready.schema)
        encoder.write_header()
        # It holds back what is less than its buffer, and the end has a trailer of two bytes.
        return (encoder.write_batch(ready) + encoder.finish())[:-2]

    def csv(self, batch: pa.RecordBatch) -> bytes | None:
        """Return the rows of *batch* as CSV; None where only a look at each row will do."""
        from pyarrow import csv

        arrays = []
        for textual, values in zip(self._textual, _plain(batch), strict=True):
            is_text = pa.types.is_string(values.type)
            # What a text column holds of a number or a moment is for the text lane to say.
            if (textual and not is_text) or (is_text and _holds_nul(values)):
                return None
            arrays.append(_hexed(values) if pa.types.is_binary(values.type) else values)
        table = pa.Table.from_arrays(arrays, names=[f"f{i}" for i in range(len(arrays))])
        sink = pa.BufferOutputStream()
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
        return bytes(sink.getvalue())


def _plain(batch: pa.RecordBatch) -> list[pa.Array]:
    """The columns of *batch*; JSON is an extension type, to a pyarrow that knows it."""
    return [getattr(values, "storage", values) for values in batch.columns]


def _holds_nul(values: pa.Array) -> bool:
    data = _data(values)
    return b"\0" in data or b"\\u0000" in data


def _hexed(values: pa.Array) -> pa.Array:
    return pa.array(
        [None if v is None else "\\x" + v.hex() for v in values.to_pylist()], pa.string()
    )


Convert = Callable[[pa.Array], "pa.Array | None"]


def _converter(formatted: str) -> Convert | None:
    """How an Arrow column becomes one of type *formatted*; None for types of which we know less."""
    if formatted == "uuid":
        return _uuids
    if formatted == "jsonb":
        return _documents
    number = _NUMERIC.fullmatch(formatted)
    if number is not None:
        precision, scale = map(int, number.groups())
        return _to(pa.decimal128(precision, scale)) if precision <= 38 else None
    type = _TYPES.get(_LIMIT.sub("", formatted))
    if type is None:
        return None
    return _texts if type == pa.string() else _to(type)


def _to(type: pa.DataType) -> Convert:
    def cast(values: pa.Array) -> pa.Array | None:
        if values.type == type:
            return values
        if pa.types.is_string(values.type):
            return None
        try:
            return values.cast(type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None

    return cast


def _texts(values: pa.Array) -> pa.Array | None:
    """Text without a NUL, which PostgreSQL cannot store."""
    # pyarrow.compute would find it too, but takes as long to load as all else together.
    return values if pa.types.is_string(values.type) and b"\0" not in _data(values) else None


def _documents(values: pa.Array) -> pa.Array | None:
    """The text of JSON, after the version of the binary form; in jsonb no text may hold a NUL."""
    if not pa.types.is_string(values.type) or b"\\u0000" in _data(values):
        return None
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(b"\x01", values.cast(pa.binary()), b"")


def _data(values: pa.Array) -> bytes:
    data = values.buffers()[2]
    return b"" if data is None else data.to_pybytes()


def _uuids(values: pa.Array) -> pa.Array | None:
    try:
        return uuid_bytes(values) if pa.types.is_string(values.type) else None
    except ValueError:
        return None
