"""Rules are applied: to a whole table, or to one batch after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Action, Misfit, action_of, brief, complete
from kozmo_bridge.cleaner.actions.values import FITS, is_text, named, of_words, visible
from kozmo_bridge.cleaner.drift import Drift, drifted, expectations
from kozmo_bridge.cleaner.logbook import Fault, Logbook, LogEntry, merged
from kozmo_bridge.cleaner.rules import Rule, Rules
from kozmo_bridge.cleaner.table import ROW, Table
from kozmo_singer.errors import ConfigError

FAULTS = (
    Misfit,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What an action on a column may raise for what the column holds."""
SEPARATE = frozenset({"extract", "fill_nulls", "impute"})
"""Actions of frames that do each column for itself."""
MANY = 2_000
"""From so many cells on it is worth looking for distinct values."""
RENAMING = frozenset({"rename_columns", "clean_column_name"})


@dataclass(frozen=True)
class CleanResult:
    """A clean table and what was done to it.

    frame: of the kind that came in. actions: the rules that were applied, with all that was
    learned of the table, so that they do the same to new rows. log: what changed. faults: what
    was left as it was, and why.
    """

    frame: Any
    actions: Rules
    log: tuple[LogEntry, ...] = ()
    faults: tuple[Fault, ...] = ()


def clean(frame: Any, rules: Any = "auto") -> CleanResult:
    """Return *frame* with *rules* applied to it.

    Rules are a list of them, of dicts or of suggestions, or what Rules.to_json() wrote; "auto"
    applies what suggest() holds to be safe. *frame* stays as it is.
    """
    table = Table.of(frame)
    cleaner = Cleaner(safe(table) if rules == "auto" else rules)
    result = cleaner.whole(table.frame, table.opaque)
    faults = [Fault(label, why) for label, why in table.faults.items()]
    return CleanResult(
        table.back(result, cleaner.renamed),
        cleaner.rules,
        tuple(cleaner.log),
        (*faults, *cleaner.faults),
    )


def safe(table: Table) -> Rules:
    """Return the rules for *table* that lose nothing, as suggest() has them."""
    from kozmo_bridge.cleaner.profiling import profile
    from kozmo_bridge.cleaner.suggesting import suggest

    seen = profile(table)
    rules = Rules.of([each for each in suggest(seen) if each.risk == "safe"])
    return Rules(rules.rules, expectations(seen))


class Cleaner:
    """Applies rules to tables and to batches of them.

    `fit` learns what the rules need to know of the whole table; `apply` takes consecutive batches
    after that, and remembers what it has to from one to the next. Rules that were learned before
    need no fit. faults: what was left as it was. renamed: the new names of columns.
    """

    def __init__(self, rules: Any) -> None:
        given = Rules.of(rules)
        done = [complete(rule, number) for number, rule in enumerate(given, 1)]
        self._rules = done
        self._expects = given.expects
        self.faults: list[Fault] = []
        self._actions: list[Action] = [action_of(rule.action) for rule in done]
        self._memory: list[dict[str, Any]] = [{} for _ in done]
        self._left: set[tuple[int, str | None]] = set()
        self._tried: dict[int, tuple[str, ...]] = {}
        self._book = Logbook()
        self._fitted = False
        self._opaque: frozenset[str] = frozenset()
        self.renamed: dict[str, str] = {}

    @property
    def rules(self) -> Rules:
        """The rules with what was learned, without the parameters that have their defaults.

        Columns in which a rule met what it cannot take when it learned are not in it any more.
        """
        kept = [self._kept(index, rule) for index, rule in enumerate(self._rules)]
        return Rules(tuple(brief(rule) for rule in kept if rule), self._expects)

    def _kept(self, index: int, rule: Rule) -> Rule | None:
        """Return *rule* without the columns that it leaves alone; None if it does nothing."""
        left = {column for at, column in self._left if at == index}
        if not left:
            return rule
        columns = rule.columns or self._tried.get(index, ())
        columns = tuple(name for name in columns if name not in left)
        return None if None in left or not columns else replace(rule, columns=columns)

    @property
    def log(self) -> list[LogEntry]:
        """What was done so far, in the order of the rules."""
        return self._book.entries()

    @property
    def batched(self) -> tuple[bool, str]:
        """Whether batches give what the whole gives, and if not, which rule is why."""
        for number, (rule, action) in enumerate(zip(self._rules, self._actions, strict=True), 1):
            if action.scope_for(rule) == "table":
                return False, f"rule {number} ({action.name}) has to see the whole table"
        return True, ""

    def fit(self, frame: Any) -> Cleaner:
        """Learn from *frame*, any kind of table, what the rules need to know; return self.

        Columns in which a rule meets what it cannot take are left alone by `apply` as well.
        """
        self._run(Table.of(frame).frame, learn=True)
        self._memory = [{} for _ in self._memory]
        self._book = Logbook()
        return self

    def whole(self, frame: pl.DataFrame, opaque: frozenset[str] = frozenset()) -> pl.DataFrame:
        """Return *frame*, which is all there is, clean: fit and apply at once.

        The hidden column ROW says which row of *frame* each one is. Rules that name no columns
        leave those alone that are *opaque*: see Table.
        """
        self._opaque = opaque
        return self._run(frame, learn=True)

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the next batch, clean."""
        result = self._run(frame, learn=False)
        return result if ROW in frame.columns else result.drop(ROW, strict=False)

    def check(self, frame: Any) -> list[Drift]:
        """Return where *frame* is no longer what the rules were made for."""
        return drifted(self.rules, Table.of(frame).frame)

    def _run(self, frame: pl.DataFrame, learn: bool) -> pl.DataFrame:
        if ROW not in frame.columns and any(not action.of_cells for action in self._actions):
            frame = frame.with_row_index(ROW)
        index = 0
        try:
            for index, (rule, action) in enumerate(zip(self._rules, self._actions, strict=True)):
                frame = self._step(frame, index, rule, action, learn)
        except ConfigError as error:
            place = f"rule {index + 1} ({self._actions[index].name})"
            raise ConfigError(f"{place}: {error.message}", *error.details) from error
        self._fitted = self._fitted or learn
        self.faults = merged(self.faults)
        return frame

    def _step(
        self, frame: pl.DataFrame, index: int, rule: Rule, action: Action, learn: bool
    ) -> pl.DataFrame:
        rule, gone = self._there(frame, index, rule, action)
        self._book.see(visible(frame))
        if gone:
            return frame
        if action.of_cells:
            columns = self._columns(frame, index, rule, action, learn)
            self._tried[index] = columns
            rule = self._learned(frame, index, replace(rule, columns=columns), action, learn)
            return self._cells(frame, index, rule, action, columns, learn)
        if (index, None) in self._left:
            return frame
        made = self._frame(frame, index, rule, action, learn)
        if made is frame:
            return frame
        if action.name in RENAMING:
            self._rename(frame.columns, made.columns)
        self._book.frames(index + 1, action.name, frame, made)
        return made

    def _frame(
        self, frame: pl.DataFrame, index: int, rule: Rule, action: Action, learn: bool
    ) -> pl.DataFrame:
        """Return what a rule of frames makes of *frame*, or *frame* where that fails.

        Where each column is done for itself, those that fail are left alone, and the others done.
        """
        memory = dict(self._memory[index])
        assert action.of_frame
        good = tuple(name for name in rule.columns if (index, name) not in self._left)
        try:
            rule = self._learned(frame, index, rule, action, learn)
            if rule.columns and not good:
                return frame
            return action.of_frame(frame, replace(rule, columns=good), self._memory[index])
        except FAULTS as error:
            self._memory[index] = memory
            alone = good if learn and action.name in SEPARATE and len(rule.columns) > 1 else ()
            bad = [name for name in alone if not self._alone(frame, index, rule, action, name)]
            if not bad:
                self._fault(index, action, good[0] if len(good) == 1 else None, error)
                self._left |= {(index, None)} if learn else set()
                return frame
        return self._frame(frame, index, rule, action, learn)

    def _alone(
        self, frame: pl.DataFrame, index: int, rule: Rule, action: Action, name: str
    ) -> bool:
        """Return whether a rule of frames can be followed for column *name* by itself."""
        assert action.of_frame
        try:
            action.of_frame(frame, replace(rule, columns=(name,)), {})
        except FAULTS as error:
            self._fault(index, action, name, error)
            self._left.add((index, name))
            return False
        return True

    def _there(
        self, frame: pl.DataFrame, index: int, rule: Rule, action: Action
    ) -> tuple[Rule, bool]:
        """Return *rule* without the columns that rules before it took away, and whether none is
        left; each is a fault.
        """
        here = set(frame.columns)
        if here.issuperset(rule.columns):
            return rule, False
        gone = [name for name in rule.columns if name not in here and self._book.saw(name)]
        for name in gone:
            self._fault(index, action, name, LookupError("a rule before took the column away"))
        left = tuple(name for name in rule.columns if name not in gone)
        return replace(rule, columns=left), bool(gone) and not left

    def _rename(self, before: list[str], after: list[str]) -> None:
        """Note the new names of columns, by the names that they came with."""
        changed = {old: new for old, new in zip(before, after, strict=True) if old != new}
        for first, now in self.renamed.items():
            self.renamed[first] = changed.pop(now, now)
        self.renamed |= changed

    def _columns(
        self, frame: pl.DataFrame, index: int, rule: Rule, action: Action, learn: bool
    ) -> tuple[str, ...]:
        """Return the columns that a rule of cells is for.

        One that is not there is an error, unless the rules were made for a table that had it.
        """
        if not rule.columns:
            fits = FITS[action.takes]
            names = [name for name in visible(frame) if name not in self._opaque]
            schema = frame.schema
            return tuple(name for name in names if fits(schema[name]))
        known = set(frame.columns)
        for name in rule.columns:
            if name in known:
                continue
            if learn and name not in self._expects:
                named(frame, [name])
            self._fault(index, action, name, LookupError("there is no such column"))
        return tuple(name for name in rule.columns if name in known)

    def _learned(
        self, frame: pl.DataFrame, index: int, rule: Rule, action: Action, learn: bool
    ) -> Rule:
        """Return *rule* with what it has to know; kept for the batches that follow."""
        if not action.fit:
            return rule
        if learn:
            found = action.fit(frame, rule)
            self._rules[index] = replace(self._rules[index], parameters=found.parameters)
            return found
        if not self._fitted and action.fit(frame.clear(), rule) != rule:
            raise ConfigError(
                "has to see the whole table first",
                "call Cleaner.fit, or give rules that were learned: CleanResult.actions",
            )
        return rule

    def _cells(
        self,
        frame: pl.DataFrame,
        index: int,
        rule: Rule,
        action: Action,
        columns: tuple[str, ...],
        learn: bool,
    ) -> pl.DataFrame:
        made = []
        for name in columns:
            if (index, name) in self._left:
                continue
            column = frame.get_column(name)
            after = self._column(column, index, rule, action, learn)
            if after is not column:
                self._book.cells(index + 1, action.name, column, after)
                if after.dtype != column.dtype or not after.equals(column, null_equal=True):
                    made.append(after.alias(name))
        return frame.with_columns(made) if made else frame

    def _column(
        self, column: pl.Series, index: int, rule: Rule, action: Action, learn: bool
    ) -> pl.Series:
        """Return what a rule of cells makes of *column*, or *column* where that fails."""
        try:
            return run(action, column, rule.parameters)
        except Misfit as error:
            self._fault(index, action, column.name, error)
            if not learn and rule.parameters.get("on_error") == "fault":
                try:
                    return run(action, column, {**rule.parameters, "on_error": "null"})
                except FAULTS:
                    return column
        except FAULTS as error:
            self._fault(index, action, column.name, error)
        if learn:
            self._left.add((index, column.name))
        return column

    def _fault(self, index: int, action: Action, column: str | None, error: BaseException) -> None:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        self.faults.append(Fault(column, lines[0], index + 1, action.name))


def run(action: Action, column: pl.Series, given: Mapping[str, Any]) -> pl.Series:
    """Return what *action*, one of cells, makes of *column*; *column* itself if nothing.

    Actions for text leave other columns as they are; for others, Misfit says what does not fit.
    """
    assert action.of_cells
    function = action.of_cells
    if not FITS[action.takes](column.dtype):
        if action.takes == "text":
            return column
        raise Misfit(f"'{column.name}' holds {column.dtype}, {action.name} needs a {action.takes}")

    def written(texts: pl.Series) -> pl.Series:
        return _few(texts.alias(column.name), lambda few: function(few, given))

    if action.takes == "text" and is_text(column.dtype):
        made = of_words(column, written)
    elif column.dtype == pl.String:
        made = written(column)
    else:
        made = function(column, given)
    return made if made is column else made.alias(column.name)


def _few(texts: pl.Series, function: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return *function* of *texts*, by way of their distinct values where these are few.

    Misfits are counted by cells, so where there are any, all of the texts are gone through.
    """
    if texts.len() < MANY:
        return function(texts)
    distinct = texts.unique()
    if distinct.len() * 3 > texts.len():
        return function(texts)
    try:
        made = function(distinct.alias(texts.name))
    except Misfit:
        return function(texts)
    table = pl.DataFrame({"before": distinct, "after": made})
    joined = texts.to_frame("before").join(
        table, on="before", how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.get_column("after").alias(texts.name)
