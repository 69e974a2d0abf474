"""Columns: dropped, renamed, chosen, split, taken out of JSON."""

from __future__ import annotations

import json
import keyword
import re
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Misfit, Parameter, frames
from kozmo_bridge.cleaner.actions.replacing import pattern
from kozmo_bridge.cleaner.actions.values import is_text, named, on_distinct, visible
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

Memory = dict[str, Any]


@frames("row", aliases=("remove",))
def drop_columns(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Drops columns; those that are not there are no error."""
    return frame.drop([name for name in rule.columns if name != ROW], strict=False)


@frames(
    "row",
    mapping=Parameter(dict, "the new name of each column", required=True),
)
def rename_columns(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Gives columns other names."""
    mapping = {old: str(new) for old, new in rule.parameters["mapping"].items()}
    named(frame, mapping)
    return _renamed(frame, mapping)


def _renamed(frame: pl.DataFrame, mapping: dict[str, str]) -> pl.DataFrame:
    names = [mapping.get(name, name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two columns would be called '{twice[0]}'")
    return frame.rename(mapping)


@frames("row")
def select(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Keeps the columns named alone, in that order."""
    kept = named(frame, rule.columns)
    return frame.select([*([ROW] if ROW in frame.columns else []), *dict.fromkeys(kept)])


@frames("row", aliases=("clean_column_names",))
def clean_column_name(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Writes names of columns in snake_case: letters, digits and underscores."""
    chosen = named(frame, rule.columns)
    taken = {name for name in visible(frame) if name not in chosen}
    mapping = {}
    for name in chosen:
        clean = clean_name(name)
        made, number = clean, 2
        while made in taken:
            made, number = f"{clean}_{number}", number + 1
        taken.add(made)
        mapping[name] = made
    return frame.rename(mapping)


def clean_name(name: str) -> str:
    """Return *name* in snake_case: `First Name` and `firstName` are first_name."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip())
    words = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", words)
    clean = re.sub(r"_+", "_", re.sub(r"\W", "_", words)).strip("_").lower()
    if not clean:
        return "column"
    if clean[0].isdigit():
        return f"number_{clean}"
    return f"{clean}_" if keyword.iskeyword(clean) else clean


@frames(
    "row",
    into=Parameter(list, "the names of the new columns; groups of the pattern have their own"),
    separator=Parameter(str, "what stands between the parts; the last column takes the rest"),
    pattern=Parameter(str, "a regular expression with named groups (?P<city>...), instead"),
    keep=Parameter(bool, "whether the column stays", True),
)
def split_column(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Splits texts into columns, at a separator or by a regular expression."""
    given = rule.parameters
    if len(rule.columns) != 1:
        raise ConfigError("is for one column")
    [name] = named(frame, rule.columns)
    if not is_text(frame.schema[name]):
        raise Misfit(f"'{name}' holds {frame.schema[name]}: no texts")
    texts = frame.get_column(name).cast(pl.String)
    into = [str(each) for each in given["into"] or ()]
    if given["pattern"]:
        parts = texts.str.extract_groups(pattern(given["pattern"])).struct.unnest()
        if into and len(into) != parts.width:
            raise ConfigError(f"'into' names {len(into)} columns, the pattern has {parts.width}")
        if not parts.width:
            raise ConfigError("the pattern has no groups: (?P<name>...)")
        parts.columns = into or parts.columns
    elif not given["separator"] or not into:
        raise ConfigError("needs 'separator' and 'into', or 'pattern'")
    else:
        parts = texts.str.splitn(given["separator"], len(into)).struct.unnest()
        parts.columns = into
        parts = parts.with_columns(pl.all().str.strip_chars())
    return _put(frame, name, parts, given["keep"])


def _put(frame: pl.DataFrame, name: str, parts: pl.DataFrame, keep: bool) -> pl.DataFrame:
    """Return *frame* with *parts* behind column *name*, or instead of it."""
    taken = [n for n in parts.columns if n in frame.columns and (n != name or keep)]
    if taken and taken == parts.columns and frame.select(taken).equals(parts, null_equal=True):
        return frame  # the rule was applied before
    if taken:
        raise ConfigError(f"there is a column '{taken[0]}' already")
    at = frame.columns.index(name)
    before, after = frame.columns[:at], frame.columns[at + 1 :]
    middle = [frame.get_column(name)] if keep else []
    return pl.DataFrame(
        [*frame.select(before), *middle, *parts.get_columns(), *frame.select(after)]
    )


@frames(
    "row",
    aliases=("expand_column",),
    fields=Parameter((list, dict), "paths such as address.city; as an object: new name to path"),
    prefix=Parameter(str, "what names of new columns begin with"),
    keep=Parameter(bool, "whether the column stays", True),
)
def expand_json(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Makes columns of the fields of JSON objects; without `fields`, of those of structs."""
    if len(rule.columns) != 1:
        raise ConfigError("is for one column")
    [name] = named(frame, rule.columns)
    column, given = frame.get_column(name), rule.parameters
    fields = given["fields"]
    if fields is None and isinstance(column.dtype, pl.Struct):
        fields = [field.name for field in column.dtype.fields]
    if not fields:
        raise ConfigError("needs the parameter 'fields': the paths to take out")
    paths = dict(fields) if isinstance(fields, dict) else {str(path): path for path in fields}
    prefix = given["prefix"] or ""
    parts = pl.DataFrame(
        [_field(column, str(path)).alias(prefix + new) for new, path in paths.items()]
    )
    return _put(frame, name, parts, given["keep"])


def _field(column: pl.Series, path: str) -> pl.Series:
    """Return what stands at *path* in each cell: of structs with its type, of JSON as text."""
    steps = path.removeprefix("$.").split(".")
    if isinstance(column.dtype, pl.Struct):
        for step in steps:
            if not isinstance(column.dtype, pl.Struct):
                raise Misfit(f"'{column.name}' has no field '{path}'")
            known = [field.name for field in column.dtype.fields]
            if step not in known:
                raise ConfigError(f"there is no field '{step}'", *did_you_mean(step, known))
            column = column.struct.field(step)
        return column
    if not is_text(column.dtype):
        raise Misfit(f"'{column.name}' holds {column.dtype}: no JSON")
    return on_distinct(column.cast(pl.String), lambda text: _at(text, steps))


def _at(text: str, steps: list[str]) -> str | None:
    """Return what stands at *steps* in the JSON *text*, as text; None where there is nothing."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


@frames("row", code=Parameter(object, "is not run"))
def custom(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Mage AI's: runs Python there; refused here, with the names of what does it instead."""
    raise refusal()


def refusal() -> ConfigError:
    """Return the error that says why code in rules is not run, and what to use instead."""
    return ConfigError(
        "code in rules is never run",
        "conditions: filter, if_else; values: replace, extract, replace_values",
        "columns: addition, difference, multiply, divide, string_split, date_trunc",
    )
