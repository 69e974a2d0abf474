"""Which rules are for which stream, and how those that have to be learned are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import action_of, complete
from kozmo_bridge.cleaner.cleaning import Cleaner
from kozmo_bridge.cleaner.pipe.memory import mark_of, rules_in
from kozmo_bridge.cleaner.rules import Rule, Rules
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

RISKS = ("safe", "lossy", "destructive")
_KEYS = ("rules", "auto", "learn", "risk", "skip")


@dataclass(frozen=True)
class Policy:
    """What is to be done to a stream.

    rules: those that are given. auto: more are to be learned, up to *risk*. learn: from how many
    rows. strict: a rule for a column that the stream lacks is an error.
    """

    rules: Rules = Rules()
    auto: bool = False
    learn: int = 10_000
    risk: str = "safe"
    strict: bool = False

    @property
    def mark(self) -> str:
        """What the rules learned under this policy are kept with."""
        return mark_of([[rule.to_dict() for rule in self.rules], self.auto, self.risk])

    def for_columns(self, stream: str, names: Sequence[str]) -> Rules:
        """Return the given rules that a stream with the columns *names* can follow."""
        known, kept = set(names), []
        for rule in self.rules:
            lacking = [name for name in rule.columns if name not in known]
            if not lacking:
                kept.append(rule)
            elif self.strict:
                raise ConfigError(
                    f"a rule for stream {stream} names the column '{lacking[0]}', "
                    "which the stream does not have",
                    *did_you_mean(lacking[0], names),
                    f"the rule: {rule.to_dict()}",
                )
            known |= _made_by(rule, known)
        return Rules(tuple(kept), self.rules.expects)

    def needs_rows(self, rules: Rules, frame: pl.DataFrame) -> bool:
        """Return whether something has to be learned first; *frame* has the columns and no rows."""
        return self.auto or any(not is_learned(rule, frame) for rule in rules)

    def learned(self, rules: Rules, sample: pl.DataFrame) -> Rules:
        """Return *rules*, and with `auto` more of them, with all that *sample* teaches."""
        cleaner = Cleaner(rules)
        given = cleaner.fit(sample).rules
        if not self.auto:
            return given
        clean = cleaner.apply(sample)
        found = _suggested(clean, self.risk)
        more = Cleaner(found).fit(clean).rules
        return Rules((*given, *more), {**given.expects, **more.expects})


class Policies:
    """The policy of each stream: the settings, and under `streams` what differs by name."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._whole = _policy(_saved(config), Policy())
        self._named = {
            pattern: _checked(pattern, given)
            for pattern, given in (config["streams"] or {}).items()
        }
        self._rules = {
            pattern: _rules(given["rules"])
            for pattern, given in self._named.items() if "rules" in given
        }  # fmt: skip
        for rules in (self._whole.rules, *self._rules.values()):
            expect_batched(rules)

    def of(self, stream: str) -> Policy:
        """Return the policy of *stream*; the first pattern that fits counts."""
        for pattern, given in self._named.items():
            if fnmatchcase(stream, pattern):
                if given.get("skip"):
                    return Policy()
                rules = self._rules.get(pattern)
                found = _policy(given, self._whole)
                if rules is None:
                    return found
                return Policy(rules, found.auto, found.learn, found.risk, strict=True)
        return self._whole

    @property
    def words(self) -> str:
        """What is to be done, in a line."""
        count = len(self._whole.rules) + sum(map(len, self._rules.values()))
        auto = ", and more learned" if self._whole.auto else ""
        return f"{count} rules{auto}"


def _saved(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *config*, with what a file of saved rules says beside the rules put to them."""
    if config["version"] is None:
        return config
    Rules.of({"version": config["version"], "rules": []})
    rules = _rules(config["rules"] or [])
    return {**config, "rules": Rules(rules.rules, config["expects"] or {})}


def expect_batched(rules: Rules) -> None:
    """Raise ConfigError for a rule that has to see the whole table."""
    able, why = Cleaner(rules).batched
    if not able:
        raise ConfigError(
            f"{why}, and rows on their way come in batches",
            "clean the whole with: kozmo clean FILE --apply --rules RULES.json",
        )


def _policy(given: Mapping[str, Any], whole: Policy) -> Policy:
    named = {key: given[key] for key in ("auto", "learn", "risk") if given.get(key) is not None}
    rules = _rules(given["rules"]) if given.get("rules") else whole.rules
    return Policy(
        rules,
        named.get("auto", whole.auto),
        named.get("learn", whole.learn),
        named.get("risk", whole.risk),
    )


def _checked(pattern: str, given: Any) -> Mapping[str, Any]:
    where = f"map-kozmo-clean: streams.{pattern}"
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} must be an object, with some of: {', '.join(_KEYS)}")
    for key in given:
        if key not in _KEYS:
            raise ConfigError(f"{where} has no setting '{key}'", *did_you_mean(str(key), _KEYS))
    if given.get("risk", "safe") not in RISKS:
        raise ConfigError(f"{where}.risk must be one of {', '.join(RISKS)}")
    if not isinstance(given.get("learn", 1), int) or given.get("learn", 1) < 1:
        raise ConfigError(f"{where}.learn must be a number of rows")
    return given


def _rules(given: Any) -> Rules:
    """Rules as a list, as the path of a file, or as a list in which some are paths."""
    if isinstance(given, Rules):
        return given
    found: list[Rule] = []
    expects: dict[str, Any] = {}
    for each in [given] if isinstance(given, str | Mapping) else given:
        part = rules_in(each) if isinstance(each, str) else Rules.of(each)
        found += part
        expects |= part.expects
    return Rules(tuple(found), expects)


def _made_by(rule: Rule, known: set[str]) -> set[str]:
    """The columns that a rule makes, as far as its parameters tell: texts that name none yet."""
    found: set[str] = set()
    for value in rule.parameters.values():
        values = value.values() if isinstance(value, Mapping) else value
        values = [values] if isinstance(values, str) else values
        if not isinstance(values, bool | int | float | None):
            found |= {each for each in values if isinstance(each, str)}
    return found - known


def is_learned(rule: Rule, frame: pl.DataFrame) -> bool:
    """Return whether *rule* has nothing to learn, or has it already; no row of *frame* is used."""
    action = action_of(rule.action)
    if action.fit is None:
        return True
    whole = complete(rule, 1)
    return bool(action.fit(frame.clear(), whole) == whole)


def _suggested(frame: pl.DataFrame, risk: str) -> Rules:
    """What the cleaner suggests for *frame*, of those rules that work on batches."""
    from kozmo_bridge.cleaner.profiling import profile
    from kozmo_bridge.cleaner.suggesting import suggest

    allowed = RISKS[: RISKS.index(risk) + 1]
    found = Rules.of([each for each in suggest(profile(frame)) if each.risk in allowed])
    kept = [rule for rule in found if Cleaner([rule]).batched[0]]
    return Rules(tuple(kept), found.expects)
