"""The registry of actions: what a rule can do, by name. See Action.

Modules of this package declare actions with the decorators `cells` and `rows`; `action_of` finds
one by its name, or by the name that the reference integration or Mage AI gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars as pl

    from kozmo_bridge.cleaner.rules import Rule

Scope = Literal["cell", "row", "running", "table"]
"""What an action has to see: one cell, one row, the rows before as well, or the whole table.

Actions of the first three give the same in batches as on the whole; what they need to know of the
whole, such as a mean, is a parameter of the rule that `fit` finds out beforehand.
"""


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
    rule, returns the rule with what it needs to know as parameters.
    """

    name: str
    scope: Scope
    summary: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    of_cells: Callable[[pl.Series, Mapping[str, Any]], pl.Series] | None = None
    of_frame: Callable[[pl.DataFrame, Rule, dict[str, Any]], pl.DataFrame] | None = None
    fit: Callable[[pl.DataFrame, Rule], Rule] | None = None
