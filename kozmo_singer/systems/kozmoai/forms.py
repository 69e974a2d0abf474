"""The form that each value of a Singer row takes in a KozmoAI Data object: JSON's own types only.

The host shows, stores and sends nothing else unharmed: it turns Decimal into float, stamps a zone
on naive moments, writes bare NaN into its database and hangs on numpy's datetime64.
docs/data-objects.md has the whole table.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from kozmo_singer.systems.kozmoai.template import TextTemplate
from kozmo_singer.wire.encode import dumps, row_struct
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import Column

Decimals = Literal["exact", "float", "string"]
"""How a decimal is written: as a number where a float holds all its digits and else as text;
always as the nearest float; always as text."""

FLOAT_DIGITS = 15
"""Any decimal of so many digits comes back from a float as it went in."""
_ENCODER = msgspec.json.Encoder()
_LETTER = re.compile("[A-Za-z]")


def finite(value: float) -> float | str | None:
    """Return a float as it is, NaN as None, an infinity as the word Infinity or -Infinity."""
    if math.isfinite(value):
        return value
    return None if value != value else "Infinity" if value > 0 else "-Infinity"


def exact_number(value: Decimal) -> int | float | str | None:
    """Return a decimal as int or float where that loses no digit, else its digits as text."""
    if not value.is_finite():
        return None if value.is_nan() else finite(float(value))
    if value.as_tuple().exponent == 0:
        return int(value)
    near = float(value)
    return near if math.isfinite(near) and Decimal(repr(near)) == value else str(value)


def nearest_float(value: Decimal) -> float | str | None:
    """Return a decimal as the float that is nearest to it."""
    return None if value.is_nan() else finite(float(value))


def digits(value: Decimal) -> str | None:
    """Return a decimal as text."""
    return str(value) if value.is_finite() else exact_number(value)  # type: ignore[return-value]


DECIMALS: dict[str, Callable[[Decimal], Any]] = {
    "exact": exact_number,
    "float": nearest_float,
    "string": digits,
}


def encodable(text: str) -> bool:
    """Whether *text* can be written in UTF-8, that is, has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def mended(text: str) -> str:
    """Join halves of surrogate pairs; a half on its own, which has no UTF-8, becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def texts(values: Sequence[str | None]) -> Sequence[str | None]:
    """Return *values* with those mended that UTF-8 cannot write."""
    if encodable("".join(filter(None, values))):
        return values
    return [None if value is None else mended(value) for value in values]


def floats(values: Sequence[float | None]) -> Sequence[Any]:
    """Return *values* with NaN as None and infinities as words."""
    if math.isfinite(sum(filter(None, values))):
        return values
    return [None if value is None else finite(value) for value in values]


def row_columns(
    columns: Sequence[Column], rows: Sequence[tuple[Any, ...]], decimals: Decimals = "exact"
) -> list[Sequence[Any]]:
    """Return the columns of *rows*, which are tuples as Rows.tuples() gives them, in Data's forms.

    Binary is base64, json its Python objects; text, uuids, dates and times stay as the tap wrote
    them.
    """
    turned: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(columns)
    return [form(column, values, decimals) for column, values in zip(columns, turned, strict=True)]


def form(column: Column, values: Sequence[Any], decimals: Decimals = "exact") -> Sequence[Any]:
    """Return the values of one column, in the forms of Rows.tuples(), in Data's forms."""
    kind = column.type.name
    if kind in ("boolean", "integer"):
        return values
    if kind == "float":
        return floats(values)
    if kind == "binary":
        return [None if v is None else base64.b64encode(v).decode() for v in values]
    if kind == "json":
        return _parsed(values)
    if kind == "decimal":
        return _decimals(values, decimals)
    return texts(values)


def _decimals(values: Sequence[Decimal | None], decimals: Decimals) -> list[Any]:
    if decimals == "exact":
        spelt = [None if value is None else str(value) for value in values]
        if _short(spelt):
            return [
                text if text is None else float(text) if "." in text else int(text)
                for text in spelt
            ]
    convert = DECIMALS[decimals]
    return [None if value is None else convert(value) for value in values]


def _short(spelt: Sequence[str | None]) -> bool:
    """Whether all are plain digits, and so few that a float keeps them."""
    present = list(filter(None, spelt))
    longest = max(map(len, present), default=0)
    # A point or a sign may be among them; words and exponents have letters.
    return longest <= FLOAT_DIGITS + 1 and not _LETTER.search("".join(present))


def _parsed(values: Sequence[str | None]) -> list[Any]:
    """One call for a whole column of JSON texts."""
    joined = "[" + ",".join(["null" if value is None else value for value in values]) + "]"
    try:
        found: list[Any] = msgspec.json.decode(joined)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        found = [None if value is None else _parsed_slowly(value) for value in values]
    return found


def _parsed_slowly(text: str) -> Any:
    import json

    try:
        return _clean(json.loads(text, parse_constant=lambda word: finite(float(word))))
    except ValueError:
        return mended(text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {mended(name): _clean(item) for name, item in value.items()}
    return value


class RecordWriter:
    """Writes rows of one stream as the JSON objects that go into Data's field data.

    Where the text on the wire has Data's form already, which is the rule, it is passed on. The
    text of *template* goes in front of each object under *text_key*.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        template: TextTemplate | None = None,
        text_key: str = "text",
    ) -> None:
        self._columns = columns
        self._names = [dumps(column.name) for column in columns]
        self._struct = row_struct(columns)
        kinds = {column.type.name for column in columns}
        self._respelt = any(
            column.type.mixed or (column.type.name == "binary" and column.type.encoding != "base64")
            for column in columns
        )
        self._numbers = bool(kinds & {"float", "decimal"})
        self._decimals = [i for i, c in enumerate(columns) if c.type.name == "decimal"]
        self._template, self._head = template, b"{" + dumps(text_key) + b":"
        names = [column.name for column in columns]
        self._fields = [names.index(field) for field in template.fields] if template else []

    def records(self, rows: Rows) -> list[bytes]:
        """Return each row as a JSON object."""
        records = self._passed_on(rows)
        if records is None:
            records = self.encode(row_columns(self._columns, rows.tuples()))
        return records if self._template is None else self._with_text(records, rows, self._template)

    def _passed_on(self, rows: Rows) -> list[bytes] | None:
        """The records as they came, or None where some value has another form in Data."""
        if self._respelt:
            return None
        records = rows.records()
        special = self._needs_care(records) or self._has_special_decimals(rows)
        return None if special else records

    def _with_text(self, records: list[bytes], rows: Rows, template: TextTemplate) -> list[bytes]:
        chosen = [self._columns[i] for i in self._fields]
        values = [tuple([row[i] for i in self._fields]) for row in rows.tuples()]
        texts = template.texts(row_columns(chosen, values), len(records))
        spelt = _ENCODER.encode_lines(texts).split(b"\n")
        head, join = self._head, b"," if self._columns else b""
        return [
            head + text + join + record[1:] for text, record in zip(spelt, records, strict=False)
        ]

    def encode(self, columns: Sequence[Sequence[Any]]) -> list[bytes]:
        """Return rows given as columns in Data's forms as JSON objects."""
        rows = zip(*columns, strict=True)
        if self._struct is not None:
            make = self._struct
            return _ENCODER.encode_lines([make(*row) for row in rows]).split(b"\n")[:-1]
        names = self._names
        return [
            b"{"
            + b",".join([name + b":" + dumps(v) for name, v in zip(names, row, strict=True)])
            + b"}"
            for row in rows
        ]

    def _needs_care(self, records: Sequence[bytes]) -> bool:
        """Whether a word for a number that is none, or half a surrogate pair, may be in there."""
        joined = b"\n".join(records)
        if self._numbers and (b'"NaN"' in joined or b'"Infinity"' in joined):
            return True
        return b"\\ud" in joined or b"\\uD" in joined

    def _has_special_decimals(self, rows: Rows) -> bool:
        """Whether a decimal is one that JSON's readers, which make a float of it, would change."""
        if not self._decimals:
            return False
        tuples = rows.tuples()
        return not all(
            _short([str(row[i]) for row in tuples if row[i] is not None]) for i in self._decimals
        )
