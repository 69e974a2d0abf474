"""Rules as Mage AI writes them, in the words of this cleaner."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

_VARIABLE = re.compile(r"%\{(\w+)\}")
NUMBERS = ("number", "number_with_decimals")
_PLAIN = ("clean_column_name", "normalize", "select", "standardize")
_FIGURES = (
    "average", "count", "count_distinct", "first", "last", "max", "median", "min", "mode", "sum",
)  # fmt: skip


class _Given:
    """What Mage says of one action, with its variables put in."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.variables: Mapping[str, Any] = given.get("action_variables") or {}
        self.kind = str(given.get("action_type"))
        self.by_row = given.get("axis") == "row"
        self.arguments: list[Any] = [
            self._put(each) for each in given.get("action_arguments") or ()
        ]
        self.options: dict[str, Any] = dict(self._put(given.get("action_options") or {}))
        self.code: str = self._put(given.get("action_code") or "")
        self.outputs: list[Mapping[str, Any]] = list(given.get("outputs") or ())
        self.children = list(given.get("child_actions") or ())

    def _put(self, value: Any) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: self._variable(match[1]), value)
        if isinstance(value, list):
            return [self._put(each) for each in value]
        if isinstance(value, Mapping):
            return {key: self._put(each) for key, each in value.items()}
        return value

    def _variable(self, name: str) -> str:
        feature = (self.variables.get(name) or {}).get("feature") or {}
        if "uuid" not in feature:
            raise ConfigError(f"the rule names the variable '{name}' and does not say what it is")
        return str(feature["uuid"])

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(map(str, self.arguments))

    @property
    def into(self) -> str:
        if not self.outputs:
            raise ConfigError(f"the action '{self.kind}' needs outputs: [{{uuid: NAME}}]")
        return str(self.outputs[0]["uuid"])

    def kinds(self) -> dict[str, str]:
        """Return by column what Mage holds it to be."""
        features = [(each or {}).get("feature") or {} for each in self.variables.values()]
        return {str(f["uuid"]): str(f.get("column_type")) for f in features if "uuid" in f}


def rule_of_mage(given: Mapping[str, Any]) -> Rule:
    """Return the rule that Mage AI's description of an action stands for.

    `custom`, which runs Python there, is refused.
    """
    action = _Given(given.get("action_payload") or given)
    name = "remove_rows" if action.kind == "remove" and action.by_row else action.kind
    if name in _PLAIN:
        return Rule(name, action.columns)
    if name in _FIGURES:
        return _figure(action)
    if name not in _MAKE:
        known = [*_MAKE, *_PLAIN, *_FIGURES]
        raise ConfigError(f"Mage AI has no action '{name}'", *did_you_mean(name, known))
    return _MAKE[name](action)


def _said(**parameters: Any) -> dict[str, Any]:
    """Return the parameters that have a value."""
    return {name: value for name, value in parameters.items() if value not in (None, "", [], {})}


def _add(action: _Given) -> Rule:
    options = dict(action.options)
    udf = options.pop("udf", None)
    columns: tuple[str, ...] = ()
    if udf == "constant":
        options = {"value": action.arguments[0]}
    elif udf == "if_else":
        options = _sides(action)
    else:
        columns = action.columns
        kind = options.get("column_type") or action.kinds().get(columns[0] if columns else "")
        options.pop("column_type", None)
        if udf in ("addition", "difference") and kind == "datetime":
            options["column_type"] = "datetime"
    return Rule("add", columns, {"into": action.into, "udf": udf, "options": options})


def _sides(action: _Given) -> dict[str, Any]:
    options = action.options
    return {
        "condition": action.code,
        "then": action.arguments[0],
        "else": action.arguments[1],
        "then_type": options.get("arg1_type", "value"),
        "else_type": options.get("arg2_type", "value"),
        "empty_is_null": True,
    }


def _figure(action: _Given) -> Rule:
    names = ("groupby_columns", "timestamp_feature_a", "timestamp_feature_b", "window")
    options = {name: action.options.get(name) for name in names}
    into = [str(output["uuid"]) for output in action.outputs]
    return Rule(action.kind, action.columns, _said(into=into, condition=action.code, **options))


def _shift(action: _Given) -> Rule:
    options = _said(**{name: action.options.get(name) for name in ("periods", "groupby_columns")})
    options = {} if action.kind == "diff" else options
    return Rule(action.kind, action.columns[:1], {"into": action.into, **options})


def _syntax(action: _Given) -> Rule:
    return Rule("fix_syntax_errors", action.columns, {"kind": action.kinds()})


def _impute(action: _Given) -> Rule:
    options = _said(**action.options)
    options.setdefault("strategy", "constant")
    known = ("strategy", "value", "timeseries_index", "seed")
    return Rule("impute", action.columns, {k: v for k, v in options.items() if k in known})


def _reformat(action: _Given) -> Rule:
    options = {k: v for k, v in action.options.items() if k in ("reformat", "capitalization")}
    return Rule("reformat", action.columns, {**options, "on_error": "null"})


def _outliers(action: _Given) -> Rule:
    method = "z_score" if "z" in str(action.options.get("method", "")).lower() else "iqr"
    return Rule("remove_outliers", action.columns, {"method": method})


def _sort(action: _Given) -> Rule:
    ways = action.options.get("ascendings") or action.options.get("ascending", True)
    first = ways[0] if isinstance(ways, list) else ways
    numbers = action.kinds().get(action.columns[0] if action.columns else "") in NUMBERS
    nulls = "first" if first and numbers else "last"
    return Rule("sort", action.columns, {"ascending": ways, "nulls": nulls})


def _filter(action: _Given) -> Rule:
    return Rule("filter", (), {"condition": action.code, "empty_is_null": True})


def _join(action: _Given) -> Rule:
    renamed = {
        str(output["source_feature"]["uuid"]): str(output["uuid"])
        for output in action.outputs
        if output.get("source_feature")
    }
    known = ("left_on", "right_on", "how", "drop_columns", "rename_columns", "path", "table")
    options = {name: action.options.get(name) for name in known}
    return Rule("join", (), _said(rename_other=renamed, **options))


def _group(action: _Given) -> Rule:
    rules = [rule_of_mage(child).to_dict() for child in action.children]
    return Rule("group", action.columns, {"actions": rules})


def _options(name: str) -> Callable[[_Given], Rule]:
    return lambda action: Rule(name, action.columns, dict(action.options))


_MAKE: Mapping[str, Callable[[_Given], Rule]] = {
    "add": _add,
    "custom": lambda action: Rule("custom", (), {"code": action.code}),
    "diff": _shift,
    "drop_duplicate": lambda action: Rule(
        "drop_duplicates", action.columns, {"keep": action.options.get("keep", "last")}
    ),
    "expand_column": _options("expand_json"),
    "explode": _options("explode"),
    "filter": _filter,
    "fix_syntax_errors": _syntax,
    "group": _group,
    "impute": _impute,
    "join": _join,
    "limit": _options("limit"),
    "reformat": _reformat,
    "remove": lambda action: Rule("drop_columns", action.columns),
    "remove_outliers": _outliers,
    "remove_rows": lambda action: Rule(
        "remove_rows", (), {"rows": list(action.options.get("rows", ()))}
    ),
    "shift_down": _shift,
    "shift_up": _shift,
    "sort": _sort,
    "union": _options("union"),
}
