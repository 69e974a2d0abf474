"""A run as the user asks for it: plug-ins, configuration, catalog, state, and its report."""

from __future__ import annotations

import secrets as randomness
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from kozmo_runner.abilities import Abilities, abilities
from kozmo_runner.asking import DISCOVER_SECONDS, as_catalog, committed_states
from kozmo_runner.bookmarks import State, without_streams
from kozmo_runner.capabilities import capabilities
from kozmo_runner.comparing import Comparer, Side, expect_readable, failure_of
from kozmo_runner.configs import Config, Given, give, take_back
from kozmo_runner.engine import Command, Engine, Grace, Limits, Outcome, Watcher
from kozmo_runner.environment import child_environment
from kozmo_runner.lanes import check_lane, takes_arrow
from kozmo_runner.plugins import Plug, find
from kozmo_runner.process import Cancel, Interrupted
from kozmo_runner.progress import Progress
from kozmo_runner.report import Blame, ProcessReport, Report, masked, stream_report
from kozmo_runner.retries import RETRIES, with_retries
from kozmo_runner.stores.base import (
    BEAT_SECONDS,
    BY_HAND,
    NoStore,
    Owner,
    Saved,
    StateStore,
    check_id,
    now,
)
from kozmo_runner.stores.opening import open_store
from kozmo_runner.tapping import choose, tap_command
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, KozmoError
from kozmo_singer.wire import committed
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.committed import Committed, RunNote, joined, later
from kozmo_singer.wire.state import bookmark, carried

if TYPE_CHECKING:
    from concurrent.futures import Executor

EMPTY = "no rows were read: the selected streams are empty"
NOTHING_READ = 3
"""The exit code of a run that is done and has moved nothing where rows were expected."""


@dataclass(frozen=True)
class Mapper:
    """A program between tap and target, which changes what goes by, and its configuration."""

    plug: Plug
    config: Config = None


@dataclass
class Job:
    """What is to be run. `state_id` has a default made of the names of tap and target.

    More than one of *jobs* shares the streams out among so many pairs of tap and target, which
    threads of this process start, or *executor*. *note* is what the target is told of the run.
    *verify* compares both sides at the end. What the tap sends goes through *mappers*, in order.
    """

    tap: Plug
    target: Plug
    tap_config: Config = None
    target_config: Config = None
    catalog: Catalog | None = None
    streams: Sequence[str] = ()
    full_refresh: bool = False
    state_id: str = ""
    store: str | None = None
    limits: Limits = field(default_factory=Limits)
    jobs: int = 1
    executor: Executor | None = None
    note: RunNote = RunNote()
    lane: str = "auto"
    retries: int = RETRIES
    verify: bool = False
    mappers: Sequence[Mapper] = ()

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ConfigError(f"jobs must be at least 1, not {self.jobs}")
        check_lane(self.lane)
        if self.verify and self.mappers:
            raise ConfigError(
                f"a run through {self.mappers[0].plug.name} cannot be verified",
                "what arrives is meant to differ from the source",
            )

    @property
    def plugs(self) -> list[Plug]:
        """The tap, the mappers and the target, as the rows pass them."""
        return [self.tap, *(mapper.plug for mapper in self.mappers), self.target]

    @property
    def pipeline(self) -> str:
        """The job in a few words."""
        through = "".join(f" through {mapper.plug.name}" for mapper in self.mappers)
        return f"{self.tap.name}{through} to {self.target.name}"


class Silent:
    """A watcher that shows nothing."""

    def tick(self, progress: Progress) -> None:
        return

    def line(self, name: str, text: str) -> None:
        return


def run(
    tap: str,
    target: str,
    *,
    tap_config: Config = None,
    target_config: Config = None,
    catalog: Catalog | Mapping[str, Any] | None = None,
    streams: Sequence[str] = (),
    full_refresh: bool = False,
    state_id: str | None = None,
    state_suffix: str = "",
    state_store: str | None = None,
    timeout: float | None = None,
    idle_timeout: float | None = None,
    grace: Grace | None = None,
    watcher: Watcher | None = None,
    cancel: Cancel | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    lane: str = "auto",
    retries: int = RETRIES,
    verify: bool = False,
    mappers: Sequence[str | tuple[str, Config]] = (),
) -> Report:
    """Run *tap* into *target* and return how it went; see Report.raise_for_failure.

    *streams* are rules as of `kozmo select`. State is kept under *state_id*, by default
    tap-x-to-target-y, followed by *state_suffix* if there is one. *jobs* pairs of tap and target
    run at once, started by threads or by another *executor* of concurrent.futures. *lane* is text,
    arrow, or auto for arrow where both ends can. After a lost connection the run goes on from its
    last safe state, *retries* times at most. With *verify* a run that ended well fails all the same
    where the target does not hold what the source has then. What the tap sends goes through
    *mappers*: names, or names with a configuration. What keeps the run from starting at all is
    raised: an unknown plug-in, an unreadable configuration, a state that another run holds.
    """
    tap_plug, target_plug = find(tap, "tap"), find(target, "target")
    job = Job(
        tap_plug,
        target_plug,
        tap_config,
        target_config,
        as_catalog(catalog),
        streams,
        full_refresh,
        state_id or default_state_id(tap_plug, target_plug, state_suffix),
        state_store,
        Limits(timeout, idle_timeout, grace or Grace()),
        jobs,
        executor,
        lane=lane,
        retries=retries,
        verify=verify,
        mappers=[_mapper(each) for each in mappers],
    )
    return execute(job, watcher or Silent(), cancel or Cancel())


def _mapper(given: str | tuple[str, Config]) -> Mapper:
    name, config = (given, None) if isinstance(given, str) else given
    return Mapper(find(name, "mapper"), config)


def default_state_id(tap: Plug, target: Plug, suffix: str = "") -> str:
    """Return the id under which runs of *tap* into *target* keep their state."""
    return f"{tap.name}-to-{target.name}" + (f":{suffix}" if suffix else "")


def execute(job: Job, watcher: Watcher, cancel: Cancel) -> Report:
    """Run *job* under the lock of its state."""
    check_id(job.state_id)
    store = open_store(job.store)
    run_id = new_run_id()
    with locked(store, job.state_id, Owner.me(run_id)) as owner:

        def run(attempt: Job) -> Report:
            with Workspace() as workspace:
                return _kind(job)(attempt, store, owner, workspace, watcher, cancel).report()

        return with_retries(job, run, watcher, cancel)


def _kind(job: Job) -> type[Undertaking]:
    if job.jobs == 1:
        return Undertaking
    from kozmo_runner.parallel import Parallel

    return Parallel


@contextmanager
def locked(store: StateStore, state_id: str, owner: Owner) -> Iterator[Owner]:
    """Hold the lock of *state_id*; Locked says who has it."""
    store.lock(state_id, owner)
    try:
        yield owner
    finally:
        store.unlock(state_id, owner)


class Undertaking:
    """One run of a job, by one pair of tap and target."""

    def __init__(
        self,
        job: Job,
        store: StateStore,
        owner: Owner,
        workspace: Workspace,
        watcher: Watcher,
        cancel: Cancel,
    ) -> None:
        self.job, self.store, self.owner = job, store, owner
        self.run_id = owner.run_id
        self.asked = job.tap
        self.workspace, self.watcher, self.cancel = workspace, watcher, cancel
        self.progress = Progress()
        self.tap_given, self.target_given = Given(), Given()
        self.mappers_given: list[Given] = []
        self.catalog: Catalog | None = None
        self.before: State | None = None
        self.note = job.note
        self.started_with: State = {}
        self.after: State | None = None
        self.unsaved: KozmoError | None = None
        self.beaten = self.progress.began
        self.result = Report(
            owner.run_id,
            job.pipeline,
            job.state_id,
            ProcessReport(job.tap.name, list(job.tap.command)),
            ProcessReport(job.target.name, list(job.target.command)),
            started_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            mappers=[ProcessReport(m.plug.name, list(m.plug.command)) for m in job.mappers],
        )

    def report(self) -> Report:
        """Do it all; only what the user got wrong before anything ran is raised."""
        result, job = self.result, self.job
        tap_able, target_able = self._configure()
        try:
            command = self._prepare(tap_able)
            if command is not None:
                self._deliver(command)
                if job.verify and result.status == "done":
                    self._verify(tap_able, target_able)
            else:
                result.status, result.exit_code = "done", NOTHING_READ
        except Interrupted as error:
            result.status, result.exit_code = "interrupted", error.exit_code
            result.error = Blame("runner", "kozmo", error.message)
        except KozmoError as error:
            result.exit_code = error.exit_code
            asked = self.asked
            result.error = Blame(asked.kind, asked.name, error.message, [*error.details])
        self._finish()
        return masked(result, self._secrets)

    @property
    def _givens(self) -> list[Given]:
        """What each process is given, the tap first."""
        return [self.tap_given, *self.mappers_given, self.target_given]

    @property
    def _secrets(self) -> list[str]:
        return [secret for given in self._givens for secret in given.secrets]

    def _configure(self) -> tuple[Abilities, Abilities]:
        job = self.job
        tap_able = abilities(job.tap, self.workspace, self.cancel)
        target_able = abilities(job.target, self.workspace, self.cancel)
        self.tap_given = give(job.tap, job.tap_config, tap_able, self.workspace)
        self.target_given = give(job.target, job.target_config, target_able, self.workspace)
        self.mappers_given = [self._given_to(mapper) for mapper in job.mappers]
        if job.verify:
            target = Side(job.target, self.target_given, target_able)
            expect_readable(target, self.workspace, self.cancel)
        return tap_able, target_able

    def _given_to(self, mapper: Mapper) -> Given:
        able = abilities(mapper.plug, self.workspace, self.cancel)
        # Any filter of lines may be a mapper, and most of them have no --config.
        able = replace(able, needs_config=False)
        return give(mapper.plug, mapper.config, able, self.workspace)

    def _prepare(self, able: Abilities) -> list[str] | None:
        """Return the tap's command line, or None where nothing is selected."""
        job = self.job
        self.catalog = choose(
            job.tap, self.tap_given, able, self.workspace, job.catalog, job.streams,
            job.limits.total or DISCOVER_SECONDS, self.cancel,
        )  # fmt: skip
        selected = self.catalog.selected() if self.catalog is not None else []
        if self.catalog is not None and not selected:
            self.result.warnings.append(
                "no stream is selected, so nothing was read; see: kozmo select --help"
            )
            return None
        self.progress.expect([s.stream or s.tap_stream_id for s in selected])
        self.before = self._known_state()
        if job.full_refresh and self.before is not None:
            # At once: a run that dies, or is tried again, must not go on from an old bookmark.
            self._keep(self._forgetting())
            self.before = self.after
        self.started_with = self.before or {}
        if not self.job.note.state_id and self.note.state_id:
            going_on = _going_on(self.started_with, selected)
            self.note = msgspec.structs.replace(self.note, going_on=going_on)
        return tap_command(
            job.tap, self.tap_given, able, self.workspace, self.catalog, self.started_with
        )

    def _known_state(self) -> State | None:
        """Return where the last run stopped: what the target committed, if that is newer."""
        job = self.job
        found = self.store.get(job.state_id)
        state = found.state if found is not None else None
        if found is not None and self._moved_away(found):
            self.result.warnings.append(
                f"the state '{job.state_id}' was left by {job.tap.name} with another source; if "
                "this is a new one give it a state of its own: --state-suffix NAME"
            )
        if self.note.state_id:
            return state
        there = self._committed()
        known = [each.run_id for each in (*there, found) if each is not None]
        # After all that went before, attempts of this run too, and on clocks that go wrong.
        self.run_id = self.result.run_id = later(self.owner.run_id, known)
        if self.note.state_id:
            self.note = msgspec.structs.replace(self.note, run_id=self.run_id)
        by_hand = found is not None and found.status in BY_HAND
        newer = [each for each in there if found is None or each.run_id >= found.run_id]
        merged = joined([] if by_hand else newer, state or {})
        if merged != (state or {}):
            self.watcher.line(
                "kozmo",
                f"WARNING going on from the state that {job.target.name} committed, which is newer",
            )
        elif not by_hand:
            return state
        # From now on what the target knows is older, and it forgets it with its first commit.
        self._keep(merged)
        return merged

    def _committed(self) -> list[Committed]:
        """Return what the target has committed of this state, and see to it that it goes on so."""
        if not self._keeps_state():
            return []
        # Another source under the same id must never be gone on from.
        state_id = f"{self.job.state_id}@{self.tap_given.origin}"
        self.asked = self.job.target
        found = committed_states(
            self.job.target, self.target_given, self.workspace, state_id, self.cancel
        )
        self.asked = self.job.tap
        self.note = RunNote(state_id, found=found)
        return found

    def _keeps_state(self) -> bool:
        """Whether the target can commit states with its rows, and somebody wants them."""
        job = self.job
        return (
            job.target.ours
            and not isinstance(self.store, NoStore)
            and committed.CAPABILITY in capabilities(job.target, self.workspace, self.cancel)
        )

    def _moved_away(self, found: Saved) -> bool:
        """Whether the tap was pointed at another source when *found* was saved."""
        return bool(found.origin and found.origin != self.tap_given.origin)

    def _forgetting(self) -> State:
        """The state before without the selected streams; without any where they are unknown."""
        if self.catalog is None or self.before is None:
            return {}
        selected = self.catalog.selected()
        names = {s.tap_stream_id for s in selected} | {s.stream for s in selected}
        return without_streams(self.before, names)

    def _deliver(self, tap_argv: list[str]) -> None:
        """Move the rows, and put into the report how that went."""
        self._judge(self._pipe(tap_argv))

    def _verify(self, tap_able: Abilities, target_able: Abilities) -> None:
        """Compare what arrived with what the source has now; the run fails unless all is equal."""
        job, result = self.job, self.result
        result.status, result.exit_code = "failed", 1
        found = Comparer(
            Side(job.tap, self.tap_given, tap_able, self.catalog),
            Side(job.target, self.target_given, target_able),
            self.workspace,
            self.cancel,
        ).result()
        result.verified = found
        fault = failure_of(found)
        if fault is None:
            result.status, result.exit_code = "done", 0
        else:
            result.error = Blame("runner", "kozmo", fault.message, [*fault.details])

    def _pipe(self, tap_argv: list[str]) -> Outcome:
        job = self.job
        target_argv = [*job.target.command, *self.target_given.argv]
        if job.target.ours and self.note != RunNote():
            path = self.workspace.write("run.json", msgspec.to_builtins(self.note))
            target_argv += ["--run", str(path)]
        commands = [tap_argv, *self._mapper_commands(), target_argv]
        for process, argv in zip(self._processes, commands, strict=True):
            process.command = argv
        arrow = takes_arrow(job.lane, job.plugs, self.catalog, self.workspace, self.cancel)
        self.result.lane = "arrow" if arrow else "text"
        engine = Engine(
            [self._command(*each) for each in zip(job.plugs, commands, strict=True)],
            self.workspace,
            progress=self.progress,
            watcher=self.watcher,
            save=self._save,
            limits=job.limits,
            cancel=self.cancel,
            alive=self._beat,
            arrow=arrow,
        )
        try:
            return engine.run()
        finally:
            for process, tail in zip(self._processes, engine.tails, strict=True):
                process.stderr_tail = tail

    @property
    def _processes(self) -> list[ProcessReport]:
        return [self.result.tap, *self.result.mappers, self.result.target]

    def _mapper_commands(self) -> list[list[str]]:
        """The command lines of the mappers; those of ours may keep something in the state."""
        state: list[str] = []
        if self.started_with and any(mapper.plug.ours for mapper in self.job.mappers):
            path = self.workspace.write("mappers.state.json", self.started_with)
            state = ["--state", str(path)]
        return [
            [*mapper.plug.command, *given.argv, *(state if mapper.plug.ours else [])]
            for mapper, given in zip(self.job.mappers, self.mappers_given, strict=True)
        ]

    def _command(self, plug: Plug, argv: list[str]) -> Command:
        return Command(plug, argv, child_environment(plug), self._secrets)

    def _save(self, state: State, status: str = "running") -> None:
        """Keep what the target stands for; a store that fails is tried again at the next state."""
        self._keep(carried(self.before or {}, state), status)

    def _keep(self, state: State, status: str = "running") -> None:
        self.after = state
        saved = Saved(self.run_id, now(), status, self.after, self.tap_given.origin)
        try:
            self.store.save(self.job.state_id, saved)
            self.unsaved = None
        except KozmoError as error:
            self.unsaved = error

    def _beat(self) -> None:
        if time.monotonic() - self.beaten >= BEAT_SECONDS:
            self.beaten = time.monotonic()
            self.store.beat(self.job.state_id, self.owner)

    def _judge(self, outcome: Outcome) -> None:
        """Turn how the processes ended into status, exit code and words."""
        result = self.result
        for process, code in zip(self._processes, outcome.codes, strict=True):
            process.exit_code = code
        if outcome.blame is not None:
            result.error = outcome.blame
            result.exit_code = self._exit_code(outcome)
        elif outcome.stopped:
            result.status, result.exit_code = "interrupted", Interrupted.exit_code
            result.error = Blame("runner", "kozmo", f"stopped: {outcome.stopped}")
        else:
            result.status, result.exit_code = "done", 0
        if outcome.garbage:
            result.warnings.append(
                f"{self.job.target.name} printed {outcome.garbage} lines that are no state"
            )

    def _exit_code(self, outcome: Outcome) -> int:
        """2 where a plug-in of ours says that its configuration is wrong, else 1."""
        blame = outcome.blame
        wrong = any(
            plug.ours and code == 2 and (plug.kind, plug.name) == (blame.side, blame.name)
            for plug, code in zip(self.job.plugs, outcome.codes, strict=True)
            if blame is not None
        )
        return ConfigError.exit_code if wrong else 1

    def _finish(self) -> None:
        result, progress = self.result, self.progress
        if self.after is not None:
            self._save_last()
        for plug, given in zip(self.job.plugs, self._givens, strict=True):
            warning = take_back(plug, given)
            if warning:
                result.warnings.append(warning)
        result.seconds = round(progress.seconds, 3)
        result.rows_read, result.rows_written = progress.read, progress.written
        result.bytes, result.quarantined = progress.size, progress.quarantined
        result.streams = [stream_report(stream) for stream in progress.streams.values()]
        result.state_before, result.state_after = self.before, self.after or self.before
        rows_expected = self.job.full_refresh or not self.before
        if result.status == "done" and result.rows == 0 and rows_expected:
            result.warnings.append(EMPTY)
            result.exit_code = NOTHING_READ

    def _save_last(self) -> None:
        """Give the kept state the status of the run."""
        self._save(self.after or {}, self.result.status)
        if self.unsaved is not None:
            result = self.result
            result.status, result.exit_code = "failed", 1
            result.error = result.error or Blame(
                "runner", "kozmo", self.unsaved.message, [*self.unsaved.details]
            )


def _going_on(state: State, selected: Sequence[Stream]) -> list[str]:
    """The streams of which, by *state*, only newer rows will come."""
    marks = [(s.stream or s.tap_stream_id, bookmark(state, s.tap_stream_id)) for s in selected]
    return [name for name, mark in marks if mark.get("replication_key_value") is not None]


def new_run_id() -> str:
    """Return an id that sorts by time."""
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%fZ}-{randomness.token_hex(4)}"
