"""What a run leaves: how it ended, what moved, who failed first and why."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from kozmo_runner.home import write_private
from kozmo_runner.progress import StreamProgress
from kozmo_runner.words import number
from kozmo_singer.errors import ConfigError, KozmoError, ReadError, WriteError, scrub

Status = Literal["done", "failed", "interrupted"]
Verdict = Literal["equal", "rows differ", "values differ", "columns missing", "not there"]


class ProcessReport(msgspec.Struct):
    """One process of the run; *exit_code* is negative for a signal, None if it never ran."""

    name: str
    command: list[str]
    exit_code: int | None = None
    stderr_tail: list[str] = []


class StreamReport(msgspec.Struct):
    """Counts of one stream; null where the plug-in does not tell.

    *quarantined* are bad records that the target set aside in *quarantine_file*. Of the rows that
    were written *rows_inserted* were new and *rows_updated* changed others; the rest changed none.
    """

    name: str
    rows_read: int | None
    rows_written: int | None
    bytes: int | None
    quarantined: int | None = None
    rows_inserted: int | None = None
    rows_updated: int | None = None
    quarantine_file: str | None = None


def stream_report(stream: StreamProgress) -> StreamReport:
    """Return the counts of *stream* as a report has them."""
    return StreamReport(
        stream.name, stream.read, stream.written, stream.size, stream.quarantined,
        stream.inserted, stream.updated, stream.quarantine_file,
    )  # fmt: skip


class Blame(msgspec.Struct):
    """What failed first, in words; *side* is tap, mapper, target or runner.

    *retryable*: another attempt may do, for example since a connection was lost.
    """

    side: Literal["tap", "mapper", "target", "runner"]
    name: str
    message: str
    details: list[str] = []
    retryable: bool = False

    @property
    def error(self) -> KozmoError:
        """The blame as an error to show or to raise."""
        kinds = {"tap": ReadError, "target": WriteError}
        return kinds.get(self.side, KozmoError)(self.message, *self.details)


class ShardReport(msgspec.Struct):
    """One pair of tap and target of a run that had several, and what of it was read and written."""

    streams: list[str]
    status: Status
    seconds: float
    rows_read: int | None
    rows_written: int | None


class StreamComparison(msgspec.Struct):
    """What was found of one stream; rows are None where there was nothing to count."""

    name: str
    verdict: Verdict
    source_rows: int | None = None
    target_rows: int | None = None
    missing: list[str] = []

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same rows."""
        return self.verdict == "equal"

    @property
    def words(self) -> str:
        """What was found, in a line."""
        if self.verdict == "not there":
            return f"{self.name}: the target has no such stream"
        if self.verdict == "columns missing":
            return f"{self.name}: the target lacks {', '.join(self.missing)[:200]}"
        source, target = number(self.source_rows), number(self.target_rows)
        if self.verdict == "rows differ":
            return f"{self.name}: {source} rows in the source, {target} in the target"
        return f"{self.name}: {self.verdict} in {source} rows"


class Report(msgspec.Struct):
    """A run from start to end. Secrets are masked in everything that is text.

    *mappers* are those between tap and target, in their order.
    *lane* is how rows went from tap to target: text or arrow. *attempts* counts those that a lost
    connection made necessary, too. *verified* is what `verify` found of each stream, None where it
    was not asked for or not come to.
    """

    run_id: str
    pipeline: str
    state_id: str
    tap: ProcessReport
    target: ProcessReport
    status: Status = "failed"
    exit_code: int = 1
    started_at: str = ""
    seconds: float = 0.0
    rows_read: int | None = None
    rows_written: int | None = None
    bytes: int | None = None
    quarantined: int | None = None
    streams: list[StreamReport] = []
    state_before: dict[str, Any] | None = None
    state_after: dict[str, Any] | None = None
    error: Blame | None = None
    warnings: list[str] = []
    shards: list[ShardReport] = []
    lane: str = "text"
    attempts: int = 1
    verified: list[StreamComparison] | None = None
    mappers: list[ProcessReport] = []

    @property
    def rows(self) -> int | None:
        """The rows read, or, of a tap that does not tell, the rows written."""
        return self.rows_written if self.rows_read is None else self.rows_read

    def raise_for_failure(self) -> None:
        """Raise what went wrong: ReadError of the tap, WriteError of the target, ConfigError."""
        if self.error is None:
            return
        if self.exit_code == ConfigError.exit_code:
            raise ConfigError(self.error.message, *self.error.details)
        raise self.error.error

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the report as JSON into a file of mode 0600."""
        content = msgspec.json.format(msgspec.json.encode(self), indent=2)
        write_private(Path(path), content + b"\n")


# msgspec crashes where two threads are the first to convert to a class, as runs in threads would
# be: what it needs to know of the class it finds out here, under the lock of the import.
msgspec.json.Decoder(Report)


def masked(report: Report, secrets: list[str]) -> Report:
    """Return *report* without the secrets, wherever in its words or states they stand."""
    value = report.to_dict()
    kept = ("run_id", "pipeline", "state_id", "status", "started_at", "verified")
    clean = {k: v if k in kept else _masked(v, secrets) for k, v in value.items()}
    for side in ("tap", "target"):
        clean[side]["name"] = value[side]["name"]
    for shown, mapper in zip(clean["mappers"], value["mappers"], strict=True):
        shown["name"] = mapper["name"]
    return msgspec.convert(clean, Report)


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        return scrub(value, secrets)
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    return value
