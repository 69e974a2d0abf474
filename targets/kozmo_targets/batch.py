"""Records that come in the files of a BATCH message: JSON Lines, Parquet or Arrow IPC."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from kozmo_singer.errors import MissingDriver, ReadError, RecordError
from kozmo_singer.wire import lane
from kozmo_singer.wire.encode import RecordEncoder, dumps

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.wire.messages import Batch
    from kozmo_singer.wire.rows import Rows, StreamDecoder

LINES = 2_000
"""Records decoded at once."""


def read(batch: Batch, decoder: StreamDecoder) -> Iterator[Rows]:
    """Yield the rows of every file of *batch*; faults name the file and the line in it."""
    for url in batch.manifest:
        number = 0
        for lines in record_lines(batch, url):
            numbers = range(number + 1, number + len(lines) + 1)
            number += len(lines)
            try:
                rows = decoder.decode(lines, numbers)
            except RecordError as error:
                raise RecordError(
                    error.reason,
                    f"in the file {url}",
                    stream=error.stream,
                    line=error.line,
                    path=error.path,
                ) from error
            # Positions in the file mean nothing to what is reported of the input.
            rows.lines = [batch.line] * len(rows)
            yield rows


def record_lines(batch: Batch, url: str) -> Iterator[list[bytes]]:
    """Yield RECORD messages made of the records in one file, many at a time."""
    with _opened(batch, url) as file:
        if batch.format == "jsonl":
            yield from _wrapped(batch.stream, file)
        elif batch.format in ("parquet", "arrow"):
            yield from _columnar(batch, file)
        else:
            raise ReadError(
                f"cannot read a batch of stream {batch.stream}",
                f"line {batch.line}: format '{batch.format}' is not one of jsonl, parquet, arrow",
            )


def _wrapped(stream: str, file: IO[bytes]) -> Iterator[list[bytes]]:
    head = b'{"type":"RECORD","stream":' + dumps(stream) + b',"record":'
    while lines := list(islice(file, LINES)):
        yield [head + line.rstrip(b"\r\n") + b"}" for line in lines if line.strip()]


def _columnar(batch: Batch, file: IO[bytes]) -> Iterator[list[bytes]]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDriver(f"a batch in {batch.format}", "pyarrow", "pandas") from error
    if batch.format == "parquet":
        parts: Any = pyarrow.parquet.ParquetFile(file).iter_batches(LINES)
    else:
        reader = pyarrow.ipc.open_file(file)
        parts = map(reader.get_batch, range(reader.num_record_batches))
    for part in parts:
        yield from _lines(batch, part)


def _lines(batch: Batch, part: Any) -> Iterator[list[bytes]]:
    encoder = RecordEncoder(batch.stream, _columns(part.schema), version=batch.version)
    for start in range(0, part.num_rows, LINES):
        some = part.slice(start, LINES)
        rows = list(zip(*(column.to_pylist() for column in some.columns), strict=True))
        yield encoder.encode(rows, batch.extracted).split(b"\n")[:-1]


def received(batch: Batch, size: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows that follow *batch* in the pipe of the Arrow lane, as *size* bytes."""
    import pyarrow as pa

    payload = lane.receive(lane.descriptor(), size, batch.stream)
    with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
        yield from reader


def rows_of(part: pa.RecordBatch, batch: Batch, decoder: StreamDecoder) -> Iterator[Rows]:
    """Yield the rows of *part* as they would have come in RECORD messages."""
    for lines in _lines(batch, part):
        yield decoder.decode(lines, [batch.line] * len(lines))


def _columns(schema: Any) -> list[Any]:
    """Name the columns of an Arrow schema for an encoder that looks at the values alone."""
    from kozmo_singer.wire.types import Column, LogicalType

    kinds = {"binary": "binary", "large_binary": "binary", "double": "float", "float": "float"}
    return [
        Column(field.name, LogicalType(kinds.get(str(field.type), "string"))) for field in schema
    ]


@contextmanager
def _opened(batch: Batch, url: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_local_or_remote(url))
        except OSError as error:
            raise ReadError(
                f"cannot read a batch of stream {batch.stream}",
                f"line {batch.line}: {url}: {error.strerror or error}",
            ) from error
        if batch.compression == "gzip":
            file = cast("IO[bytes]", stack.enter_context(gzip.open(file)))
        elif batch.compression:
            raise ReadError(
                f"cannot read a batch of stream {batch.stream}",
                f"line {batch.line}: compression '{batch.compression}' is not gzip or none",
            )
        try:
            yield file
        except (EOFError, gzip.BadGzipFile) as error:
            raise ReadError(
                f"cannot read a batch of stream {batch.stream}", f"{url}: {error}"
            ) from error


def _local_or_remote(url: str) -> IO[bytes]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return open(unquote(parts.path), "rb")
    if "://" not in url:
        return open(url, "rb")
    try:
        import fsspec
    except ImportError as error:
        raise MissingDriver(f"a batch at {parts.scheme}://", "fsspec", "sdk") from error
    opened: IO[bytes] = fsspec.open(url, "rb").open()
    return opened
