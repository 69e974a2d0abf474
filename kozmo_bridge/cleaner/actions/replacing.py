"""Values are replaced: one by one, by a mapping, by a regular expression."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, cells, frames
from kozmo_bridge.cleaner.actions.values import fitting, is_text, named, of_words
from kozmo_bridge.cleaner.patterns import FORMS
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

_MAPPING = Parameter(dict, "what each value becomes", required=True)
VALID = {
    **FORMS,
    "number": r"^\s*[+-]?\d+(?:\.0*)?\s*$",
    "number_with_decimals": r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$",
    "true_or_false": r"(?i)^\s*(?:true|false|yes|no|y|n|t|f|on|off|1|0)\s*$",
}
"""How values of each kind are written, to tell those that cannot be one."""


def pattern(text: Any) -> str:
    """Return the regular expression *text*; ConfigError says what is wrong with it."""
    try:
        pl.Series([""]).str.contains(str(text))
    except pl.exceptions.PolarsError as error:
        lines = [line for line in str(error).splitlines() if line.startswith("error")]
        raise ConfigError(
            f"'{text!s:.80}' is no regular expression",
            *lines[:1],
            "it is read as Rust does: no look-around, no back references",
        ) from error
    return str(text)


def replacement(text: str) -> str:
    r"""Return *text*, in which groups are \1 or \g<name> as in Python, as polars takes it."""
    text = text.replace("$", "$$")
    text = re.sub(r"\\g<(\w+)>", r"${\1}", text)
    return re.sub(r"\\(\d+)", r"${\1}", text)


@cells(
    "any",
    old_value=Parameter(object, "a value, a list, or a regular expression", required=True),
    new_value=Parameter(object, "what it becomes; null if it is not given"),
    regex=Parameter(bool, "whether old_value is a regular expression, for parts of texts", False),
)  # fmt: skip
def replace(column: pl.Series, given: Given) -> pl.Series:
    """Replaces a value, or what a regular expression finds in texts."""
    old, new = given["old_value"], given["new_value"]
    if given["regex"]:
        if not is_text(column.dtype):
            return column
        found = pattern(old)
        if new is None:
            return of_words(column, lambda texts: texts.set(texts.str.contains(found), None))
        into = replacement(str(new))
        return of_words(column, lambda texts: texts.str.replace_all(found, into))
    olds = old if isinstance(old, list | tuple) else [old]
    return _mapped(column, [(each, new) for each in olds])


@cells("any", mapping=_MAPPING)
def replace_values(column: pl.Series, given: Given) -> pl.Series:
    """Replaces values by a mapping; others stay."""
    return _mapped(column, list(given["mapping"].items()))


@cells(mapping=_MAPPING)
def unify_spellings(column: pl.Series, given: Given) -> pl.Series:
    """Writes values that mean the same in the same way, by a mapping of spellings."""
    return _mapped(column, list(given["mapping"].items()))


def _mapped(column: pl.Series, pairs: list[tuple[Any, Any]]) -> pl.Series:
    """Return *column* with values replaced; what no cell of its type can be is in none."""
    fits = []
    for old, new in pairs:
        try:
            before = fitting(old, column.dtype)
        except Misfit:
            continue
        fits.append((before, fitting(new, column.dtype)))
    if not fits:
        return column
    if column.dtype.is_integer() and any(new.dtype.is_float() for _, new in fits):
        column = column.cast(pl.Float64)
    dtype = pl.String if is_text(column.dtype) else column.dtype
    before = pl.concat([old.cast(dtype) for old, _ in fits])
    after = pl.concat([new.cast(dtype) for _, new in fits])
    once = before.is_first_distinct()
    before, after = before.filter(once), after.filter(once)
    return of_words(column, lambda values: values.replace(before, after))


@frames(
    "row",
    "text",
    pattern=Parameter(str, "a regular expression", required=True),
    group=Parameter((int, str), "the group to take: its number or name; 0 is all of it"),
    into=Parameter(str, "a new column for it; else it takes the place of the text"),
)
def extract(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Takes the part of texts that a regular expression finds; without `into`, others stay."""
    given = rule.parameters
    found = pattern(given["pattern"])
    group = _group(found, given["group"])
    names = [n for n in named(frame, rule.columns) if is_text(frame.schema[n])]
    if given["into"] and len(names) != 1:
        raise ConfigError("the parameter 'into' is for one column of text")
    made = []
    for name in names:
        part = pl.col(name).cast(pl.String).str.extract(found, group)
        into = given["into"]
        made.append(part.alias(into) if into else pl.coalesce(part, pl.col(name).cast(pl.String)))
    return frame.with_columns(made)


def _group(found: str, group: int | str | None) -> int:
    named_groups = re.findall(r"(?<!\\)\(\?P?<([A-Za-z_]\w*)>", found)
    plain = re.sub(r"\\.|\[[^\]]*\]", "", found)
    groups = len(re.findall(r"\((?!\?)|\(\?P?<[A-Za-z_]", plain))
    if isinstance(group, str):
        if group not in named_groups:
            raise ConfigError(f"the pattern has no group '{group}'")
        order = re.findall(r"\((?!\?)|\(\?P?<([A-Za-z_]\w*)>", plain)
        return order.index(group) + 1
    if group is None:
        return 1 if groups else 0
    if not 0 <= group <= groups:
        raise ConfigError(f"the pattern has no group {group}")
    return group


@cells(
    kind=Parameter((str, dict), "what the values should be, or that by column", required=True),
    placeholder=Parameter(str, "what stands for a text that cannot be one", "invalid"),
    as_null=Parameter(bool, "whether such texts become null instead", False),
)
def fix_syntax_errors(column: pl.Series, given: Given) -> pl.Series:
    """Mage AI's: marks values that cannot be of their kind; numbers and dates become null."""
    kind = given["kind"]
    kind = kind.get(column.name) if isinstance(kind, dict) else kind
    if kind not in VALID:
        return column
    wrong = ~column.str.strip_chars().str.contains(VALID[kind])
    if given["as_null"] or kind.startswith("number"):
        return column.set(wrong, None)
    return column.set(wrong, given["placeholder"])
