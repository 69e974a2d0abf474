"""One stream on its way through the rules: lines in and lines out, or Arrow in and Arrow out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import polars as pl

from kozmo_bridge.cleaner.cleaning import Cleaner
from kozmo_bridge.cleaner.pipe.cells import Cells, cells_of, cells_of_text, dtype_of, gathered
from kozmo_bridge.cleaner.pipe.shape import (
    frame_type,
    is_quoted,
    schema_after,
    shape_of,
    widened,
)
from kozmo_bridge.cleaner.pipe.spelling import spelt
from kozmo_bridge.cleaner.plain import plain
from kozmo_bridge.cleaner.rules import Rules
from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.wire.arrow import arrow_type, field
from kozmo_singer.wire.arrow_values import values
from kozmo_singer.wire.encode import dumps, row_struct, schema_line, spell_binary
from kozmo_singer.wire.messages import Schema
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import Column, LogicalType, from_schema

if TYPE_CHECKING:
    import pyarrow as pa

_ENCODER = msgspec.json.Encoder()
_log = logging.getLogger("map-kozmo-clean")


@dataclass(frozen=True)
class _Made:
    """A batch after the rules.

    places: which row of the batch each row that leaves was, None where all are as before. before:
    the cells that the rules saw, by the name of their column.
    """

    frame: pl.DataFrame
    before: Mapping[str, Cells]
    places: list[int | None] | None


def lines_frame(batch: Sequence[Rows], columns: Sequence[Column]) -> pl.DataFrame:
    """Return rows that came as lines as the rules see them, with all *columns*."""
    tokens = _Tokens(batch, [column.name for column in columns])
    found = [cells_of(column.name, column.type, tokens[column.name]) for column in columns]
    return pl.DataFrame([cells.series for cells in found])


def columns_frame(part: pa.RecordBatch, columns: Sequence[Column]) -> pl.DataFrame:
    """Return rows that came as Arrow as the rules see them."""
    names = set(part.schema.names)
    empty = pl.DataFrame(schema=frame_type(columns)).clear(part.num_rows)
    found = [
        _arrow_cells(part.column(c.name), part.schema.field(c.name), c.type).series.alias(c.name)
        if c.name in names
        else empty.get_column(c.name)
        for c in columns
    ]
    return pl.DataFrame(found)


class StreamCleaner:
    """Cleans the rows of one stream by *rules*, which have learned all that they need."""

    def __init__(self, schema: Schema, rules: Rules) -> None:
        self.schema, self.rules = schema, rules
        self._shape = shape_of(schema, rules)
        self._cleaner = Cleaner(self._shape.rules)
        self._rows = 0
        self._told: set[tuple[int, str | None]] = set()
        self._types = {column.name: column.type for column in schema.columns}
        self._after = schema_after(schema, self._shape)
        self._record = _record(schema.stream, self._after.columns)

    @property
    def idle(self) -> bool:
        """Whether no rule is for this stream: its rows leave as they came."""
        return not self._shape.read and self._shape.same_columns

    def schema_line(self) -> bytes:
        """Return the SCHEMA of what leaves."""
        after = self._after
        return schema_line(
            after.stream, after.schema, after.key_properties, after.bookmark_properties or ()
        )

    @property
    def columns_after(self) -> Sequence[Column]:
        """The columns that leave."""
        return self._after.columns

    def told(self) -> dict[str, Any]:
        """Return what was done so far as JSON takes it."""
        cleaner = self._cleaner
        return {"rows": self._rows, "log": plain(cleaner.log), "faults": plain(cleaner.faults)}

    def lines(self, batch: Sequence[Rows]) -> bytes:
        """Return *batch* as RECORD lines, a new SCHEMA before them where they need one."""
        self._rows += sum(map(len, batch)) if self.idle else 0
        if self.idle:
            return b"".join(rows.block + b"\n" for rows in batch)
        names = [column.name for column in self.schema.columns]
        tokens = _Tokens(batch, names)
        seen = {
            name: cells_of(name, self._types[name], tokens[name])
            for name in names
            if name in self._shape.read
        }
        made = self._cleaned(seen, sum(map(len, batch)))
        head = self._widened(made.frame)
        return head + self._encoded(batch, tokens, made)

    def columns(self, part: pa.RecordBatch) -> tuple[bytes, pa.RecordBatch]:
        """Return *part* clean, and the line of a new SCHEMA where it needs one."""
        if self.idle:
            self._rows += part.num_rows
            return b"", part
        seen = {
            name: _arrow_cells(part.column(name), part.schema.field(name), self._types[name])
            for name in part.schema.names
            if name in self._shape.read
        }
        made = self._cleaned(seen, part.num_rows)
        head = self._widened(made.frame)
        return head, self._arrow(part, made)

    def _cleaned(self, seen: Mapping[str, Cells], height: int) -> _Made:
        frame = pl.DataFrame([cells.series.alias(name) for name, cells in seen.items()])
        numbers = pl.Series(ROW, range(height), dtype=pl.UInt32)
        made = self._cleaner.apply(frame.insert_column(0, numbers))
        self._tell()
        same = made.height == height and made.get_column(ROW).equals(numbers)
        self._rows += made.height
        places = None if same else made.get_column(ROW).to_list()
        return _Made(made.drop(ROW), seen, places)

    def _tell(self) -> None:
        """Say of each rule and column once that it met what it could not take."""
        for fault in self._cleaner.faults:
            place = (fault.step, fault.column)
            if place in self._told:
                continue
            self._told.add(place)
            where = "" if fault.column is None else f"column {fault.column}, "
            _log.warning(
                "stream %s, %srule %d (%s): %s; this is said once",
                self.schema.stream, where, fault.step, fault.action, fault.why,
            )  # fmt: skip

    def _widened(self, frame: pl.DataFrame) -> bytes:
        shape = widened(self._shape, frame)
        if shape is self._shape:
            return b""
        self._shape = shape
        self._after = schema_after(self.schema, shape)
        self._record = _record(self.schema.stream, self._after.columns)
        return self.schema_line()

    def _encoded(self, batch: Sequence[Rows], tokens: _Tokens, made: _Made) -> bytes:
        changes = {
            name: change
            for name in self._shape.dtypes
            if (change := self._change(name, made, tokens)) is not None
        }
        lines = tokens.lines if self._shape.same_columns else None
        if lines is not None and not changes and made.places is None:
            return b"".join(rows.block + b"\n" for rows in batch)
        height = made.frame.height
        if lines is None:
            return self._records(range(height), made, tokens, changes, batch)
        places = range(height) if made.places is None else made.places
        found: list[Any] = [None if place is None else lines[place] for place in places]
        anew = sorted({at for changed, _ in changes.values() for at in changed}
                      | {at for at, line in enumerate(found) if line is None})  # fmt: skip
        encoded = self._records(anew, made, tokens, changes, batch).split(b"\n")
        for at, line in zip(anew, encoded, strict=False):
            found[at] = line
        found.append(b"")
        return b"\n".join(found)

    def _records(
        self,
        rows: Sequence[int],
        made: _Made,
        tokens: _Tokens,
        changes: Mapping[str, tuple[Sequence[int], list[Any]]],
        batch: Sequence[Rows],
    ) -> bytes:
        """The rows numbered *rows*, of those that leave, as RECORD lines."""
        if not rows:
            return b""
        places = rows if made.places is None else [made.places[at] for at in rows]
        columns = []
        for name in self._shape.dtypes:
            origin = self._shape.origins.get(name)
            known = origin is not None and (name in made.frame.columns or origin in tokens)
            values = gathered(tokens[origin], places) if origin and known else [None] * len(rows)
            if name in changes:
                changed, spelled = changes[name]
                where = dict(zip(changed, spelled, strict=True))
                values = [where.get(at, old) for at, old in zip(rows, values, strict=True)]
            columns.append(values)
        return self._record(columns, *_marks(batch, places), len(rows))

    def _change(
        self, name: str, made: _Made, tokens: _Tokens
    ) -> tuple[Sequence[int], list[Any]] | None:
        """Which rows that leave have a new value in the column *name*, and which; None for none."""
        if name not in made.frame.columns:
            return None
        after = _as(made.frame.get_column(name), self._shape.dtypes[name])
        origin = self._shape.origins.get(name)
        type = from_schema((self._after.schema["properties"])[name])[0]
        if origin is None:
            return range(len(after)), spelt(after, type)
        before = made.before[origin]
        series, odd = _at(before, made.places)
        if after.dtype != series.dtype:
            values = spelt(after, type)
            if odd is not None:
                _put_odd(values, odd, gathered(tokens[origin], made.places), type.name == "string")
            return range(len(after)), values
        changed = after.ne_missing(series)
        if odd is not None:
            changed &= ~odd
        if not changed.any():
            return None
        quoted = after.dtype.is_numeric() and is_quoted(self._property(origin))
        found = changed.arg_true().to_list()
        return found, spelt(after.filter(changed), type, quoted)

    def _property(self, name: str) -> Any:
        return (self.schema.schema.get("properties") or {}).get(name)

    def _arrow(self, part: pa.RecordBatch, made: _Made) -> pa.RecordBatch:
        import pyarrow as pa

        arrays, fields = [], []
        for column in self._after.columns:
            array, known = self._array(column, part, made)
            arrays.append(array)
            fields.append(known or field(column, array.type))
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

    def _array(
        self, column: Column, part: pa.RecordBatch, made: _Made
    ) -> tuple[pa.Array, pa.Field | None]:
        """A column that leaves, and its field where that is what came."""
        import pyarrow as pa

        name, origin = column.name, self._shape.origins.get(column.name)
        places = None if made.places is None else pa.array(made.places, pa.int64())
        old = None
        if origin is not None and origin in part.schema.names:
            old = part.column(origin) if places is None else part.column(origin).take(places)
            known = part.schema.field(origin).with_name(name)
        if old is not None and (origin not in made.before or name not in made.frame.columns):
            return old, known
        if name not in made.frame.columns:
            return pa.nulls(made.frame.height, arrow_type(column.type)), None
        after = _as(made.frame.get_column(name), self._shape.dtypes[name])
        odd = None
        if origin is not None and old is not None:
            series, odd = _at(made.before[origin], made.places)
            if after.dtype == series.dtype:
                changed = after.ne_missing(series) & (True if odd is None else ~odd)
                if not changed.any():
                    return old, known
        return _arrow_array(after, column, old, odd), None


def _arrow_array(
    after: pl.Series, column: Column, old: pa.Array | None, odd: pl.Series | None
) -> pa.Array:
    """A column in the type that the wire has for it; as text where it has odd cells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(after.dtype, pl.Duration):
        after = after.dt.to_string("iso")
    if column.type.name == "binary" and after.dtype == pl.String:
        after = after.str.decode("hex" if column.type.encoding == "base16" else "base64")
    array = after.to_arrow()
    wanted = arrow_type(column.type)
    if odd is None or old is None:
        return array.cast(wanted)
    texts = array.cast(wanted).cast(pa.string())
    return pc.if_else(odd.to_arrow(), old.cast(pa.string()), texts)


def _arrow_cells(array: pa.Array, field: pa.Field, type: LogicalType) -> Cells:
    import pyarrow as pa

    if isinstance(array, pa.ExtensionArray) or type.name in ("binary", "json", "uuid"):
        texts = [_spelt_out(value, type) for value in values(array, field)]
        return cells_of_text(pl.Series(field.name, texts, dtype=pl.String), type)
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    dtype = dtype_of(type)
    if series.dtype == dtype:
        return Cells(series)
    if series.dtype == pl.String:
        return cells_of_text(series, type)
    made = series.cast(dtype, strict=False)
    odd = made.is_null() & series.is_not_null()
    return Cells(made, odd if odd.any() else None)


def _spelt_out(value: Any, type: LogicalType) -> str | None:
    """A value that polars has no type of ours for, as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes) and type.name == "uuid":
        return str(UUID(bytes=value))
    if isinstance(value, bytes):
        return spell_binary(value, type.encoding)
    return str(value, "utf-8") if isinstance(value, msgspec.Raw) else str(value)


class _Tokens:
    """The JSON of the cells of a batch, column by column as they are asked for."""

    def __init__(self, batch: Sequence[Rows], names: Sequence[str]) -> None:
        self._batch = batch
        self._places = {name: place for place, name in enumerate(names)}
        self._found: dict[str, list[Any]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def __getitem__(self, name: str) -> list[Any]:
        found = self._found.get(name)
        if found is None:
            place = self._places[name]
            found = list(chain.from_iterable(rows.column(place) for rows in self._batch))
            self._found[name] = found
        return found

    @property
    def lines(self) -> list[bytes] | None:
        """The lines of the records as they came; None where they do not stand one by one."""
        lines = [line for rows in self._batch for line in rows.block.split(b"\n")]
        return lines if len(lines) == sum(map(len, self._batch)) else None


def _as(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    return series if series.dtype == dtype else series.cast(dtype, strict=False)


def _at(cells: Cells, places: Sequence[int | None] | None) -> tuple[pl.Series, pl.Series | None]:
    """The cells that the rows which leave had."""
    if places is None:
        return cells.series, cells.odd
    where = pl.Series(places, dtype=pl.UInt32)
    odd = None if cells.odd is None else cells.odd.gather(where).fill_null(False)
    return cells.series.gather(where), odd


def _put_odd(values: list[Any], odd: pl.Series, tokens: Sequence[Any], as_text: bool) -> None:
    for at in odd.arg_true().to_list():
        text = bytes(tokens[at])
        bare = as_text and not text.startswith(b'"')
        values[at] = msgspec.Raw(msgspec.json.encode(text.decode()) if bare else text)


def _marks(
    batch: Sequence[Rows], places: Iterable[int | None]
) -> tuple[list[Any] | None, list[Any] | None]:
    """The version and the time of each row; None where there are none."""
    found = []
    for name in ("versions", "extracted"):
        marks = list(chain.from_iterable(getattr(rows, name) for rows in batch))
        some = any(mark is not None for mark in marks)
        found.append([None if p is None else marks[p] for p in places] if some else None)
    return found[0], found[1]


def _record(stream: str, columns: Sequence[Column]) -> Callable[..., bytes]:
    """Return what makes RECORD lines: of columns of JSON, versions, times, and how many rows."""
    row = row_struct(columns)
    names = [column.name for column in columns]
    head = b'{"type":"RECORD","stream":' + dumps(stream) + b',"record":'

    def lines(
        columns: Sequence[Sequence[Any]],
        versions: list[Any] | None,
        times: list[Any] | None,
        count: int,
    ) -> bytes:
        cells = zip(*columns, strict=True) if columns else iter([()] * count)
        if row is not None:
            records: list[Any] = [row(*values) for values in cells]
        else:
            records = [dict(zip(names, values, strict=True)) for values in cells]
        body: bytes = _ENCODER.encode_lines(records)
        if versions is None and times is None:
            # Encoded JSON holds no raw newline, so each newline is the end of a record.
            return head + body[:-1].replace(b"\n", b"}\n" + head) + b"}\n"
        made = []
        for at, text in enumerate(body.split(b"\n")[:-1]):
            tail = b""
            if versions is not None and versions[at] is not None:
                tail += b',"version":%d' % versions[at]
            if times is not None and times[at] is not None:
                tail += b',"time_extracted":' + _ENCODER.encode(times[at])
            made.append(head + text + tail + b"}\n")
        return b"".join(made)

    return lines
