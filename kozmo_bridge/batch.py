"""Rows of one stream, to be had as Data, dicts, frames or Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from kozmo_bridge.convert import data_list, dict_list, kozmo_dataframe
from kozmo_bridge.values import building
from kozmo_singer.systems.kozmoai.forms import Decimals, row_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kozmo_singer.wire.types import Column


class Batch:
    """Consecutive rows of one stream, as many as were asked for or less.

    `rows` are tuples in the order of `columns`: integers are int, decimals Decimal, binary bytes,
    json its text; uuids, dates and times text as the tap wrote them. Every to_...() returns new
    objects; a batch never changes.
    """

    def __init__(
        self,
        stream: str,
        columns: Sequence[Column],
        rows: Sequence[tuple[Any, ...]],
        key_properties: Sequence[str] = (),
    ) -> None:
        self.stream = stream
        self.columns = tuple(columns)
        self._rows = rows
        self.key_properties = tuple(key_properties)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Batch of {len(self)} rows of stream {self.stream}>"

    @property
    def rows(self) -> Sequence[tuple[Any, ...]]:
        """The rows as tuples in the order of the columns."""
        return self._rows

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def head(self, rows: int) -> Batch:
        """Return the first *rows* rows, or all if there are fewer."""
        return Batch(self.stream, self.columns, self.rows[:rows], self.key_properties)

    def joined(self, others: Sequence[Batch]) -> Batch:
        """Return the rows of this batch and of *others*, which have the same columns, as one."""
        rows = list(chain(self.rows, *(other.rows for other in others)))
        return Batch(self.stream, self.columns, rows, self.key_properties)

    def to_data(
        self,
        text_template: str | None = None,
        *,
        text_key: str = "text",
        decimals: Decimals = "exact",
    ) -> list[Any]:
        """Return KozmoAI Data objects.

        *text_template*, such as `{name}: {description}`, fills the text of each, which stands
        under *text_key*; without it the column of that name is the text, if there is one.
        """
        return data_list(
            self.names,
            self._columns(decimals),
            len(self),
            text_template=text_template,
            text_key=text_key,
            stream=self.stream,
        )

    def to_dicts(
        self,
        text_template: str | None = None,
        *,
        text_key: str = "text",
        decimals: Decimals = "exact",
    ) -> list[dict[str, Any]]:
        """Return what to_data() wraps: a dict a row, with JSON's own types."""
        return dict_list(
            self.names,
            self._columns(decimals),
            len(self),
            text_template=text_template,
            text_key=text_key,
            stream=self.stream,
        )

    def to_dataframe(self, *, decimals: Decimals = "exact") -> Any:
        """Return KozmoAI's DataFrame, with values as in Data and numbers beside gaps as Int64."""
        return kozmo_dataframe(self.names, self._columns(decimals), len(self))

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame with typed columns; see kozmo_bridge.tables."""
        from kozmo_bridge.tables import pandas_frame

        return pandas_frame(self.columns, self.rows)

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table with typed columns; see kozmo_bridge.tables."""
        from kozmo_bridge.tables import arrow_table

        return arrow_table(self.columns, self.rows)

    def _columns(self, decimals: Decimals) -> list[Sequence[Any]]:
        with building():
            return row_columns(self.columns, self.rows, decimals)
