"""Cells of a stream as polars has them, and back: what no rule changed stays as it came.

A cell that has no place in the type of its column (an integer beyond 64 bits, a date in year 10000,
whatever does not fit the schema) is null to the rules and *odd*: it leaves as it came. So does a
number with more digits than a float tells, of which the rules see the float that is closest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from kozmo_singer.wire.rows import REFUSED
from kozmo_singer.wire.types import LogicalType

Tokens = Sequence[Any]
"""The JSON of each cell of a column, as msgspec.Raw; None for a null."""
_NULL = b"null"
_DIGITS = 15
"""So many digits a float of 64 bits tells, whichever they are."""
_MOMENT = "%Y-%m-%dT%H:%M:%S%.f"


@dataclass(frozen=True)
class Cells:
    """A column as the rules see it, and which of its cells they are not to touch, if any."""

    series: pl.Series
    odd: pl.Series | None = None


def dtype_of(type: LogicalType) -> pl.DataType:
    """Return the polars type in which the rules see a column of *type*.

    Numbers whose digits the schema does not tell are floats.
    """
    if type.name == "decimal" and type.precision is not None and type.precision <= 38:
        return pl.Decimal(type.precision, type.scale or 0)
    return {
        "boolean": pl.Boolean(),
        "integer": pl.Int64(),
        "float": pl.Float64(),
        "decimal": pl.Float64(),
        "date": pl.Date(),
        "time": pl.Time(),
        "timestamp": pl.Datetime("us"),
        "timestamptz": pl.Datetime("us", "UTC"),
    }.get(type.name, pl.String())


def cells_of(name: str, type: LogicalType, tokens: Tokens) -> Cells:
    """Return the column *name* of a stream."""
    kind = _plain(type)
    series = None if kind is None else _decoded(name, kind, dtype_of(type), tokens)
    if series is None:
        series = _text_series(name, type, tokens)
    present = pl.Series(name, [token is not None for token in tokens], dtype=pl.Boolean)
    return _marked(series, type, present)


def cells_of_text(series: pl.Series, type: LogicalType) -> Cells:
    """Return a column that came as text, as the Arrow lane has those with odd cells."""
    return _marked(series, type, series.is_not_null())


def _typed(series: pl.Series, type: LogicalType) -> pl.Series:
    """A column of texts in the type that the rules see; null where one does not fit."""
    dtype = dtype_of(type)
    if series.dtype == dtype:
        return series
    parse = _PARSE.get(type.name)
    return parse(series, dtype) if parse is not None else series.cast(dtype, strict=False)


def gathered(tokens: Tokens, places: Sequence[int | None] | None) -> list[Any]:
    """Return *tokens* of the rows *places*, of all without; None where a place is None."""
    if places is None:
        return list(tokens)
    return [None if place is None else tokens[place] for place in places]


def _marked(series: pl.Series, type: LogicalType, present: pl.Series) -> Cells:
    made = _typed(series, type)
    odd = present & made.is_null()
    if type.name == "decimal" and made.dtype == pl.Float64:
        # What is not the shortest name of its float may still be told by it, as 12.50 is.
        digits = series.str.replace_all(r"[^0-9]", "").str.len_bytes()
        odd |= present & (digits > _DIGITS) & made.cast(pl.String).ne_missing(series)
    return Cells(made, odd if odd.any() else None)


def _plain(type: LogicalType) -> Any:
    """What msgspec makes of the JSON of such cells, None where it takes more than that."""
    if type.mixed or type.name in ("json", "decimal"):
        return None
    return {"boolean": bool, "integer": int, "float": float}.get(type.name, str)


def _decoded(name: str, kind: Any, dtype: pl.DataType, tokens: Tokens) -> pl.Series | None:
    """All cells in one call into C; None where one of them needs the careful way."""
    values = _bulk(kind, tokens)
    if values is None:
        return None
    try:
        return pl.Series(name, values, dtype=pl.String if kind is str else dtype)
    except (OverflowError, TypeError, pl.exceptions.PolarsError):
        return None


def _bulk(kind: Any, tokens: Tokens) -> list[Any] | None:
    text = b",".join([_NULL if token is None else token for token in tokens])
    try:
        return msgspec.json.decode(b"[" + text + b"]", type=list[kind | None])
    except REFUSED:
        return None


def _text_series(name: str, type: LogicalType, tokens: Tokens) -> pl.Series:
    """The cells as text: of strings what they say, of anything else its JSON."""
    if type.name == "json":
        texts = [None if token is None else str(token, "utf-8") for token in tokens]
    else:
        texts = _bulk(str, tokens) or [_text(token) for token in tokens]
    return pl.Series(name, texts, dtype=pl.String)


def _text(token: Any) -> str | None:
    if token is None:
        return None
    text = str(token, "utf-8")
    if not text.startswith('"'):
        return text
    value: str = json.loads(text)
    try:
        value.encode()
    except UnicodeEncodeError:
        return None  # half a character has no place in a column of text
    return value


def _integers(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    whole: pl.Series = series.str.strip_suffix(".0")
    made: pl.Series = whole.cast(dtype, strict=False)
    return made


def _numbers(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Decimals where the type tells their digits, of those that have no more; else floats."""
    if isinstance(dtype, pl.Decimal):
        scale = dtype.scale or 0
        fits = series.str.contains(rf"^-?\d+(\.\d{{1,{scale}}})?$" if scale else r"^-?\d+$")
    else:
        fits = series.str.contains(r"^-?\d+\.?\d*(?:[eE][+-]?\d+)?$")
    made: pl.Series = _only(series, fits).cast(dtype, strict=False)
    return made


def _floats(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    made: pl.Series = _only(series, series.str.contains(r"^-?\d")).cast(dtype, strict=False)
    return made


def _booleans(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    known = {"true": True, "false": False}
    made: pl.Series = series.replace_strict(known, default=None, return_dtype=dtype)
    return made


def _dates(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    made: pl.Series = series.str.to_date("%Y-%m-%d", strict=False)
    return made


def _times(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    made: pl.Series = _exact(series).str.to_time("%H:%M:%S%.f", strict=False)
    return made


def _moments(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    text = _exact(series).str.replace(r"[zZ]$", "+00:00").str.replace(" ", "T", literal=True)
    made: pl.Series = text.str.to_datetime(_MOMENT + "%:z", time_unit="us", strict=False)
    return made if dtype == made.dtype else made.dt.replace_time_zone(None)


def _naive(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Moments without a zone; on the wire they are said to be in UTC."""
    text = _exact(series).str.replace(r"(?:[zZ]|\+00:?00)$", "").str.replace(" ", "T", literal=True)
    made: pl.Series = text.str.to_datetime(_MOMENT, time_unit="us", strict=False)
    return made


def _exact(series: pl.Series) -> pl.Series:
    """Without those that tell more than microseconds."""
    finer = series.str.contains(r"\.\d{6}\d*[1-9]")
    return _only(series, ~finer) if finer.any() else series


def _only(series: pl.Series, wanted: pl.Series) -> pl.Series:
    """The cells where *wanted* is true; null elsewhere."""
    return (
        series.to_frame("c")
        .select(pl.when(wanted).then(pl.col("c")))
        .to_series()
        .alias(series.name)
    )


_PARSE: dict[str, Callable[[pl.Series, pl.DataType], pl.Series]] = {
    "boolean": _booleans,
    "integer": _integers,
    "float": _floats,
    "decimal": _numbers,
    "date": _dates,
    "time": _times,
    "timestamp": _naive,
    "timestamptz": _moments,
}
