"""The cleaner as an object, under the names of KozmoAI's first data integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kozmo_bridge.values import native

if TYPE_CHECKING:
    from kozmo_bridge.cleaner.cleaning import CleanResult
    from kozmo_bridge.cleaner.model import ColumnProfile, Suggestion
    from kozmo_bridge.cleaner.rules import Rules

_FORGIVING = ("trim_whitespace", "lowercase", "uppercase", "replace", "convert_type")
_SUGGESTED = ("fill_nulls", "drop_duplicates", "drop_columns")
_DTYPES = {"String": "object", "Boolean": "bool", "Categorical": "category", "Date": "object"}
_FIGURES = {
    "min": "minimum",
    "max": "maximum",
    "mean": "mean",
    "median": "median",
    "std": "deviation",
}


class DataCleanerTransformer:
    """Cleans lists of Data, or any other kind of table: what comes in comes out.

    result: what the last clean() did (its log, what it left as it was and why), or None.
    """

    def __init__(self, **config: Any) -> None:
        self.config = config
        self.result: CleanResult | None = None

    def clean(self, data: Any, operations: Any = None) -> Any:
        """Return *data* with *operations* applied: rules as dicts with `type`, or "auto".

        Without operations, those of the configuration are applied, if there are any.
        """
        from kozmo_bridge.cleaner.cleaning import clean
        from kozmo_bridge.cleaner.table import Table

        rules = self.config.get("operations") if operations is None else operations
        if not rules or _empty(data):
            return data
        table = Table.of(data)
        self.result = clean(table, rules if rules == "auto" else _there(rules, table.labels))
        return self.result.frame

    def get_statistics(self, data: Any) -> dict[str, Any]:
        """Return how many rows and columns there are, and figures of each column.

        The names are those of the reference integration; `kind` and `statistics` say more.
        """
        from kozmo_bridge.cleaner.profiling import profile

        if _empty(data):
            return {}
        seen = profile(data)
        return {
            "row_count": seen.rows,
            "column_count": len(seen.columns),
            "columns": {column.label: _figures(column) for column in seen.columns},
        }

    def suggest_cleaning_operations(self, data: Any) -> list[dict[str, Any]]:
        """Return operations that clean() takes, each with its `reason` and `details`.

        details: the risk, what is lost, rows and cells that would change, examples. Flows apply
        all of them unseen, so these are the ones that lose nothing, and those that the first
        integration had; suggest() knows more.
        """
        from kozmo_bridge.cleaner.profiling import profile
        from kozmo_bridge.cleaner.suggesting import suggest

        found = [] if _empty(data) else suggest(profile(data))
        return [
            _operation(each)
            for each in found
            if each.risk == "safe" or each.rule.action in _SUGGESTED
        ]


def _there(rules: Any, labels: Sequence[str]) -> Rules:
    """Return *rules* without the columns that are not there, where the first integration did so."""
    from kozmo_bridge.cleaner.rules import Rules

    given = Rules.of(rules)
    found = []
    for rule in given:
        columns = tuple(name for name in rule.columns if name in labels)
        if rule.action not in _FORGIVING or not rule.columns:
            found.append(rule)
        elif columns:
            found.append(replace(rule, columns=columns))
    return Rules(tuple(found), given.expects)


def _empty(data: Any) -> bool:
    return data is None or (isinstance(data, Sequence | Mapping) and not data)


def _figures(column: ColumnProfile) -> dict[str, Any]:
    from kozmo_bridge.cleaner.plain import plain

    figures = column.statistics
    made: dict[str, Any] = {
        "dtype": _DTYPES.get(column.dtype, column.dtype.lower()),
        "null_count": figures.nulls,
        "null_percentage": 100 * figures.nulls / figures.cells if figures.cells else 0.0,
        "unique_count": figures.distinct,
    }
    if column.dtype.startswith(("Int", "UInt", "Float", "Decimal")):
        values = {name: getattr(figures, field) for name, field in _FIGURES.items()}
        made |= {name: None if v is None else native(float(v)) for name, v in values.items()}
    return {
        **made,
        "kind": column.kind.value,
        "confidence": column.guess.confidence,
        "statistics": plain(figures),
    }


def _operation(suggestion: Suggestion) -> dict[str, Any]:
    from kozmo_bridge.cleaner.plain import plain

    details = {k: v for k, v in plain(suggestion).items() if k not in ("rule", "why")}
    return {
        "type": suggestion.rule.action,
        "columns": list(suggestion.rule.columns),
        **suggestion.rule.parameters,
        "reason": suggestion.why,
        "details": details,
    }
