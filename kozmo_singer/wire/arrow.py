"""Logical types as Arrow types."""

from __future__ import annotations

import array

import pyarrow as pa

from kozmo_singer.wire.types import LogicalType

_TYPES = {
    "boolean": pa.bool_(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}


def arrow_type(type: LogicalType) -> pa.DataType:
    """Return the Arrow type of *type*."""
    if type.name == "integer":
        return {16: pa.int16(), 32: pa.int32()}.get(type.bits or 64, pa.int64())
    if type.name == "float":
        return pa.float32() if type.bits == 32 else pa.float64()
    if type.name == "decimal":
        if type.precision is None or type.precision > 76:
            return pa.string()
        wide = pa.decimal128 if type.precision <= 38 else pa.decimal256
        return wide(type.precision, type.scale or 0)
    return _TYPES.get(type.name, pa.string())


def unhexed(text: pa.Array) -> pa.Array:
    """Return *text* in base16 as binary; ValueError where it is something else."""
    valid, places, data = _parts(text)
    whole = bytes.fromhex(str(data, "ascii"))
    return _binary(text, valid, [place // 2 for place in places], whole)


def uuid_bytes(text: pa.Array) -> pa.Array:
    """Return uuids in their usual spelling as their 16 bytes; ValueError for any other spelling."""
    valid, places, data = _parts(text)
    digits = data.replace(b"-", b"")
    count = len(text) - text.null_count
    if len(data) != count * 36 or len(digits) != count * 32:
        raise ValueError("a uuid that is not written with dashes")
    whole = bytes.fromhex(str(digits, "ascii"))
    return _binary(text, valid, [place // 36 * 16 for place in places], whole)


def _parts(text: pa.Array) -> tuple[pa.Buffer | None, list[int], bytes]:
    """The validity of a string array, where each value begins and the last ends, all the text."""
    if text.offset:
        text = pa.concat_arrays([text])
    valid, offsets, data = text.buffers()
    places = memoryview(offsets).cast("i")[: len(text) + 1].tolist()
    return valid, places, bytes(memoryview(data or b"")[: places[-1]])


def _binary(text: pa.Array, valid: pa.Buffer | None, places: list[int], whole: bytes) -> pa.Array:
    buffers = [valid, pa.py_buffer(array.array("i", places)), pa.py_buffer(whole)]
    return pa.Array.from_buffers(pa.binary(), len(text), buffers, text.null_count)
