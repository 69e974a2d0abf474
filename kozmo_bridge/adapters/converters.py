"""Frames and records to Data and back, under the names of KozmoAI's first data integration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kozmo_bridge.convert import (
    kozmo_data_to_df,
    mage_df_to_kozmo_data,
    singer_record_to_kozmo_data,
)

if TYPE_CHECKING:
    import pandas as pd


def dataframe_to_data_list(df: Any) -> list[Any]:
    """Return each row of a pandas or Arrow table as Data, without the index; none of None.

    What is missing (NaN, NaT, NA) is None; dates are ISO 8601 texts.
    """
    return [] if df is None else mage_df_to_kozmo_data(df, index=False)


def data_list_to_dataframe(data_list: Any) -> pd.DataFrame:
    """Return Data objects or dicts as a pandas DataFrame; without any it is empty.

    Whole numbers stay whole beside gaps.
    """
    return kozmo_data_to_df([] if data_list is None else data_list)


def singer_record_to_data(record: Mapping[str, Any] | None) -> Any:
    """Return a Singer record, or the whole RECORD message, as Data; of None an empty one."""
    record = record or {}
    inner = record.get("record")
    # The first integration took the message for a record by this key alone.
    bare = inner if isinstance(inner, Mapping) and "stream" not in record else record
    return singer_record_to_kozmo_data(bare)


def clean_dataframe_types(df: Any) -> pd.DataFrame:
    """Return a copy of *df* whose values JSON can hold: dates as ISO 8601 texts, gaps as missing.

    The names of its columns and its index stay; of None it is an empty frame.
    """
    import pandas as pd

    from kozmo_bridge.frames import frame_columns, typed_frame

    if df is None:
        return pd.DataFrame()
    names, columns = frame_columns(df, index=False)
    made = typed_frame(names, columns, len(df))
    made.index, made.columns = df.index, df.columns
    return made
