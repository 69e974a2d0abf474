"""A batch that came as Arrow: frames and tables without a Python object a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from kozmo_bridge.batch import Batch
from kozmo_bridge.values import building
from kozmo_singer.systems.kozmoai.forms import Decimals, form
from kozmo_singer.wire.arrow import arrow_array, arrow_type, narrowed, pyarrow
from kozmo_singer.wire.arrow_texts import clocks, days, moments
from kozmo_singer.wire.rows import without_zone

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kozmo_singer.wire.types import Column, LogicalType


class ArrowBatch(Batch):
    """A Batch of Arrow record batches, whose columns are those of the stream.

    Whatever it gives is what a Batch of the same rows gives; `rows` are made when they are first
    asked for. A column that has text in some of *parts*, where a value has no place in its type,
    is text as a whole, as ever.
    """

    def __init__(
        self,
        stream: str,
        columns: Sequence[Column],
        parts: Sequence[pa.RecordBatch],
        key_properties: Sequence[str] = (),
    ) -> None:
        super().__init__(stream, columns, (), key_properties)
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    @cached_property
    def rows(self) -> Sequence[tuple[Any, ...]]:
        """The rows as tuples, in the forms that Batch tells of."""
        with building():
            turned = [self._values(i) for i in range(len(self.columns))]
            return list(zip(*turned, strict=True)) if turned else [()] * len(self)

    def head(self, rows: int) -> Batch:
        """Return the first *rows* rows, or all if there are fewer; no other row is looked at."""
        taken: list[pa.RecordBatch] = []
        for part in self._parts:
            taken.append(part[:rows])
            rows -= len(taken[-1])
        return ArrowBatch(self.stream, self.columns, taken, self.key_properties)

    def joined(self, others: Sequence[Batch]) -> Batch:
        """As of a Batch; rows that all came as Arrow stay that."""
        parts = list(self._parts)
        for other in others:
            if not isinstance(other, ArrowBatch):
                return super().joined(others)
            parts += other._parts
        return ArrowBatch(self.stream, self.columns, parts, self.key_properties)

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame with typed columns; see kozmo_bridge.tables."""
        from kozmo_bridge.tables import framed

        with building():
            return framed(self.names, map(self._series, range(len(self.columns))), len(self))

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table with typed columns; see kozmo_bridge.tables."""
        arrays = [self._array(i) for i in range(len(self.columns))]
        return pyarrow("to_arrow()").table(arrays, names=self.names)

    def _columns(self, decimals: Decimals) -> list[Sequence[Any]]:
        with building():
            return [
                form(column, self._values(i), decimals) for i, column in enumerate(self.columns)
            ]

    def _values(self, place: int) -> list[Any]:
        type = self.columns[place].type
        return list(chain.from_iterable(_cells(type, piece) for piece in self._pieces(place)))

    def _pieces(self, place: int) -> list[pa.Array]:
        """One column of each part; json as the text that is in it."""
        arrays = [part.column(self.names[place]) for part in self._parts]
        return [getattr(array, "storage", array) for array in arrays]

    def _typed(self, place: int) -> pa.ChunkedArray | None:
        """One column as it is, or None where its values do not have the type of the column."""
        import pyarrow as pa

        type = self.columns[place].type
        wanted = pa.float64() if type.name == "float" else arrow_type(type)
        pieces = self._pieces(place)
        # Decimals that Arrow has as text, and those that it spells with an exponent: 9.88E+4.
        spelt = type.name == "decimal" and (wanted == pa.string() or (type.scale or 0) < 0)
        if spelt or any(piece.type != wanted for piece in pieces):
            return None
        whole = pa.chunked_array(pieces, wanted)
        return _on_one_line(whole) if type.name == "json" else whole

    def _array(self, place: int) -> Any:
        type = self.columns[place].type
        whole = self._typed(place)
        if whole is None:
            return arrow_array(type, self._values(place))
        if type.name == "float" and type.bits == 32:
            return narrowed(whole.combine_chunks())
        return whole

    def _series(self, place: int) -> Any:
        from kozmo_bridge.tables import arrow_series, series

        type = self.columns[place].type
        whole = self._typed(place)
        found = None if whole is None else arrow_series(type, whole)
        return series(type, self._values(place)) if found is None else found


def _cells(type: LogicalType, array: pa.Array) -> list[Any]:
    """Values of one column as Rows.tuples() has them."""
    import pyarrow as pa

    if pa.types.is_string(array.type):
        if type.name == "json":
            array = _on_one_line(array)
        values: list[Any] = array.to_pylist()
        read = _FROM_TEXT.get(type.name)
        return values if read is None else [None if v is None else read(v) for v in values]
    spell = _SPELT.get(type.name)
    return list(array.to_pylist() if spell is None else spell(array))


def _on_one_line(documents: Any) -> Any:
    """JSON without line breaks between its tokens, as it is on a line; text has them escaped."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(documents, r"[\n\r\t]", " ")


def _floats(array: pa.Array) -> list[float | None]:
    """Those of 32 bit by their shortest names: 0.1, not 0.10000000149011612."""
    import pyarrow as pa

    named = array.cast("string") if array.type == pa.float32() else array
    return list(named.cast("float64").to_pylist())


def _digits(array: pa.Array) -> list[Decimal | None]:
    values = [None if v is None else Decimal(v) for v in array.cast("string").to_pylist()]
    if array.type.scale >= 0:
        return values
    return [None if v is None else Decimal(format(v, "f")) for v in values]


_SPELT: dict[str, Callable[[Any], list[Any]]] = {
    "float": _floats,
    "date": days,
    "time": clocks,
    "timestamp": moments,
    "timestamptz": lambda array: moments(array, "Z"),
    "decimal": _digits,
}
_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "decimal": Decimal,
    "integer": int,
    "float": float,
    "timestamp": without_zone,
}
