"""The Arrow lane: rows go beside the messages, through a second pipe, as Arrow IPC streams.

The runner opens the pipe where both plug-ins say that they can use it, or for the bridge to a tap
alone, and names its descriptor in an environment variable. Then a BATCH message stands for rows
whose bytes follow in that pipe; its manifest is ``pipe:SIZE``. Without the variable a tap writes
plain RECORD lines. A mapper has two such pipes: it reads from the first and writes to the second.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kozmo_singer.errors import ReadError
from kozmo_singer.wire.arrow import pyarrow
from kozmo_singer.wire.encode import dumps

if TYPE_CHECKING:
    import pyarrow as pa

CAPABILITY = "arrow-pipe"
VARIABLE = "KOZMO_ARROW_PIPE"
OUT_VARIABLE = "KOZMO_ARROW_PIPE_OUT"
"""Of a mapper: the pipe that it writes to."""
FEW_ROWS = 20_000
"""Tables with fewer rows are not worth the time that it takes to load pyarrow."""
_PREFIX = "pipe:"
_END_BYTES = 64
"""More than the mark at the end of a stream takes."""


def descriptor(variable: str = VARIABLE) -> int | None:
    """Return the pipe beside the messages, None where there is none."""
    found = os.environ.get(variable, "")
    return int(found) if found.isdigit() else None


def batch_line(stream: str, size: int, extracted: str, version: int | None) -> bytes:
    """Return the BATCH message of rows that follow in the pipe as *size* bytes."""
    message: dict[str, object] = {
        "type": "BATCH",
        "stream": stream,
        "encoding": {"format": "arrow"},
        "manifest": [f"{_PREFIX}{size}"],
        "time_extracted": extracted,
    }
    if version is not None:
        message["version"] = version
    return dumps(message) + b"\n"


def size_of(url: str) -> int | None:
    """Return how many bytes an entry of a manifest announces, None where it names a file."""
    size = url.removeprefix(_PREFIX)
    return int(size) if url.startswith(_PREFIX) and size.isdigit() else None


def payload(batch: pa.RecordBatch) -> memoryview:
    """Return *batch* as an Arrow IPC stream."""
    pa = pyarrow("the Arrow lane")
    if any(pa.types.is_dictionary(type) for type in batch.schema.types):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return memoryview(sink.getvalue())
    # Of the right size from the start: a buffer that grows is copied with each step.
    size = batch.schema.serialize().size + pa.ipc.get_record_batch_size(batch) + _END_BYTES
    buffer = pa.allocate_buffer(size)
    sink = pa.FixedSizeBufferWriter(buffer)
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return memoryview(buffer)[: sink.tell()]


def send(pipe: int, payload: memoryview) -> None:
    """Write *payload*; a reader that is gone raises BrokenPipeError."""
    while payload:
        payload = payload[os.write(pipe, payload) :]


def received(pipe: int | None, size: int, stream: str) -> list[pa.RecordBatch]:
    """Return the rows that the next *size* bytes hold; ReadError where they are no Arrow."""
    pa = pyarrow("the Arrow lane")
    payload = receive(pipe, size, stream)
    try:
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            return list(reader)
    except pa.ArrowException as error:
        raise ReadError(f"cannot read a batch of stream {stream}", str(error)) from error


def receive(pipe: int | None, size: int, stream: str) -> bytearray:
    """Return the next *size* bytes; ReadError where the tap ended before it wrote them."""
    if pipe is None:
        raise ReadError(
            f"cannot read a batch of stream {stream}",
            "it is in a pipe that only the runner opens: kozmo run TAP TARGET --lane arrow",
        )
    payload = bytearray(size)
    rest = memoryview(payload)
    while rest:
        count = os.readv(pipe, [rest])
        if not count:
            raise ReadError(
                f"cannot read a batch of stream {stream}",
                "the input ends within it: the tap probably died while writing it",
            )
        rest = rest[count:]
    return payload
