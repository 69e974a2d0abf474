"""The engine of every target, on a target that keeps its rows in memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import ReadError, RecordError, WriteError
from kozmo_singer.plugin import stopping
from kozmo_targets.load import Mark
from kozmo_targets.target import (
    COMMON_SETTINGS,
    LoadMethod,
    Target,
    Writer,
    load_method_setting,
)
from messages import (
    TEXT,
    activate,
    full_table,
    lines,
    load,
    load_bytes,
    record,
    records,
    schema,
    state,
    told,
)

ID = {"id": {"type": "integer"}}


@dataclass
class Memory:
    """Where rows are: taken, handed over, durable, and what else happened."""

    durable: list[tuple[str, int]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refused: int | None = None


class MemoryWriter(Writer):
    def __init__(self, target: TargetMemory, method: LoadMethod) -> None:
        self.target, self.method = target, method
        self.taken: list[tuple[str, int]] = []

    def open(self, schema: Any) -> None:
        self.target.memory.calls.append(f"open {schema.stream}")

    def write(self, rows: Any) -> None:
        for (value, *_), line in zip(rows.tuples(), rows.lines, strict=True):
            if value == self.target.memory.refused:
                raise WriteError(f"refused {value}", f"line {line}")
            self.taken.append((rows.stream, value))

    def flush(self) -> bool:
        if self.method == "overwrite":
            return False
        self.target.handed += self.taken
        self.taken = []
        return True

    def activate_version(self, version: int) -> None:
        self.target.memory.calls.append(f"version {version}")

    def finish(self) -> None:
        self.target.memory.calls.append("finish")
        self.target.handed += self.taken

    def abort(self) -> None:
        self.target.memory.calls.append("abort")


class TargetMemory(Target):
    """Rows are durable once commit was called."""

    name = "target-memory"
    summary = "lists"
    load_methods: ClassVar[tuple[LoadMethod, ...]] = ("append-only", "upsert", "overwrite")
    settings = (load_method_setting("append-only", "upsert", "overwrite"), *COMMON_SETTINGS)

    def __init__(self, config: dict[str, Any], memory: Memory) -> None:
        super().__init__(config)
        self.memory = memory
        self.handed: list[tuple[str, int]] = []

    def check(self) -> str:
        return "always there"

    def writer(self, schema: Any, method: LoadMethod) -> Writer:
        return MemoryWriter(self, method)

    def commit(self, mark: Mark | None = None) -> None:
        self.memory.durable += self.handed
        self.handed = []

    def close(self) -> None:
        self.memory.calls.append("close")


@pytest.fixture
def memory() -> Memory:
    """An empty place."""
    return Memory()


@pytest.fixture(autouse=True)
def no_signal() -> Iterator[None]:
    """Forget the wish to stop that a test expressed."""
    yield
    stopping.signal = None


def test_states_are_told_once_their_rows_are_durable(memory: Memory) -> None:
    """Only the newest of those that became safe together, and no state twice."""
    target = TargetMemory({"batch_size_rows": 2}, memory)
    found = load(
        target,
        schema("t", ID),
        record("t", {"id": 1}),
        state(1),
        record("t", {"id": 2}),
        state(2),
        record("t", {"id": 3}),
        state(3),
        state(3),
        state({}),
    )
    assert found == [1, 3]
    assert memory.durable == [("t", 1), ("t", 2), ("t", 3)]
    assert memory.calls == ["open t", "finish", "close"]


def test_a_batch_is_bounded_in_bytes(memory: Memory) -> None:
    """Long records fill it sooner."""
    target = TargetMemory({"batch_size_bytes": 1000}, memory)
    rows = [record("t", {"id": i, "v": "x" * 400}) for i in range(4)]
    messages = [m for i, row in enumerate(rows) for m in (row, state(i))]
    assert load(target, schema("t", {**ID, "v": TEXT}), *messages) == [1, 3]


def test_rows_before_a_fault_in_the_input_are_kept(memory: Memory) -> None:
    """And the state that covers them is told before the error is raised."""
    data = lines(schema("t", ID), records("t", [{"id": 1}, {"id": 2}]), state(2))
    out = io.BytesIO()
    with pytest.raises(RecordError, match="line 6"):
        bad = lines(record("t", {"id": 3}), record("t", {"id": "x"}))
        TargetMemory({}, memory).run(io.BytesIO(data + bad), out)
    assert told(out.getvalue()) == [2]
    assert memory.durable == [("t", 1), ("t", 2), ("t", 3)]
    assert memory.calls == ["open t", "abort", "close"]


def test_rows_that_the_target_refuses_leave_those_of_earlier_batches(memory: Memory) -> None:
    """No state covers what is not durable."""
    memory.refused = 3
    out = io.BytesIO()
    data = lines(
        schema("t", ID), *(m for i in range(5) for m in (record("t", {"id": i}), state(i)))
    )
    with pytest.raises(WriteError, match="refused 3"):
        TargetMemory({"batch_size_rows": 2}, memory).run(io.BytesIO(data), out)
    assert memory.durable == [("t", 0), ("t", 1)]
    assert told(out.getvalue()) == [0, 1]
    assert memory.calls == ["open t", "abort", "close"]


def test_a_hidden_stream_holds_back_the_state_of_all(memory: Memory) -> None:
    """What follows its first rows is safe only when it shows them."""
    target = TargetMemory({"batch_size_rows": 1}, memory)
    found = load(
        target,
        schema("t", ID),
        record("t", {"id": 1}),
        state(1),
        full_table("full", ID),
        record("full", {"id": 2}),
        state(2),
        record("t", {"id": 3}),
        state(3),
    )
    assert found == [1, 3]
    assert memory.durable[-1] == ("full", 2)


def test_the_runner_says_that_the_tap_failed(memory: Memory) -> None:
    """Rows are kept, nothing is finished, and the error gives the runner's reason."""
    data = lines(schema("t", ID), record("t", {"id": 1}), state(1), activate("t", 9))
    out = io.BytesIO()
    with pytest.raises(ReadError, match="it was killed"):
        aborted = b'\n{"type":"ABORT","reason":"it was killed"}\n'
        TargetMemory({}, memory).run(io.BytesIO(data + aborted), out)
    assert memory.durable == [("t", 1)]
    assert told(out.getvalue()) == [1]
    assert memory.calls == ["open t", "abort", "close"]


def test_a_signal_stops_between_messages(memory: Memory) -> None:
    """Rows received are kept, nothing is finished."""
    stopping.signal = 15
    data = lines(schema("t", ID), record("t", {"id": 1}), state(1))
    out = io.BytesIO()
    TargetMemory({}, memory).run(io.BytesIO(data), out)
    assert memory.calls == ["open t", "abort", "close"]
    assert memory.durable == []


def test_versions_are_activated_at_the_end_and_only_the_newest(memory: Memory) -> None:
    """Wherever in the stream the message stands; one of a stream without SCHEMA is skipped."""
    load(TargetMemory({}, memory), schema("t", ID), activate("t", 5), record("t", {"id": 1}),
         activate("t", 7), activate("t", 6), activate("other", 1))  # fmt: skip
    assert memory.calls == ["open t", "version 7", "finish", "close"]


def test_a_schema_that_is_repeated_changes_nothing(memory: Memory) -> None:
    """One that differs opens the writer again, after what came before it is durable."""
    same = schema("t", ID)
    wider = schema("t", {**ID, "b": TEXT})
    first, second = (record("t", {"id": i}) for i in (1, 2))
    load(TargetMemory({}, memory), same, first, same, wider, second)
    assert memory.calls == ["open t", "open t", "finish", "close"]
    assert memory.durable == [("t", 1), ("t", 2)]


def test_a_schema_without_properties_is_refused(memory: Memory) -> None:
    """Every field of its records would be left out."""
    with pytest.raises(RecordError, match="expected the schema to have properties"):
        load(TargetMemory({}, memory), {**schema("t", {}), "schema": {"type": "object"}})


@pytest.mark.parametrize(
    ("setting", "key", "full", "method"),
    [
        ("auto", ["id"], False, "upsert"),
        ("auto", ["id"], True, "upsert"),
        ("auto", [], True, "overwrite"),
        ("auto", [], False, "append-only"),
        ("upsert", [], False, "append-only"),
        ("overwrite", ["id"], False, "overwrite"),
        ("append-only", ["id"], True, "append-only"),
    ],
)
def test_how_rows_are_added(
    memory: Memory, setting: str, key: list[str], full: bool, method: str
) -> None:
    """What auto means, and that there is no upsert without a key."""
    found: list[str] = []

    class Watched(TargetMemory):
        def writer(self, schema: Any, method: LoadMethod) -> Writer:
            found.append(method)
            return super().writer(schema, method)

    start = full_table("t", ID, key) if full else schema("t", ID, key)
    load(Watched({"load_method": setting}, memory), start)
    assert found == [method]


def test_an_old_batch_is_flushed_while_the_tap_is_silent(memory: Memory) -> None:
    """The pipe stays open, and yet the state comes out."""
    reading, writing = os.pipe()
    out_reading, out_writing = os.pipe()
    os.write(writing, lines(schema("t", ID), record("t", {"id": 1}), state(1)))

    class Closing(io.RawIOBase):
        """Ends the input once a state was written."""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            os.write(out_writing, data)
            os.close(writing)
            return len(data)

    target = TargetMemory({"batch_wait_seconds": 0}, memory)
    target.run(reading, Closing())  # type: ignore[arg-type]  # all that a target needs of a file
    assert told(os.read(out_reading, 100)) == [1]
    for fd in (reading, out_reading, out_writing):
        os.close(fd)


STEPS = st.lists(
    st.tuples(st.just("record"), st.sampled_from("abh")) | st.tuples(st.just("state"), st.none()),
    max_size=40,
)


@given(steps=STEPS, size=st.integers(1, 6), refused=st.none() | st.integers(0, 30))
def test_no_state_ever_covers_a_row_that_is_not_durable(
    steps: list[tuple[str, str | None]], size: int, refused: int | None
) -> None:
    """Any interleaving of streams, batch sizes and a fault anywhere."""
    memory = Memory(refused=refused)
    messages: list[Any] = [schema("a", ID), schema("b", ID, ["id"]), full_table("h", ID)]
    sent: list[tuple[str, int]] = []
    covered: dict[int, int] = {}
    for number, (kind, stream) in enumerate(steps, 1):
        if kind == "record" and stream is not None:
            sent.append((stream, len(sent)))
            messages.append(record(stream, {"id": len(sent) - 1}))
        else:
            covered[number] = len(sent)
            messages.append(state(number))

    class Checking(io.BytesIO):
        """Looks, at each state that is told, at what is durable."""

        def write(self, data: Any) -> int:
            for value in told(bytes(data)):
                missing = set(sent[: covered[value]]) - set(memory.durable)
                assert not missing, f"state {value} was told without {missing}"
            return super().write(data)

    out = Checking()
    fails = refused is not None and refused < len(sent)
    target = TargetMemory({"batch_size_rows": size}, memory)
    if fails:
        with pytest.raises(WriteError):
            target.run(io.BytesIO(lines(messages)), out)
        return
    target.run(io.BytesIO(lines(messages)), out)
    assert sorted(memory.durable) == sorted(sent)
    assert told(out.getvalue())[-1:] == list(covered)[-1:]


def test_an_empty_input_is_no_error(memory: Memory) -> None:
    """A tap may find nothing selected."""
    assert load_bytes(TargetMemory({}, memory), b"") == []
    assert memory.calls == ["close"]
