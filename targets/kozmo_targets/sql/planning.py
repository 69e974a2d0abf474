"""A load that is only tried: what it would make of the tables, by the code that makes it.

Tables are shaped by the same calls as in a load, in a database where nothing lasts: a transaction
that is rolled back, or a copy without rows. There statements are noted as they pass.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO

from kozmo_singer.errors import KozmoError, RecordError
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.messages import Batch, Schema
from kozmo_singer.wire.planned import Action, ColumnPlan, Count, Misfit, Plan, StreamPlan
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import LogicalType
from kozmo_targets import batch
from kozmo_targets.load import expect_properties
from kozmo_targets.quarantine import REMEDY
from kozmo_targets.sql.names import Name
from kozmo_targets.sql.table import Change, Database, Found
from kozmo_targets.sql.widen import widened

if TYPE_CHECKING:
    from kozmo_targets.quarantine import Quarantine
    from kozmo_targets.sql.target import SqlTarget
    from kozmo_targets.sql.writer import SqlWriter

_OF_ROWS = ("INSERT", "UPDATE", "DELETE")
_OF_TRANSACTIONS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET")
_FIRST = 3
"""So many misfits of a stream are told one by one."""


class Noted(Database):
    """A database that notes the statements of `execute`, moves no row, and commits nothing.

    To be mixed in before the database that runs them.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.statements: list[str] = []
        self.refused: dict[str, str] = {}
        """Columns whose type cannot become what it must, and why; of the stream in hand."""

    @abstractmethod
    def count_rows(self, table: Name) -> tuple[int | None, Count]:
        """Return how many rows are in *table* and how that is known; None if it is not."""

    def execute(self, statement: str) -> int:
        if statement.startswith(_OF_ROWS):
            return 0
        if not statement.startswith(_OF_TRANSACTIONS):
            self.statements.append(statement)
        return super().execute(statement)  # type: ignore[safe-super]  # mixed in before it

    def commit(self) -> None:
        """Commit nothing."""
        return

    def change_types(self, table: Name, changes: Sequence[Change]) -> None:
        try:
            super().change_types(table, changes)  # type: ignore[safe-super]  # as above
        except Exception as error:
            said = " ".join(filter(None, (str(error), _detail(error))))
            named = [c.name for c in changes if f'"{c.name}"' in said]
            for name in named or [change.name for change in changes]:
                self.refused[name] = said.splitlines()[0].strip()
            raise

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo what the block did if it fails."""
        self.execute("SAVEPOINT kozmo_plan")
        try:
            yield
        except KozmoError:
            self.execute("ROLLBACK TO SAVEPOINT kozmo_plan")
            raise

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo what the block did, where others would have to wait for it."""
        yield


def _detail(error: Exception) -> str:
    diagnostic = getattr(error, "diag", None)
    return str(getattr(diagnostic, "message_detail", None) or "")


class Shown:
    """The messages of an input: its schemas in their order, and how many records each stream has.

    Records that do not fit their schema are counted among them and in *misfits*; *quarantine* says
    how many of these a load bears, None: it ends with the first.
    """

    def __init__(self, quarantine: Quarantine | None) -> None:
        self.schemas: list[tuple[Schema, bool]] = []
        """Each schema, and whether records with versions came by then; then it comes once more."""
        self._versioned: set[str] = set()
        self._last: dict[str, Schema] = {}
        self.records: Counter[str] = Counter()
        self.misfits: Counter[str] = Counter()
        self.first_misfits: dict[str, list[Misfit]] = {}
        self._quarantine = quarantine
        self._errors: dict[str, list[str]] = {}
        self._is_full = False

    def read(self, source: int | BinaryIO, expect_end: Callable[[], None]) -> None:
        """Read *source* to its end."""
        reader = Reader(source, refuse=self._refuse)
        for message in reader:
            if isinstance(message, Schema):
                expect_properties(message)
                self._last[message.stream] = message
                self.schemas.append((message, message.stream in self._versioned))
            elif isinstance(message, Rows):
                self._rows(message)
            elif isinstance(message, Batch):
                for rows in batch.read(message, reader.decoder(message.stream), self._refuse):
                    self._rows(rows)
            if self._quarantine is not None:
                self._is_full = self._is_full or self._quarantine.is_full
        expect_end()

    def error(self, stream: str, *, whole: bool) -> list[str] | None:
        """Return the words with which the records of *stream* end a load, None where they do not.

        With *whole* the load is of all rows or none.
        """
        if stream not in self._errors or self._quarantine is None:
            return self._errors.get(stream)
        if not self._is_full and not self._quarantine.is_full_at_end:
            return None
        error = self._quarantine.too_many("nothing is" if whole else "what came before is")
        return [error.message, *error.details]

    def _rows(self, rows: Rows) -> None:
        self._count(rows.stream, len(rows))
        if rows.stream not in self._versioned and any(rows.versions):
            self._versioned.add(rows.stream)
            self.schemas.append((self._last[rows.stream], True))

    def _count(self, stream: str, records: int) -> None:
        self.records[stream] += records
        if self._quarantine is not None:
            self._quarantine.seen += records

    def _refuse(self, error: RecordError, _: bytes) -> None:
        stream = error.stream or ""
        self._count(stream, 1)
        self.misfits[stream] += 1
        self._errors.setdefault(stream, [error.message, *error.details, REMEDY])
        if self._quarantine is not None:
            self._quarantine.count(error)
        first = self.first_misfits.setdefault(stream, [])
        if len(first) < _FIRST:
            reason = "; ".join((error.reason, *error.details[1:]))
            first.append(Misfit(error.line, error.path, reason))


def plan_of(target: SqlTarget, database: Noted, shown: Shown) -> Plan:
    """Return what *target*, whose tables are seen through *database*, would do."""
    streams: dict[str, _Stream] = {}
    whole = bool(target.config["all_or_nothing"])
    process = target.config["process_activate_version_messages"]
    for number, (schema, versioned) in enumerate(shown.schemas):
        one = streams.setdefault(schema.stream, _Stream(target, database, schema.stream))
        one.schemas.append((number, schema, versioned and process))
    for one in streams.values():
        one.shape(len(shown.schemas))
    for stream, one in streams.items():
        one.plan.records = shown.records[stream]
        one.plan.misfits = shown.misfits[stream]
        one.plan.first_misfits = shown.first_misfits.get(stream, [])
        one.plan.error = one.plan.error or shown.error(stream, whole=whole)
    statements = _in_order(step for one in streams.values() for step in one.steps)
    plan = Plan(target.name, [one.plan for one in streams.values()], statements)
    for stream in shown.misfits:
        if stream not in streams:
            plan.strays += shown.misfits[stream]
            plan.fault = plan.fault or shown.error(stream, whole=whole)
    return plan


def _in_order(steps: Iterable[tuple[int, list[str]]]) -> list[str]:
    """Return the statements in the order of a load, which takes the streams as they come."""
    return [statement for _, found in sorted(steps, key=itemgetter(0)) for statement in found]


class _Stream:
    """One stream as a load would meet it."""

    def __init__(self, target: SqlTarget, database: Noted, stream: str) -> None:
        self.plan = StreamPlan(stream)
        self.schemas: list[tuple[int, Schema, bool]] = []
        """With their numbers among those of all streams."""
        self.steps: list[tuple[int, list[str]]] = []
        """Statements, and when they are run: with which schema, or after all of them."""
        self._target, self._database = target, database
        self._writer: SqlWriter | None = None
        self._before: Found | None = None
        self._after: Found | None = None
        self._types: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    def shape(self, end: int) -> None:
        """Shape the table for each schema, and find out what is left of it at the *end*."""
        number, schema, _ = self.schemas[0]
        with self._noted(number):
            self._writer = self._begin(schema)
        writer = self._writer
        if writer is None:
            return
        # What _begin makes serves other streams too, and stays.
        with self._database.undone():
            self._look(writer)
            for number, schema, versioned in self.schemas:
                if not self.plan.error:
                    with self._noted(number):
                        writer.versioned = versioned
                        writer.open(schema)
            self._finish(writer, end)

    def _finish(self, writer: SqlWriter, end: int) -> None:
        if not self.plan.error:
            with self._noted(end):
                if writer.method == "overwrite":
                    writer.finish()
                self._after = self._database.find(writer.table)
        self.plan.key = writer.key
        if writer.columns and not self.plan.error and writer.advice:
            self.plan.notes.append(writer.advice)
        self.plan.columns = list(self._columns(writer))

    def _begin(self, schema: Schema) -> SqlWriter:
        plan, database, config = self.plan, self._database, self._target.config
        method = self._target.load_method(schema)
        plan.load_method = "create" if config["load_method"] == "create" else method
        writer = self._target.writer(schema, method)
        plan.schema, plan.table = writer.table
        plan.quoted = database.text(writer.table)
        return writer

    def _look(self, writer: SqlWriter) -> None:
        plan, database = self.plan, self._database
        self._before = database.find(writer.table)
        if self._before is not None:
            plan.exists = True
            plan.rows, count = database.count_rows(writer.table)
            plan.count = None if plan.rows is None else count
            self._types = database.formatted(writer.table)

    @contextmanager
    def _noted(self, number: int) -> Iterator[None]:
        """Note the statements as run at *number*, and the error with which a load would end."""
        start = len(self._database.statements)
        self._database.refused = {}
        try:
            with self._database.attempt():
                yield
        except KozmoError as error:
            self.plan.error = [error.message, *error.details]
            self._refused = self._database.refused
        found = self._database.statements[start:]
        self.plan.statements += found
        self.steps.append((number, found))

    def _columns(self, writer: SqlWriter) -> Iterator[ColumnPlan]:
        before = self._before.columns if self._before else {}
        after = self._after.columns if self._after else before
        fold = self._database.naming.fold
        spelt = {fold(name): name for name in before}
        own = set()
        for column in writer.columns:
            name = spelt.get(fold(column.name), column.name)
            own.add(name)
            field = writer.property_of(column.name)
            type, action = self._change(name, column.type, after)
            yield ColumnPlan(
                field, name, type, self._types.get(name), action, self._refused.get(name)
            )
        for name in before:
            if name not in own:
                now = self._types.get(name)
                left = name in after
                yield ColumnPlan(
                    None, name, now if left else None, now, "left alone" if left else "drop"
                )

    def _change(
        self, name: str, wanted: LogicalType, after: Mapping[str, LogicalType | None]
    ) -> tuple[str | None, Action]:
        """Return what the type of a column of the stream will be, and what is done for it."""
        ddl, now = self._database.ddl, self._types.get(name)
        if self._before is None:
            return ddl(wanted), "create"
        if name not in self._before.columns:
            return ddl(wanted), "add"
        have, then = self._before.columns[name], after.get(name)
        if have is not None and name in self._refused:
            return ddl(widened(have, wanted)), "conflict"
        if then is None or have is not None and ddl(have) == ddl(then):
            return now, "keep"
        replaced = f"DROP TABLE {self.plan.quoted}" in self.plan.statements
        return ddl(then), "replace" if replaced else "widen"
