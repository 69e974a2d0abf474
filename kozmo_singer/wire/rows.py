"""Decoding RECORD lines of one stream: many at a time in C, and one by one where that fails."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any, Literal

import msgspec

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.checks import (
    FORMATS,
    are_decimals,
    are_numbers,
    beyond_decimals,
    is_utf8,
    looks,
    one_well_formed,
    well_formed,
)
from kozmo_singer.wire.encode import dumps, row_struct
from kozmo_singer.wire.types import Column

_TYPES: dict[str, Any] = {"boolean": bool, "integer": int, "float": float}
_UTC = re.compile(r"(?:Z|\+00(?::00)?)(?=$| BC$)")
_NULL = b"null"
_FEW_COLUMNS = 4
# It also stops at an escaped backslash before a letter.
_OTHER_ESCAPE = re.compile(rb'\\[^"\\]')
_NON_FINITE = {"NaN", "Infinity", "-Infinity", "+Infinity", "nan", "inf", "-inf"}

Parsed = dict[str, Any]
Convert = Callable[[Column], Callable[[Any], Any] | None]
Refuse = Callable[[RecordError, bytes], None]
"""Takes a record that does not fit: why, and its line as it came."""
REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that it does not take."""


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
        fields = list(enumerate(columns))
        self._formats = [(i, format) for i, c in fields if (format := _format(c)) is not None]
        self._raws = [(i, column) for i, column in fields if _raw(column)]
        self._naive = [f"f{i}" for i, c in enumerate(columns) if c.type.name == "timestamp"]

    @property
    def unknown(self) -> set[str]:
        """The fields that records had until now and the schema lacks."""
        return self._unknown

    def decode(
        self, lines: Sequence[bytes], numbers: Sequence[int], refuse: Refuse | None = None
    ) -> Rows:
        """Return the rows of *lines*; raise RecordError for the first that does not fit.

        The error's ``rows`` are those before it. With *refuse* nothing is raised: it is given those
        that do not fit, and the rows are the others.
        """
        rows = self.decode_block(b"\n".join(lines), numbers)
        if rows is not None:
            return rows
        if refuse is None:
            return self._decode_singly(lines, numbers)
        return self._decode_fitting(lines, numbers, refuse)

    def decode_block(self, block: bytes, numbers: Sequence[int]) -> Rows | None:
        """Return the rows of *block*, lines with a newline between any two.

        None where one of them is no record of this stream, does not fit or needs the careful way.
        """
        if self._decoder is None:
            return None
        try:
            messages = self._decoder.decode_lines(block)
        except REFUSED:
            return None
        rows = Rows(self, messages, numbers, block)
        if not self._check(rows):
            return None
        self._drop_zones(rows)
        return rows

    def _check(self, rows: Rows) -> bool:
        """Whether what msgspec let pass fits; brings values into the form that Rows has."""
        for place, format in self._formats:
            if not well_formed(format, rows.present(place)):
                return False
        for place, column in self._raws:
            if not self._check_raw(rows, place, column, rows.present(place)):
                return False
        return True

    def _drop_zones(self, rows: Rows) -> None:
        """On the wire a timestamp without zone is said to be in UTC, as RFC 3339 wants a zone."""
        for field in self._naive:
            for struct in rows.structs:
                value = getattr(struct, field)
                if value is not None:
                    naive = value[:-1] if value.endswith("Z") else without_zone(value)
                    setattr(struct, field, naive)
        if self._naive:
            rows.changed()

    def _check_raw(self, rows: Rows, place: int, column: Column, tokens: Sequence[Any]) -> bool:
        """Look at values that are kept as their JSON: is a decimal one, is a null one allowed."""
        quoted = False
        if column.type.name == "decimal":
            found = looks(tokens)
            nulls = b"\nnull\n" in found
            if nulls:
                found = found.replace(b"null\n", b"")
            if not are_numbers(found):
                empty = b'\n""\n' in found
                found = found.replace(b'"', b"")
                quoted = not empty and are_decimals(found)
                if not quoted:
                    return False
            if beyond_decimals(found):
                return False
            rows.looks[place] = found
        else:
            found = b"\n".join([b"", *tokens, b""])
            nulls = b"\nnull\n" in found
            if not is_utf8(found):
                return False
        if nulls and not column.nullable:
            return False
        if nulls or quoted:
            field = f"f{place}"
            for struct in rows.structs:
                setattr(struct, field, _unquoted(getattr(struct, field), quoted))
            rows.changed()
        return True

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
        found: list[Any] = []
        try:
            found.extend(map(self._decode_one, lines, numbers))
        except RecordError as error:
            good = len(found)
            error.rows = self._singles(found, lines[:good], numbers[:good])
            raise
        return self._singles(found, lines, numbers)

    def _decode_fitting(
        self, lines: Sequence[bytes], numbers: Sequence[int], refuse: Refuse
    ) -> Rows:
        def fitting(line: bytes, number: int) -> Any:
            try:
                return self._decode_one(line, number)
            except RecordError as error:
                refuse(error, line)
                return None

        found = list(map(fitting, lines, numbers))
        kept = [i for i, message in enumerate(found) if message is not None]
        return self._singles(
            [found[i] for i in kept], [lines[i] for i in kept], [numbers[i] for i in kept]
        )

    def _singles(self, messages: list[Any], lines: Sequence[bytes], numbers: Sequence[int]) -> Rows:
        rows = Rows(self, messages, numbers, b"\n".join(lines), fast=False)
        rows.look()
        self._drop_zones(rows)
        return rows

    def _decode_one(self, line: bytes, number: int) -> Any:
        if self._decoder is not None:
            try:
                message = self._decoder.decode(line)
                if self._check(Rows(self, [message], [number], line)):
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
            stream=self.stream, line=number, path=json_path(column.name),
        )  # fmt: skip

    def _warn_unknown(self, record: dict[str, Any]) -> None:
        extra = record.keys() - {column.name for column in self.columns} - self._unknown
        for name in sorted(extra):
            self._warn(f"stream {self.stream}: field '{name}' is not in its SCHEMA; left out")
        self._unknown |= extra
        if extra and self._row is not None:
            # From here on the stream is known to carry more than it says.
            self._decoder = self._make_decoder(_typed_struct(self.columns, strict=False))


class Rows:
    """Consecutive records of one stream, decoded and validated.

    block is their lines as they came, lines the numbers of these in the input; fast says that all
    were plain JSON, without a float that is none or half of a character. structs have the values as
    fields f0, f1, ...; looks is how the digits of each column of decimals look, see `checks.looks`.
    """

    stream: str
    columns: tuple[Column, ...]

    def __init__(
        self,
        decoder: StreamDecoder | Rows,
        messages: Sequence[Any],
        lines: Sequence[int],
        block: bytes,
        *,
        fast: bool = True,
    ) -> None:
        self.fast = fast
        self.block = block
        self.stream = decoder.stream
        self.columns = decoder.columns
        self.lines = lines
        self.structs = [message.record for message in messages]
        self.looks: dict[int, bytes] = {}
        self._messages = messages
        self.changed()

    def changed(self) -> None:
        """Forget what was made of the structs."""
        self._tuples: list[tuple[Any, ...]] | None = None
        self._turned: dict[int, Sequence[Any]] = {}

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def size(self) -> int:
        """The length of the lines in bytes."""
        return len(self.block)

    def part(self, start: int, stop: int) -> Rows:
        """Return the rows from *start* to before *stop*."""
        block = b"\n".join(self.block.split(b"\n")[start:stop])
        messages, lines = self._messages[start:stop], self.lines[start:stop]
        rows = Rows(self, messages, lines, block, fast=self.fast)
        rows.look()
        return rows

    def look(self) -> None:
        """Find out how the digits of each column of decimals look."""
        for place, column in enumerate(self.columns):
            if column.type.name == "decimal":
                self.looks[place] = looks(self.present(place))

    def column(self, place: int) -> Sequence[Any]:
        """The values of one column, as the structs have them."""
        found = self._turned.get(place)
        if found is None:
            rows = self._plain_tuples()
            if len(self._turned) == _FEW_COLUMNS:
                # To turn them all costs as much as to pick out some.
                self._turned = dict(enumerate(zip(*rows, strict=True)))
                return self._turned.get(place, ())
            found = self._turned[place] = list(map(itemgetter(place), rows))
        return found

    def present(self, place: int) -> Sequence[Any]:
        """The values of one column that are not null."""
        values = self.column(place)
        return [value for value in values if value is not None] if None in values else values

    def _plain_tuples(self) -> list[tuple[Any, ...]]:
        if self._tuples is None:
            self._tuples = list(map(msgspec.structs.astuple, self.structs))
        return self._tuples

    @property
    def plain(self) -> bool:
        """Whether the text surely holds no control character, for which JSON has escapes."""
        block = self.block
        if not self.fast or b"\t" in block or b"\r" in block:
            return False
        return b"\\" not in block or not _OTHER_ESCAPE.search(block)

    @property
    def versions(self) -> list[int | None]:
        """The version of each record, or None."""
        return [message.version for message in self._messages]

    @property
    def extracted(self) -> list[str | None]:
        """The time at which the tap read each record, as it wrote it, or None."""
        return [message.time_extracted for message in self._messages]

    def tuples(self, convert: Convert | None = None) -> list[tuple[Any, ...]]:
        """The rows as tuples in the order of the columns.

        Integers are int, floats float, decimals Decimal, binary bytes; json is its text; strings,
        uuids, dates and times are str as the tap wrote them. *convert* may say otherwise: it gets a
        column and returns what is applied to its values, or None to leave them. Those are as above,
        but json, mixed strings and decimals are msgspec.Raw and binary is text.
        """
        functions = {i: f for i, c in enumerate(self.columns) if (f := (convert or _python)(c))}
        if not functions or not self.structs:
            return self._plain_tuples()
        turned: list[Sequence[Any]] = list(map(self.column, range(len(self.columns))))
        for i, function in functions.items():
            turned[i] = tuple([None if v is None else function(v) for v in turned[i]])
        return list(zip(*turned, strict=True))

    def records(self) -> list[bytes]:
        """Each record as a JSON object, with every column of the schema as a key."""
        if self.fast:
            return _ENCODER.encode_lines(self.structs).split(b"\n")[:-1]
        names = [column.name for column in self.columns]
        return [
            dumps(dict(zip(names, msgspec.structs.astuple(s), strict=True))) for s in self.structs
        ]


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
    except InvalidOperation as error:
        raise _too_large(number, stream) from error
    except REFUSED:
        try:
            parsed = json.loads(line, parse_float=Decimal)
        except RecursionError as error:
            raise RecordError("nested too deep", stream=stream, line=number) from error
        except InvalidOperation as error:
            raise _too_large(number, stream) from error
        except ValueError as error:
            raise RecordError(f"not JSON: {_why(error)}", f"it reads: {_excerpt(line)}",
                              stream=stream, line=number) from error  # fmt: skip
    if not isinstance(parsed, dict):
        raise RecordError(
            f"expected a JSON object, got {_shown(parsed)}", stream=stream, line=number
        )
    return parsed


def _too_large(line: int, stream: str | None) -> RecordError:
    return RecordError("the exponent of a number is too large", stream=stream, line=line)


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


def _raw(column: Column) -> bool:
    """Whether values are kept as the JSON that they came as."""
    return column.type.name in ("json", "decimal") or column.type.mixed


def _decoded_type(column: Column) -> Any:
    if _raw(column):
        # It takes null too; a union with None would refuse objects.
        return msgspec.Raw
    kind = _TYPES.get(column.type.name, str)
    return kind | None if column.nullable else kind


def _unquoted(value: Any, quoted: bool) -> Any:
    """None for a null; the digits of a number that came as text."""
    if value is None:
        return None
    text = bytes(value)
    if text == _NULL:
        return None
    return msgspec.Raw(text.strip(b'"')) if quoted else value


def _python(column: Column) -> Callable[[Any], Any] | None:
    """How a value of a struct becomes what Rows.tuples says, None where it is that already."""
    if column.type.name == "decimal":
        return decimal
    if column.type.name == "binary":
        return base64.b64decode if column.type.encoding == "base64" else bytes.fromhex
    return text_of(column)


def text_of(column: Column) -> Callable[[Any], Any] | None:
    """How a value that is kept as its JSON becomes text; None for other columns, and decimals."""
    if column.type.name == "json":
        return _json_text
    return _scalar_text if column.type.mixed else None


def _format(column: Column) -> str | None:
    if column.type.name == "binary":
        return column.type.encoding
    return column.type.name if column.type.name in FORMATS else None


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
        number = Decimal(value) if not isinstance(value, float) else Decimal(repr(value))
    except InvalidOperation:
        return None
    return msgspec.Raw(dumps(number))


def _fit_text(value: Any, column: Column) -> Any:
    if column.type.mixed and not isinstance(value, str):
        return msgspec.Raw(dumps(value))
    if not isinstance(value, str):
        return None
    format = _format(column)
    if format is not None and not one_well_formed(format, value):
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
    "timestamptz": "a date-time", "timestamp": "a date-time", "date": "a date", "time": "a time",
    "uuid": "a uuid", "base16": "base16 text",
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


def json_path(name: str) -> str:
    """Return the JSON path of a record's field."""
    return f"$.{name}" if re.fullmatch(r"\w+", name) else f"$[{json.dumps(name)}]"


def without_zone(moment: str) -> str:
    """Return the text of a timestamp without a zone, which on the wire is said to be in UTC."""
    return moment[:-1] if moment.endswith("Z") else _UTC.sub("", moment)


def decimal(token: Any) -> Decimal:
    """Return the number of a token: digits, or in quotes what is no number."""
    return Decimal(str(token, "ascii").strip('"'))


def _json_text(value: Any) -> str:
    return str(value, "utf-8")


def _scalar_text(value: Any) -> str:
    text = str(value, "utf-8")
    return str(json.loads(text)) if text.startswith('"') else text


def _why(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    # Python's json refuses one more thing: sys.get_int_max_str_digits().
    is_text = isinstance(error, UnicodeDecodeError)
    return "the bytes are not UTF-8" if is_text else "an integer has more than 4300 digits"


def _excerpt(line: bytes) -> str:
    text = line[:60].decode("utf-8", "replace")
    return text if len(line) <= 60 else text + "..."
