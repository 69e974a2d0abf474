"""Other tables: joined to the rows, or put below them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Parameter, frames
from kozmo_bridge.cleaner.actions.values import is_text, named, visible
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.table import ROW, Table
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

Memory = dict[str, Any]
OTHER = Parameter(object, "the other table: rows as a list of objects, or any kind of frame")
PATH = Parameter(str, "or a file of it: .parquet, .csv, .jsonl or .json")
READERS: dict[str, Callable[[str], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": pl.read_csv,
    ".jsonl": pl.read_ndjson,
    ".ndjson": pl.read_ndjson,
    ".json": pl.read_json,
}
KEYS = Parameter((str, list), "columns that must be equal, where both tables call them the same")


def other_table(given: Any, memory: Memory) -> pl.DataFrame:
    """Return the other table of a rule, read once; ConfigError says why it cannot be."""
    if "other" not in memory:
        memory["other"] = _read(given["path"]) if given["path"] else _given(given["table"])
    table: pl.DataFrame = memory["other"]
    return table


def _given(table: Any) -> pl.DataFrame:
    if table is None:
        raise ConfigError("needs the other table: 'path' or 'table'")
    if isinstance(table, list) and all(isinstance(row, dict) for row in table):
        return pl.DataFrame(table, infer_schema_length=None)
    return Table.of(table).frame.drop(ROW, strict=False)


def _read(path: str) -> pl.DataFrame:
    reader = READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise ConfigError(f"{path} is no file that can be joined", f"known: {', '.join(READERS)}")
    try:
        return reader(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"cannot read {path}", str(error).splitlines()[0]) from error


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value or ()]


@frames(
    "row",
    table=OTHER,
    path=PATH,
    on=KEYS,
    left_on=Parameter((str, list), "or: the columns of this table"),
    right_on=Parameter((str, list), "and those of the other table, in the same order"),
    how=Parameter(
        str, "which rows stay", "left",
        choices=("left", "inner", "right", "outer", "full", "semi", "anti", "cross"),
    ),
    drop_columns=Parameter((str, list), "columns to drop afterwards"),
    rename_columns=Parameter(dict, "new names afterwards"),
    rename_other=Parameter(dict, "new names of the other table's columns, before"),
    suffix=Parameter(str, "what is added to names that both tables have", "_right"),
    scope_of=lambda given: "table" if given["how"] in ("right", "outer", "full") else "row",
)  # fmt: skip
def join(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Adds the columns of another table to the rows that have the same keys."""
    given = rule.parameters
    renamed = {old: str(new) for old, new in (given["rename_other"] or {}).items()}
    other = other_table(given, memory).rename(renamed, strict=False)
    how: Any = "full" if given["how"] == "outer" else given["how"]
    if how == "cross":
        made = frame.join(other, how="cross", suffix=given["suffix"])
    else:
        left = _listed(given["left_on"] or given["on"] or rule.columns)
        right = _listed(given["right_on"] or given["on"] or rule.columns)
        right = [renamed.get(name, name) for name in right]
        frame, other = _matched(frame, other, left, right)
        made = frame.join(
            other,
            left_on=left,
            right_on=right,
            how=how,
            suffix=given["suffix"],
            coalesce=True,
            maintain_order="right_left" if how == "right" else "left_right",
        )
    made = made.drop(_listed(given["drop_columns"]), strict=False)
    names = {old: str(new) for old, new in (given["rename_columns"] or {}).items()}
    named(made, names)
    return made.rename(names)


def _matched(
    frame: pl.DataFrame, other: pl.DataFrame, left: list[str], right: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return both tables with keys of the same type: as texts, where they differ."""
    if not left or len(left) != len(right):
        raise ConfigError("needs the keys: 'on', or as many of 'left_on' as of 'right_on'")
    named(frame, left)
    for name in right:
        if name not in other.columns:
            known = did_you_mean(name, other.columns)
            raise ConfigError(f"the other table has no column '{name}'", *known)
    for a, b in zip(left, right, strict=True):
        one, two = frame.schema[a], other.schema[b]
        if one != two and not (one.is_numeric() and two.is_numeric()):
            other = other.with_columns(pl.col(b).cast(pl.String))
            frame = frame.with_columns(pl.col(a).cast(pl.String)) if not _string(one) else frame
        elif one != two:
            wide = pl.Float64 if one.is_float() or two.is_float() else pl.Int64
            frame = frame.with_columns(pl.col(a).cast(wide))
            other = other.with_columns(pl.col(b).cast(wide))
        elif is_text(one) and not _string(one):
            frame = frame.with_columns(pl.col(a).cast(pl.String))
            other = other.with_columns(pl.col(b).cast(pl.String))
    return frame, other


def _string(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String)


@frames("table", table=OTHER, path=PATH)
def union(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Puts the rows of another table below; columns that one of them lacks are null there."""
    other = other_table(rule.parameters, memory)
    same = [name for name in visible(frame) if name in other.columns]
    widened = [name for name in same if is_text(frame.schema[name]) != is_text(other.schema[name])]
    texts = [pl.col(name).cast(pl.String) for name in widened]
    return pl.concat(
        [frame.drop(ROW, strict=False).with_columns(texts), other.with_columns(texts)],
        how="diagonal_relaxed",
    )
