"""Decoding RECORD lines of one stream: many at a time in C, and one by one where that fails."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal

import msgspec

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.encode import dumps, row_struct
from kozmo_singer.wire.types import Column

_DATE = r"\d{4,7}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_ZONE = r"(?: ?(?:Z|z|UTC|[+-]\d\d(?::?\d\d(?::\d\d)?)?))"
_CLOCK = r"(?:[01]\d|2[0-4]):[0-5]\d(?::[0-6]\d(?:[.,]\d+)?)?"
_TIMESTAMP = rf"(?:{_DATE}(?:[Tt ]{_CLOCK}{_ZONE}?)?(?: BC)?|-?infinity)"
_FORMATS: dict[str, str] = {
    # A date may come as the midnight that it begins with; any other time would be lost.
    "date": rf"(?:{_DATE}(?:[Tt ]00:00(?::00(?:\.0+)?)?{_ZONE}?)?(?: BC)?|-?infinity)",
    "time": rf"{_CLOCK}{_ZONE}?",
    "timestamp": _TIMESTAMP,
    "timestamptz": _TIMESTAMP,
    "uuid": r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?",
    "base16": r"(?:[0-9a-fA-F]{2})*",
    "base64": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}
_ONE = {name: re.compile(pattern, re.ASCII) for name, pattern in _FORMATS.items()}
_MANY = {name: re.compile(rf"(?:{pattern}\n)*", re.ASCII) for name, pattern in _FORMATS.items()}
_TYPES: dict[str, Any] = {"boolean": bool, "integer": int, "float": float, "decimal": Decimal}
_UTC = re.compile(r"(?:Z|\+00(?::00)?)(?=$| BC$)")
_NON_FINITE = {"NaN", "Infinity", "-Infinity", "+Infinity", "nan", "inf", "-inf"}

Parsed = dict[str, Any]
REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that it does not take."""


def well_formed(name: str, values: Iterable[str]) -> bool:
    """Whether each of *values* is text of type *name*: date, time, timestamp, timestamptz, uuid."""
    return _MANY[name].fullmatch("\n".join([*values, ""])) is not None


class StreamDecoder:
    """Decodes and validates the records of one stream by its columns.

    *warn* gets a sentence once for each field that a record has and the schema lacks; such
    fields are left out of the rows.
    """

    def __init__(self, stream: str, columns: Sequence[Column], warn: Callable[[str], None]) -> None:
        self.stream = stream
        self.columns = tuple(columns)
        self._warn = warn
        self._unknown: set[str] = set()
        self._row = _typed_struct(columns, strict=True)
        self._plain_row = row_struct(columns) or row_struct(_renamed(columns))
        self._decoder = self._make_decoder(self._row)
        self._checks = [
            (attrgetter(f"record.f{i}"), format, column.name)
            for i, column in enumerate(columns)
            if (format := _format(column)) is not None
        ]
        self._naive = [f"f{i}" for i, c in enumerate(columns) if c.type.name == "timestamp"]

    def decode(self, lines: Sequence[bytes], numbers: Sequence[int]) -> Rows:
        """Return the rows of *lines*; raise RecordError for the first that does not fit.

        The error's ``rows`` are those before it.
        """
        messages: list[Any]
        if self._decoder is not None:
            try:
                messages = self._decoder.decode_lines(b"\n".join(lines))
                self._check_formats(messages, numbers)
                return self._made(messages, lines, numbers)
            except (*REFUSED, RecordError):
                pass
        return self._decode_singly(lines, numbers)

    def _made(
        self,
        messages: list[Any],
        lines: Sequence[bytes],
        numbers: Sequence[int],
        *,
        fast: bool = True,
    ) -> Rows:
        # On the wire a timestamp without zone is said to be in UTC, as RFC 3339 wants a zone.
        for field in self._naive:
            for message in messages:
                value = getattr(message.record, field)
                if value is not None:
                    setattr(message.record, field, _UTC.sub("", value))
        return Rows(self, messages, numbers, sum(map(len, lines)), fast=fast)

    def _make_decoder(self, row: Any) -> msgspec.json.Decoder[Any] | None:
        if row is None:
            return None
        message = msgspec.defstruct(
            "Record",
            [
                ("record", row),
                ("stream", Literal[self.stream]),
                ("version", int | None, None),
                ("time_extracted", str | None, None),
            ],
            tag_field="type",
            tag="RECORD",
            gc=False,
        )
        return msgspec.json.Decoder(message)

    def _decode_singly(self, lines: Sequence[bytes], numbers: Sequence[int]) -> Rows:
        messages: list[Any] = []
        try:
            messages.extend(map(self._decode_one, lines, numbers))
        except RecordError as error:
            good = len(messages)
            error.rows = self._made(messages, lines[:good], numbers[:good], fast=False)
            raise
        return self._made(messages, lines, numbers, fast=False)

    def _decode_one(self, line: bytes, number: int) -> Any:
        if self._decoder is not None:
            try:
                message = self._decoder.decode(line)
                self._check_formats([message], [number])
                return message
            except REFUSED:
                pass
        parsed = parse(line, number, self.stream)
        record = parsed.get("record")
        if not isinstance(record, dict):
            raise RecordError(
                f"expected an object, got {_shown(record)}",
                stream=self.stream, line=number, path="$.record",
            )  # fmt: skip
        values = [self._fit(record, column, number) for column in self.columns]
        self._warn_unknown(record)
        return _Message(
            self._plain_row(*values), parsed.get("version"), parsed.get("time_extracted")
        )

    def _fit(self, record: dict[str, Any], column: Column, number: int) -> Any:
        value = record.get(column.name)
        missing = column.name not in record
        if value is None and (not column.required if missing else column.nullable):
            return None
        if not missing:
            fitted = _FIT[column.type.name](value, column)
            if fitted is not None:
                return fitted
        raise RecordError(
            f"expected {_expected(column)}, got {'nothing' if missing else _shown(value)}",
            stream=self.stream, line=number, path=_path(column.name),
        )  # fmt: skip

    def _warn_unknown(self, record: dict[str, Any]) -> None:
        extra = record.keys() - {column.name for column in self.columns} - self._unknown
        for name in sorted(extra):
            self._warn(f"stream {self.stream}: field '{name}' is not in its SCHEMA; left out")
        self._unknown |= extra
        if extra and self._row is not None:
            # From here on the stream is known to carry more than it says.
            self._decoder = self._make_decoder(_typed_struct(self.columns, strict=False))

    def _check_formats(self, messages: Sequence[Any], numbers: Sequence[int]) -> None:
        for get, format, name in self._checks:
            values = [value for value in map(get, messages) if value is not None]
            if _MANY[format].fullmatch("\n".join([*values, ""])):
                continue
            for message, number in zip(messages, numbers, strict=True):
                value = get(message)
                if value is not None and not _ONE[format].fullmatch(value):
                    raise RecordError(
                        f"expected a {_SPOKEN.get(format, format)}, got {_shown(value)}",
                        stream=self.stream, line=number, path=_path(name),
                    )  # fmt: skip


class Rows:
    """Consecutive records of one stream, decoded and validated.

    lines are the numbers of their lines in the input, size their length there in bytes; fast
    says that all were plain JSON, without a float that is none or half of a character.
    """

    def __init__(
        self,
        decoder: StreamDecoder,
        messages: Sequence[Any],
        lines: Sequence[int],
        size: int,
        *,
        fast: bool = True,
    ) -> None:
        self._fast = fast
        self.stream = decoder.stream
        self.columns = decoder.columns
        self.lines = lines
        self.size = size
        self._messages = messages

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def versions(self) -> list[int | None]:
        """The version of each record, or None."""
        return [message.version for message in self._messages]

    @property
    def extracted(self) -> list[str | None]:
        """The time at which the tap read each record, as it wrote it, or None."""
        return [message.time_extracted for message in self._messages]

    @cached_property
    def _special(self) -> dict[int, Callable[[Any], Any]]:
        found: dict[int, Callable[[Any], Any]] = {}
        for i, column in enumerate(self.columns):
            if column.type.name == "json":
                found[i] = _json_text
            elif column.type.mixed:
                found[i] = _scalar_text
            elif column.type.name == "binary":
                found[i] = base64.b64decode if column.type.encoding == "base64" else bytes.fromhex
        return found

    def tuples(self) -> list[tuple[Any, ...]]:
        """The rows as tuples in the order of the columns.

        Integers are int, floats float, decimals Decimal, binary bytes; json is its text; strings,
        uuids, dates and times are str as the tap wrote them.
        """
        rows = [msgspec.structs.astuple(message.record) for message in self._messages]
        if not self._special or not rows:
            return rows
        turned = list(zip(*rows, strict=True))
        for i, convert in self._special.items():
            turned[i] = tuple([None if v is None else convert(v) for v in turned[i]])
        return list(zip(*turned, strict=True))

    def records(self) -> list[bytes]:
        """Each record as a JSON object, with every column of the schema as a key."""
        structs = [message.record for message in self._messages]
        names = [column.name for column in self.columns]
        if self._fast:
            lines = _ENCODER.encode_lines(structs)
            # A Decimal that is no number came as a string, and would be written bare.
            if b"NaN" not in lines and b"Infinity" not in lines:
                return lines.split(b"\n")[:-1]
        return [dumps(dict(zip(names, msgspec.structs.astuple(s), strict=True))) for s in structs]


class _Message(msgspec.Struct, gc=False):
    record: Any
    version: int | None
    time_extracted: str | None


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_EXACT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


def parse(line: bytes, number: int, stream: str | None = None) -> Parsed:
    """Return one line as a dict with exact numbers; what msgspec refuses goes to Python's json."""
    try:
        parsed = _EXACT.decode(line)
    except REFUSED:
        try:
            parsed = json.loads(line, parse_float=Decimal)
        except RecursionError as error:
            raise RecordError("nested too deep", stream=stream, line=number) from error
        except ValueError as error:
            raise RecordError(f"not JSON: {_why(error)}", f"it reads: {_excerpt(line)}",
                              stream=stream, line=number) from error  # fmt: skip
    if not isinstance(parsed, dict):
        raise RecordError(
            f"expected a JSON object, got {_shown(parsed)}", stream=stream, line=number
        )
    return parsed


def _typed_struct(columns: Sequence[Column], *, strict: bool) -> Any:
    names = {f"f{i}": column.name for i, column in enumerate(columns)}
    fields: list[Any] = []
    for i, column in enumerate(columns):
        kind = _decoded_type(column)
        fields.append((f"f{i}", kind) if column.required else (f"f{i}", kind, None))
    try:
        return msgspec.defstruct(
            "Row", fields, rename=names, gc=False, kw_only=True, forbid_unknown_fields=strict
        )
    except ValueError:
        return None


def _renamed(columns: Sequence[Column]) -> list[Column]:
    return [msgspec.structs.replace(column, name=f"f{i}") for i, column in enumerate(columns)]


def _decoded_type(column: Column) -> Any:
    if column.type.name == "json" or column.type.mixed:
        kind: Any = msgspec.Raw
    else:
        kind = _TYPES.get(column.type.name, str)
    return kind | None if column.nullable else kind


def _format(column: Column) -> str | None:
    if column.type.name == "binary":
        return column.type.encoding
    return column.type.name if column.type.name in _FORMATS else None


def _fit_boolean(value: Any, _: Column) -> Any:
    return value if isinstance(value, bool) else None


def _fit_integer(value: Any, _: Column) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    # JSON Schema counts 3.0 as an integer.
    whole = isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value)
    return int(value) if whole else None


def _fit_float(value: Any, _: Column) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, str) and value not in _NON_FINITE:
        return None
    number = float(value)
    overflow = (
        isinstance(value, int | Decimal) and math.isinf(number) and Decimal(value).is_finite()
    )
    return None if overflow else number


def _fit_decimal(value: Any, _: Column) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        return Decimal(value) if not isinstance(value, float) else Decimal(repr(value))
    except InvalidOperation:
        return None


def _fit_text(value: Any, column: Column) -> Any:
    if column.type.mixed and not isinstance(value, str):
        return msgspec.Raw(dumps(value))
    if not isinstance(value, str):
        return None
    format = _format(column)
    if format is not None and not _ONE[format].fullmatch(value):
        return None
    return msgspec.Raw(dumps(value)) if column.type.mixed else value


def _fit_json(value: Any, _: Column) -> Any:
    return msgspec.Raw(dumps(value))


_FIT: dict[str, Callable[[Any, Column], Any]] = {
    "boolean": _fit_boolean,
    "integer": _fit_integer,
    "float": _fit_float,
    "decimal": _fit_decimal,
    "json": _fit_json,
    **dict.fromkeys(
        ("string", "binary", "date", "time", "timestamp", "timestamptz", "uuid"), _fit_text
    ),
}
_SPOKEN = {
    "timestamptz": "date-time", "timestamp": "date-time", "base16": "base16 text",
    "base64": "base64 text", "json": "any JSON value", "float": "number", "decimal": "decimal",
}  # fmt: skip


def _expected(column: Column) -> str:
    type = column.type
    if type.name == "decimal" and type.precision is not None:
        return f"decimal({type.precision},{type.scale or 0})"
    return _SPOKEN.get(_format(column) or type.name, type.name)


def _shown(value: Any) -> str:
    text = dumps(value).decode("utf-8", "replace")
    return text if len(text) <= 60 else text[:57] + "..."


def _path(name: str) -> str:
    return f"$.{name}" if re.fullmatch(r"\w+", name) else f"$[{json.dumps(name)}]"


def _json_text(value: Any) -> str:
    return str(bytes(value), "utf-8")


def _scalar_text(value: Any) -> str:
    text = str(bytes(value), "utf-8")
    return str(json.loads(text)) if text.startswith('"') else text


def _why(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "the bytes are not UTF-8"


def _excerpt(line: bytes) -> str:
    text = line[:60].decode("utf-8", "replace")
    return text if len(line) <= 60 else text + "..."
