"""The registry of actions: what a rule can do, by name. See Action.

Modules of this package declare actions with the decorators `cells` and `frames`; `action_of` finds
one by its name, or by the name that the reference integration or Mage AI gives it. A module is
loaded when one of its actions is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from kozmo_bridge.cleaner.rules import Rule

Scope = Literal["cell", "row", "running", "table"]
"""What an action has to see: one cell, one row, the rows before as well, or the whole table.

Actions of the first three give the same in batches as on the whole; what they need to know of the
whole, such as a mean, is a parameter of the rule that `fit` finds out beforehand.
"""
Takes = Literal["text", "number", "moment", "any"]
"""What columns an action is for when a rule names none.

Actions for text leave columns of other types as they are, so that a rule that parses may be
applied twice; for the others a column of another type is a fault.
"""
Given = Mapping[str, Any]
"""The parameters of a rule, completed with their defaults."""
OfCells = Callable[["pl.Series", Given], "pl.Series"]
OfFrame = Callable[["pl.DataFrame", "Rule", dict[str, Any]], "pl.DataFrame"]
Fit = Callable[["pl.DataFrame", "Rule"], "Rule"]
Cells = TypeVar("Cells", bound=OfCells)
Frames = TypeVar("Frames", bound=OfFrame)


@dataclass(frozen=True)
class Parameter:
    """What a parameter of an action may be; choices are its only values, where there are any."""

    type: type | tuple[type, ...]
    help: str
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Action:
    """One thing that can be done.

    of_cells: for scope `cell`: takes a column and the parameters, returns the column's new values,
    as long and in the same order. of_frame: for the other scopes: takes the frame, the rule and a
    dict that is kept from batch to batch, returns the new frame. fit: takes the whole table and a
    rule, returns the rule with what it needs to know as parameters. Rules that these get are
    complete: every parameter has a value.
    """

    name: str
    scope: Scope
    summary: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    of_cells: OfCells | None = None
    of_frame: OfFrame | None = None
    fit: Fit | None = None
    takes: Takes = "any"
    scope_of: Callable[[Given], Scope] | None = None
    """Where the scope follows from the parameters; `scope` is the widest then."""
    family: str = ""

    def scope_for(self, rule: Rule) -> Scope:
        """Return what the action has to see to follow *rule*, whose parameters are complete."""
        return self.scope_of(rule.parameters) if self.scope_of else self.scope


class Misfit(Exception):
    """Values of a column that an action cannot take; the message says how many and which."""


FAMILIES: Mapping[str, str] = {
    "gaps": "drop_nulls fill_nulls null_tokens impute",
    "text": "trim_whitespace lowercase uppercase change_case collapse_whitespace strip_control "
    "normalize_unicode fix_mojibake reformat",
    "replacing": "replace replace_values unify_spellings extract fix_syntax_errors",
    "numbers": "parse_number round clip cap_outliers normalize standardize",
    "types": "convert_type parse_boolean parse_date parse_duration",
    "standards": "standardize_phone standardize_country",
    "rows": "drop_duplicates drop_duplicate filter sort remove_rows remove_outliers limit explode "
    "add_row_number",
    "columns": "drop_columns remove rename_columns clean_column_name clean_column_names select "
    "split_column expand_json expand_column custom",
    "functions": "add addition constant date_trunc difference distance_between divide "
    "formatted_date if_else multiply string_replace string_split substring",
    "aggregates": "average count count_distinct first last max median min mode sum group",
    "windows": "diff shift_down shift_up",
    "join": "join union",
}
"""By module, the names of the actions that it declares; other names for them as well."""
HOME: Mapping[str, str] = {
    name: module for module, names in FAMILIES.items() for name in names.split()
}
COMMON = frozenset({"reason", "details"})
"""What a rule of any action may say besides its parameters; nothing is done with it."""
_DECLARED: dict[str, Action] = {}


def action_of(name: str) -> Action:
    """Return the action called *name*; ConfigError names the closest one if there is none."""
    if name not in HOME:
        raise ConfigError(
            f"there is no action '{name}'",
            *did_you_mean(name, HOME),
            "all of them: docs/reference/cleaning-actions.md",
        )
    import_module(f"{__name__}.{HOME[name]}")
    return _DECLARED[name]


def cells(
    takes: Takes = "text",
    *,
    fit: Fit | None = None,
    aliases: tuple[str, ...] = (),
    **parameters: Parameter,
) -> Callable[[Cells], Cells]:
    """Declare a function of a column as the action of its name; its docstring is the summary."""

    def declare(function: Cells) -> Cells:
        _declare(
            function,
            Action(
                name=_name(function),
                scope="cell",
                summary=_summary(function),
                parameters=_named(parameters),
                aliases=aliases,
                of_cells=function,
                fit=fit,
                takes=takes,
            ),
        )
        return function

    return declare


def frames(
    scope: Scope,
    takes: Takes = "any",
    *,
    fit: Fit | None = None,
    scope_of: Callable[[Given], Scope] | None = None,
    aliases: tuple[str, ...] = (),
    **parameters: Parameter,
) -> Callable[[Frames], Frames]:
    """Declare a function of a frame as the action of its name; its docstring is the summary."""

    def declare(function: Frames) -> Frames:
        _declare(
            function,
            Action(
                name=_name(function),
                scope=scope,
                summary=_summary(function),
                parameters=_named(parameters),
                aliases=aliases,
                of_frame=function,
                fit=fit,
                takes=takes,
                scope_of=scope_of,
            ),
        )
        return function

    return declare


def complete(rule: Rule, number: int) -> Rule:
    """Return *rule* under its action's own name and with a value for every parameter.

    ConfigError names the rule by its *number*, the action, the parameter and what to do.
    """
    from kozmo_bridge.cleaner.rules import Rule

    try:
        action = action_of(rule.action)
    except ConfigError as error:
        raise ConfigError(f"rule {number}: {error.message}", *error.details) from None
    place = f"rule {number} ({action.name})"
    for name in rule.parameters:
        if name not in action.parameters and name not in COMMON:
            known = ", ".join(action.parameters) or "none"
            raise ConfigError(
                f"{place} has no parameter '{name}'",
                *did_you_mean(name, action.parameters),
                f"its parameters: {known}",
            )
    given = {
        name: _checked(place, name, parameter, rule.parameters.get(name))
        for name, parameter in action.parameters.items()
    }
    return Rule(action.name, rule.columns, given)


def brief(rule: Rule) -> Rule:
    """Return *rule* without the parameters that have their defaults."""
    from kozmo_bridge.cleaner.rules import Rule

    known = action_of(rule.action).parameters
    given = {
        name: value
        for name, value in rule.parameters.items()
        if name in known and (known[name].required or value != known[name].default)
    }
    return Rule(rule.action, rule.columns, given)


def _checked(place: str, name: str, parameter: Parameter, value: Any) -> Any:
    if value is None:
        if parameter.required:
            raise ConfigError(f"{place} needs the parameter '{name}'", parameter.help)
        return parameter.default
    if not _is_of(value, parameter.type):
        raise ConfigError(
            f"{place}: parameter '{name}' must be {type_names(parameter)}, got {value!r:.80}",
            parameter.help,
        )
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(str(each) for each in parameter.choices)
        hint = did_you_mean(str(value), [str(each) for each in parameter.choices])
        raise ConfigError(
            f"{place}: parameter '{name}' must be one of {choices}; got {value!r:.80}", *hint
        )
    return value


_TYPE_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    object: "any value",
}


def type_names(parameter: Parameter) -> str:
    """Return in words what values *parameter* takes: `a text or a list`."""
    types = parameter.type if isinstance(parameter.type, tuple) else (parameter.type,)
    return " or ".join(_TYPE_NAMES[each] for each in types)


def _is_of(value: Any, wanted: type | tuple[type, ...]) -> bool:
    types = wanted if isinstance(wanted, tuple) else (wanted,)
    if object in types:
        return True
    if isinstance(value, bool):
        return bool in types
    if isinstance(value, int) and float in types:
        return True
    if isinstance(value, Mapping):
        return dict in types
    if isinstance(value, tuple):
        return list in types
    return isinstance(value, types)


def _declare(function: Any, action: Action) -> None:
    family = function.__module__.rpartition(".")[2]
    action = Action(**{**vars(action), "family": family})
    for name in (action.name, *action.aliases):
        _DECLARED[name] = action


def _named(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Return *parameters* without the underscore of names that Python has taken: else_."""
    return {name.rstrip("_"): parameter for name, parameter in parameters.items()}


def _name(function: Any) -> str:
    name: str = function.__name__
    return name.rstrip("_")


def _summary(function: Any) -> str:
    return (function.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")
