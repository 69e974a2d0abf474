"""Frames and records to KozmoAI's Data and back, under the names that the product gave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kozmo_bridge._host import BREAKING_NAMES, host
from kozmo_bridge.values import building, native, native_list, unique_names
from kozmo_singer.errors import ConfigError
from kozmo_singer.systems.kozmoai.forms import Decimals
from kozmo_singer.systems.kozmoai.template import TextTemplate

if TYPE_CHECKING:
    import pandas as pd

Columns = Sequence[Sequence[Any]]


def mage_df_to_kozmo_data(
    df: Any,
    *,
    text_template: str | None = None,
    text_key: str = "text",
    index: bool | None = None,
    decimals: Decimals = "exact",
) -> list[Any]:
    """Return each row of a pandas or Arrow table as a KozmoAI Data object.

    Whatever gives Arrow streams, such as a polars DataFrame, is an Arrow table here. Values take
    the forms of docs/data-objects.md; *df* stays as it is. A pandas index comes along
    where it has a name, or as *index* says. *text_template* fills the text of each Data.
    """
    names, columns, rows = table_columns(df, index=index, decimals=decimals)
    return data_list(names, columns, rows, text_template=text_template, text_key=text_key)


def mage_df_to_kozmo_dataframe(
    df: Any, *, index: bool | None = None, decimals: Decimals = "exact"
) -> Any:
    """Return a pandas or Arrow table as KozmoAI's DataFrame, with values as in Data.

    Numbers with gaps are pandas' Int64, Float64 and boolean. Columns called data or model_dump,
    which break the host, get an underscore at the end.
    """
    return kozmo_dataframe(*table_columns(df, index=index, decimals=decimals))


def singer_record_to_kozmo_data(
    record: Mapping[str, Any],
    *,
    text_template: str | None = None,
    text_key: str = "text",
    decimals: Decimals = "exact",
) -> Any:
    """Return a Singer record, or the whole RECORD message, as a KozmoAI Data object."""
    stream = "record"
    inner = record.get("record")
    if record.get("type") == "RECORD" and "stream" in record and isinstance(inner, Mapping):
        stream, record = str(record["stream"]), inner
    names = unique_names(record)
    columns = [[native(value, decimals)] for value in record.values()]
    made = data_list(
        names, columns, 1, text_template=text_template, text_key=text_key, stream=stream
    )
    return made[0]


def kozmo_data_to_df(data: Any) -> pd.DataFrame:
    """Return Data objects (a list of them, one, or KozmoAI's DataFrame) as a pandas DataFrame.

    Columns stand in the order in which they first occur; what a Data lacks is missing. Whole
    numbers stay whole beside gaps (Int64). Dicts are taken for rows too.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return pd.DataFrame(data)
    from kozmo_bridge.frames import typed_frame

    rows = rows_of(data)
    names, columns = columns_of(rows)
    return typed_frame(names, columns, len(rows))


def rows_of(data: Any) -> list[Mapping[str, Any]]:
    """Return the rows of Data objects or dicts; a single one is a list of one."""
    if isinstance(data, Mapping) or is_data(data):
        data = [data]
    if not isinstance(data, Iterable) or isinstance(data, str | bytes):
        raise ConfigError(f"expected Data objects, dicts or a table, got {type(data).__name__}")
    rows = []
    for item in data:
        row = item.data if is_data(item) else item
        if not isinstance(row, Mapping):
            raise ConfigError(
                f"expected a list of Data objects or dicts, got {type(item).__name__}"
            )
        rows.append(row)
    return rows


def columns_of(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Return the names, in the order of their first occurrence, and the columns of *rows*."""
    if not rows:
        return [], []
    keys = rows[0].keys()
    if all(row.keys() == keys for row in rows):
        return list(keys), [[row[key] for row in rows] for key in keys]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return names, [[row.get(name) for row in rows] for name in names]


def is_data(value: Any) -> bool:
    """Whether *value* is a Data object, or one of its kind; KozmoAI need not be installed."""
    return hasattr(type(value), "model_fields") and isinstance(
        getattr(value, "data", None), Mapping
    )


def is_table(value: Any) -> bool:
    """Whether *value* is a pandas or Arrow table."""
    return hasattr(value, "iloc") or hasattr(value, "__arrow_c_stream__")


def table_columns(
    table: Any, *, index: bool | None = None, decimals: Decimals = "exact"
) -> tuple[list[str], list[list[Any]], int]:
    """Return the names, the columns in Data's forms and the number of rows of a table."""
    if hasattr(table, "iloc"):
        from kozmo_bridge.frames import frame_columns

        return *frame_columns(table, index=index, decimals=decimals), len(table)
    if hasattr(table, "__arrow_c_stream__"):
        from kozmo_bridge.tables import arrow_list, as_arrow

        table = as_arrow(table)
        columns = [native_list(arrow_list(column), decimals) for column in table.columns]
        return unique_names(table.column_names), columns, int(table.num_rows)
    raise ConfigError(f"expected a pandas or Arrow table, got {type(table).__name__}")


def data_list(
    names: Sequence[str],
    columns: Columns,
    rows: int,
    *,
    text_template: str | None = None,
    text_key: str = "text",
    stream: str = "the table",
) -> list[Any]:
    """Return rows, given as columns in Data's forms, as KozmoAI Data objects."""
    data = host().Data
    with building():
        dicts = _dicts(names, columns, rows, text_template, text_key, stream)
        if text_key == "text":
            return [data(data=row) for row in dicts]
        return [data(text_key=text_key, data=row) for row in dicts]


def dict_list(
    names: Sequence[str],
    columns: Columns,
    rows: int,
    *,
    text_template: str | None = None,
    text_key: str = "text",
    stream: str = "the table",
) -> list[dict[str, Any]]:
    """Return rows, given as columns, as dicts, with the text of *text_template* first in each."""
    with building():
        return list(_dicts(names, columns, rows, text_template, text_key, stream))


def _dicts(
    names: Sequence[str],
    columns: Columns,
    rows: int,
    text_template: str | None,
    text_key: str,
    stream: str,
) -> Iterator[dict[str, Any]]:
    if text_template is not None:
        template = TextTemplate(text_template)
        template.check(stream, names, text_key)
        places = [columns[names.index(field)] for field in template.fields]
        columns = [template.texts(places, rows), *columns]
        names = [text_key, *names]
    if not columns:
        return ({} for _ in range(rows))
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def kozmo_dataframe(names: Sequence[str], columns: Columns, rows: int) -> Any:
    """Return rows, given as columns in Data's forms, as KozmoAI's DataFrame."""
    from kozmo_bridge.frames import typed_frame

    frame = host().DataFrame
    safe = [f"{name}_" if name in BREAKING_NAMES else name for name in names]
    return frame(typed_frame(unique_names(safe), columns, rows))
