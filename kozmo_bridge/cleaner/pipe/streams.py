"""One stream on its way through the rules: lines in and lines out, or Arrow in and Arrow out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from kozmo_bridge.cleaner.cleaning import Cleaner
from kozmo_bridge.cleaner.pipe.cells import Cells, cells_of, gathered
from kozmo_bridge.cleaner.pipe.columnar import arrow_array, arrow_cells
from kozmo_bridge.cleaner.pipe.records import Tokens, cells_at, marks, put_odd, record_lines
from kozmo_bridge.cleaner.pipe.shape import is_quoted, schema_after, shape_of, widened
from kozmo_bridge.cleaner.pipe.spelling import spelt
from kozmo_bridge.cleaner.plain import plain
from kozmo_bridge.cleaner.rules import Rules
from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.wire.arrow import arrow_type, field
from kozmo_singer.wire.encode import schema_line
from kozmo_singer.wire.messages import Schema
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import Column, from_schema

if TYPE_CHECKING:
    import pyarrow as pa

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
        self._record = record_lines(schema.stream, self._after.columns)

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
        tokens = Tokens(batch, names)
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
            name: arrow_cells(part.column(name), part.schema.field(name), self._types[name])
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
        self._record = record_lines(self.schema.stream, self._after.columns)
        return self.schema_line()

    def _encoded(self, batch: Sequence[Rows], tokens: Tokens, made: _Made) -> bytes:
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
        tokens: Tokens,
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
        return self._record(columns, *marks(batch, places), len(rows))

    def _change(
        self, name: str, made: _Made, tokens: Tokens
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
        series, odd = cells_at(before, made.places)
        if after.dtype != series.dtype:
            values = spelt(after, type)
            if odd is not None:
                put_odd(values, odd, gathered(tokens[origin], made.places), type.name == "string")
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
            series, odd = cells_at(made.before[origin], made.places)
            if after.dtype == series.dtype:
                changed = after.ne_missing(series) & (True if odd is None else ~odd)
                if not changed.any():
                    return old, known
        return arrow_array(after, column, old, odd), None


def _as(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    return series if series.dtype == dtype else series.cast(dtype, strict=False)
