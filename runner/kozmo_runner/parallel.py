"""A run by several pairs of tap and target at once, each with a shard of the streams."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

import msgspec

from kozmo_runner.abilities import abilities
from kozmo_runner.asking import ranges
from kozmo_runner.bookmarks import State
from kozmo_runner.capabilities import capabilities
from kozmo_runner.configs import said
from kozmo_runner.engine import TICK_SECONDS
from kozmo_runner.job import EMPTY, Job, Undertaking
from kozmo_runner.process import Cancel, Interrupted
from kozmo_runner.progress import Progress, StreamProgress
from kozmo_runner.report import Blame, Report, ShardReport
from kozmo_runner.shards import LEAST_ROWS, Cut, Joined, Shard, can_join, large, plan, selecting
from kozmo_runner.stores.base import NoStore, Owner, Saved, now
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import KozmoError
from kozmo_singer.wire.catalog import Catalog

_SAVE_SECONDS = 1.0
_RANGES_A_JOB = 12


@dataclass(frozen=True)
class Order:
    """What a worker is given. It can be pickled, for executors in other processes."""

    job: Job
    state: State
    owner: Owner


@dataclass(frozen=True)
class Done:
    """What a worker gives back; the report's own state has its secrets masked."""

    report: Report
    state: State | None


class Live:
    """What a worker in this process tells while it works, and hears."""

    def __init__(self, lines: SimpleQueue[tuple[str, str]]) -> None:
        self.cancel = Cancel()
        self.state: State | None = None
        self.progress = Progress()
        self._lines = lines

    def tick(self, progress: Progress) -> None:
        self.progress = progress

    def line(self, name: str, text: str) -> None:
        if name != "kozmo":  # that it is stopping is said once for all
            self._lines.put((name, text))


class _Handed(NoStore):
    """Gives the state that an order brings, and passes on what comes of it."""

    def __init__(self, order: Order, live: Live) -> None:
        self._order, self._live = order, live

    def get(self, state_id: str) -> Saved | None:
        return Saved(self._order.owner.run_id, now(), "running", self._order.state)

    def save(self, state_id: str, saved: Saved) -> None:
        self._live.state = saved.state


def work(order: Order, live: Live | None = None) -> Done:
    """Run one pair of tap and target to its end; what a worker does."""
    live = live or Live(SimpleQueue())
    live.cancel.check()
    store = _Handed(order, live)
    with Workspace() as workspace:
        one = Undertaking(order.job, store, order.owner, workspace, live, live.cancel)
        return Done(one.report(), live.state)


@dataclass
class _Running:
    """A shard on its way."""

    shard: Shard
    live: Live
    future: Future[Done]
    taken: State | None = None
    done: Done | None = None

    @property
    def progress(self) -> Progress:
        if self.done is None:
            return self.live.progress
        told = self.done.report.streams
        counts = (
            StreamProgress(s.name, s.rows_read, s.rows_written, s.bytes, s.quarantined)
            for s in told
        )
        return Progress({each.name: each for each in counts})

    @property
    def report(self) -> ShardReport:
        if self.done is None:
            return ShardReport(self.shard.streams, "interrupted", 0.0, None, None)
        own = self.done.report
        return ShardReport(
            self.shard.streams, own.status, own.seconds, own.rows_read, own.rows_written
        )


class Parallel(Undertaking):
    """One run of a job by several pairs, with one state, one display and one report.

    The first shard that fails stops the others in order, and their state is kept.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lines: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._running: list[_Running] = []
        self._ended: list[_Running] = []
        self._joined = Joined([], {})
        self._here = True
        self._stopping = False
        self._changed = False
        self._last_save = 0.0

    def _deliver(self, tap_argv: list[str]) -> None:
        shards = self._shards()
        if len(shards) < 2:
            super()._deliver(tap_argv)
            return
        self._joined = Joined(shards, self.started_with)
        with ExitStack() as stack:
            executor = self.job.executor
            if executor is None:
                executor = stack.enter_context(ThreadPoolExecutor(self.job.jobs, "shard"))
            stack.callback(self.cancel.forget, self._pass_on)
            try:
                self._start(shards, executor)
                self._follow()
            except BaseException:
                self._stop("the runner failed")
                raise
        self._judge_all()

    def _shards(self) -> list[Shard]:
        """The shards; none where the run has to be one pair, which is said."""
        job, catalog = self.job, self.catalog
        why = ""
        if catalog is None or not abilities(job.tap, self.workspace, self.cancel).catalog:
            why = "cannot be told which streams to read"
        elif not can_join(self.started_with, catalog):
            why = "keeps its state in another way than by stream"
        if catalog is None or why:
            self.result.warnings.append(f"one job instead of {job.jobs}: {job.tap.name} {why}")
            return []
        return plan(catalog, job.jobs, self._cuts(catalog))

    def _cuts(self, catalog: Catalog) -> dict[str, Cut]:
        """Where the tap would cut tables that are too large for one pair, if both ends bear it."""
        jobs = self.job.jobs
        streams = [stream for stream in large(catalog, jobs) if stream.key_properties]
        if not streams or not self._can_cut():
            return {}
        answer = ranges(
            self.job.tap, self.tap_given, self.workspace, selecting(catalog, streams),
            self.started_with, jobs * _RANGES_A_JOB, self.cancel,
        )  # fmt: skip
        cuts = {name: Cut(c["key"], c["rows"], c["ranges"]) for name, c in answer.items()}
        return {name: cut for name, cut in cuts.items() if cut.rows >= LEAST_ROWS}

    def _can_cut(self) -> bool:
        """Whether several targets can put rows of one stream into one table, updating by key."""
        tap, target = self.job.tap, self.job.target
        return (
            tap.ours
            and target.ours
            and not self.job.mappers
            and not said(self.tap_given, "stream_maps")
            and not said(self.target_given, "stream_maps")
            and said(self.target_given, "load_method") <= {"auto", "upsert"}
            and "key-ranges" in capabilities(tap, self.workspace, self.cancel)
            and "concurrent-streams" in capabilities(target, self.workspace, self.cancel)
        )

    def _start(self, shards: Sequence[Shard], executor: Executor) -> None:
        self._here = isinstance(executor, ThreadPoolExecutor)
        for number, shard in enumerate(shards):
            live = Live(self._lines)
            given = (live,) if self._here else ()
            future = executor.submit(work, self._order(number, shard), *given)
            self._running.append(_Running(shard, live, future))
        self.cancel.listen(self._pass_on)

    def _order(self, number: int, shard: Shard) -> Order:
        assert self.catalog is not None
        beside = {each.stream for each in self.catalog.selected()} - shard.names
        # Of a table that was cut, a shard's state tells of its own ranges only.
        whole = [part.stream for part in shard.parts if not part.ranges]
        streams = {name for each in whole for name in (each.tap_stream_id, each.stream)}
        note = msgspec.structs.replace(
            self.note, shard=f"{number:03}", streams=sorted(streams), beside=sorted(beside),
            forget=number == 0,
        )  # fmt: skip
        job = replace(
            self.job, catalog=shard.catalog(self.catalog), streams=(), full_refresh=False,
            store=None, jobs=1, executor=None, note=note, verify=False,
        )  # fmt: skip
        return Order(job, shard.state(self.started_with), self.owner)

    def _pass_on(self) -> None:
        # Called from signal handlers, so nothing here may take a lock.
        for each in self._running:
            each.live.cancel.request(self.cancel.why)

    def _follow(self) -> None:
        """Return when all shards have ended, or when nobody wants to wait any longer."""
        waiting = {each.future for each in self._running}
        while waiting:
            _, waiting = wait(waiting, TICK_SECONDS, FIRST_COMPLETED)
            self._look()
            if self.cancel.requests and not self._stopping:
                self.watcher.line("kozmo", "WARNING stopping; a second signal kills")
                self._stop(self.cancel.why)
            if self.cancel.requests > 1 and not self._here:
                # What runs in other processes hears no signal of ours.
                break

    def _look(self) -> None:
        """Take what the shards have told since the last time."""
        for number, each in enumerate(self._running):
            if each.done is None and each.future.done() and not each.future.cancelled():
                self._end(each)
            state = each.live.state if each.done is None else each.done.state
            if state is not None and state is not each.taken:
                each.taken, self._changed = state, True
                self._joined.take(number, state)
        self._show_lines()
        self.progress.total([each.progress for each in self._running])
        self.watcher.tick(self.progress)
        if self._changed and time.monotonic() - self._last_save >= _SAVE_SECONDS:
            self._last_save, self._changed = time.monotonic(), False
            self._save(self._joined.state)
        self._expect_time_and_lock()

    def _end(self, each: _Running) -> None:
        try:
            each.done = each.future.result()
        except Interrupted:
            return
        except KozmoError as error:
            self._blame(Blame("runner", "kozmo", error.message, [*error.details]))
            return
        except BrokenExecutor as error:
            self._blame(Blame("runner", "kozmo", "a worker of the executor died", [str(error)]))
            return
        self._ended.append(each)
        report = each.done.report
        if report.status == "failed" and report.error is not None:
            which = f"while this was moved: {', '.join(each.shard.streams)[:200]}"
            if self.result.error is None:
                self.result.exit_code = report.exit_code
            self._blame(
                msgspec.structs.replace(report.error, details=[*report.error.details, which])
            )

    def _blame(self, blame: Blame) -> None:
        self.result.error = self.result.error or blame
        self._stop(blame.message)

    def _show_lines(self) -> None:
        while not self._lines.empty():
            self.watcher.line(*self._lines.get())

    def _expect_time_and_lock(self) -> None:
        limits = self.job.limits
        try:
            self._beat()
            if limits.over(self.progress.seconds) and not self._stopping:
                raise KozmoError(f"the run was stopped after {limits.total:g} s (--timeout)")
        except KozmoError as error:
            self._blame(Blame("runner", "kozmo", error.message, [*error.details]))

    def _stop(self, why: str) -> None:
        """Begin no further shard, and stop the running ones in order."""
        if self._stopping:
            return
        self._stopping = True
        for each in self._running:
            if not each.future.cancel() and not each.live.cancel.requests:
                each.live.cancel.request(why)

    def _judge_all(self) -> None:
        result, reports = self.result, [each.done.report for each in self._ended if each.done]
        if self._changed:
            self._save(self._joined.state)
        if result.error is not None:
            result.status = "failed"
        elif self.cancel.requests:
            result.status, result.exit_code = "interrupted", Interrupted.exit_code
            result.error = Blame("runner", "kozmo", f"stopped: {self.cancel.why}")
        else:
            result.status, result.exit_code = "done", 0
        alike = [report for report in reports if report.status == result.status] or reports
        for report in alike[:1]:
            result.tap, result.target = report.tap, report.target
            result.mappers = report.mappers
        said = [text for report in reports for text in report.warnings if text != EMPTY]
        result.warnings += dict.fromkeys(said)
        result.shards = [each.report for each in self._running]
        if self._joined.strange:
            result.warnings.append(
                f"{self.job.tap.name} keeps {', '.join(sorted(self._joined.strange))} in its state "
                "for all streams together; that is not kept, and would be with one job"
            )
