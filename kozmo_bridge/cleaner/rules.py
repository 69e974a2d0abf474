"""Rules: what is to be done to a table, as JSON that is kept and applied again to new rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kozmo_singer.errors import ConfigError

VERSION = 1


@dataclass(frozen=True)
class Rule:
    """One action, the columns that it is for, and its parameters.

    Without columns an action is for all those of which it makes sense. Columns are named by their
    labels: see Table.labels.
    """

    action: str
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as JSON takes it: the parameters stand beside action and columns."""
        return {"action": self.action, "columns": list(self.columns), **self.parameters}

    @classmethod
    def of(cls, given: Rule | Mapping[str, Any]) -> Rule:
        """Return *given*, or the rule that a dict describes.

        The reference integration's spelling is read too: `type` for action, `column` for one; and
        so is Mage AI's: `action_type`, `action_arguments`.
        """
        if isinstance(given, Rule):
            return given
        if "action_type" in given or "action_payload" in given:
            from kozmo_bridge.cleaner.mage import rule_of_mage

            return rule_of_mage(given)
        rest = dict(given)
        action = rest.pop("action", None) or rest.pop("type", None)
        if not isinstance(action, str):
            raise ConfigError(f"a rule needs an action: {json.dumps(rest, default=str)}")
        columns = rest.pop("columns", None) or rest.pop("column", None) or ()
        rest.pop("column", None)
        columns = (columns,) if isinstance(columns, str) else tuple(columns)
        return cls(action, columns, rest)


def _rule(item: Any) -> Any:
    return getattr(item, "rule", item)


@dataclass(frozen=True)
class Rules(Sequence[Rule]):
    """Rules in the order in which they are applied, and what they were made for.

    `expects` holds, by column, what it was when the rules were made (kind, type, share of gaps);
    Cleaner.check() compares new rows with it.
    """

    rules: tuple[Rule, ...] = ()
    expects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any) -> Rules:
        """Return Rules of a list of rules or dicts, of suggestions, or of what to_json() wrote."""
        if isinstance(given, Rules):
            return given
        if isinstance(given, str):
            given = json.loads(given)
        if isinstance(given, Mapping) and "rules" in given:
            version = given.get("version", VERSION)
            if version != VERSION:
                raise ConfigError(f"rules of version {version} are not known; this reads {VERSION}")
            return cls(tuple(map(Rule.of, given["rules"])), given.get("expects") or {})
        if isinstance(given, Rule | Mapping):
            given = [given]
        if not isinstance(given, Iterable):
            raise ConfigError(f"expected rules, got {type(given).__name__}")
        return cls(tuple(Rule.of(_rule(item)) for item in given))

    def to_json(self) -> str:
        """Return the rules as JSON, one to a line."""
        lines = ",\n    ".join(json.dumps(rule.to_dict(), ensure_ascii=False) for rule in self)
        rules = f"[\n    {lines}\n  ]" if lines else "[]"
        expects = json.dumps(dict(self.expects), ensure_ascii=False)
        return f'{{\n  "version": {VERSION},\n  "rules": {rules},\n  "expects": {expects}\n}}\n'

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, index: Any) -> Any:
        return self.rules[index]
