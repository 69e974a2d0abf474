"""Records that come in the files of a BATCH message: JSON Lines, Parquet or Arrow IPC."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from kozmo_singer.errors import MissingDriver, ReadError, RecordError
from kozmo_singer.wire.arrow import pyarrow
from kozmo_singer.wire.batches import local_path
from kozmo_singer.wire.encode import RecordEncoder, dumps

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.wire.messages import Batch
    from kozmo_singer.wire.rows import Refuse, Rows, StreamDecoder
    from kozmo_singer.wire.types import LogicalType

ROWS = 2_000
SIZE = 1 << 20
"""Records decoded at once, and about how many bytes of them."""
_GZIP = b"\x1f\x8b"
_ARROW_FILE = b"ARROW1"
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
Lines = tuple[Sequence[int], list[bytes]]


def read(batch: Batch, decoder: StreamDecoder, refuse: Refuse | None = None) -> Iterator[Rows]:
    """Yield the rows of every file of *batch*; faults name the file and the line or row in it.

    They are raised, or given to *refuse* together with the record as a RECORD message.
    """
    for url in batch.manifest:
        told = None if refuse is None else _within_batch(batch, url, refuse)
        for numbers, lines in record_lines(batch, url):
            for rows in _decoded(decoder, url, numbers, lines, told):
                # Positions in the file mean nothing to what is reported of the input.
                rows.lines = [batch.line] * len(rows)
                yield rows


def rows_of(
    batch: Batch, part: pa.RecordBatch, decoder: StreamDecoder, refuse: Refuse | None = None
) -> Iterator[Rows]:
    """Yield the rows of *part* as they would have come in RECORD messages."""
    for _, lines in _columnar(batch, "the pipe", [part]):
        yield decoder.decode(lines, [batch.line] * len(lines), refuse)


def _within_batch(batch: Batch, url: str, refuse: Refuse) -> Refuse:
    def told(error: RecordError, line: bytes) -> None:
        reason = f"{error.reason}, in line or row {error.line} of {url}"
        refuse(RecordError(reason, stream=batch.stream, line=batch.line, path=error.path), line)

    return told


def _decoded(
    decoder: StreamDecoder,
    url: str,
    numbers: Sequence[int],
    lines: list[bytes],
    refuse: Refuse | None,
) -> Iterator[Rows]:
    try:
        yield decoder.decode(lines, numbers, refuse)
    except RecordError as error:
        if error.rows is not None and len(error.rows):
            yield error.rows
        raise _within(url, error) from error


def record_lines(batch: Batch, url: str) -> Iterator[Lines]:
    """Yield RECORD messages made of the records in one file, many at a time.

    Beside them are the numbers of their lines, or rows, in the file.
    """
    if batch.format not in _FORMATS:
        raise _refused(batch, f"format '{batch.format}' is not one of {', '.join(_FORMATS)}")
    with _opened(batch, url) as file:
        yield from _FORMATS[batch.format](batch, url, file)


def _json_lines(batch: Batch, url: str, file: IO[bytes]) -> Iterator[Lines]:
    if batch.compression not in (None, "gzip"):
        raise _refused(batch, f"compression '{batch.compression}' is not gzip or none")
    start = file.read(len(_GZIP))
    file.seek(0)
    # The SDK compresses whatever it was told, and says what it was told.
    if start == _GZIP or batch.compression == "gzip":
        if not start:
            raise EOFError("the file is empty")
        file = io.BufferedReader(gzip.GzipFile(fileobj=file), SIZE)
    head = b'{"type":"RECORD","stream":' + dumps(batch.stream)
    for name in ("version", "time_extracted"):
        if (value := getattr(batch, name)) is not None:
            head += b',"%b":%b' % (name.encode(), dumps(value))
    head += b',"record":'
    first = 1
    while lines := file.readlines(SIZE):
        found = [(i, line.rstrip(b"\r\n")) for i, line in enumerate(lines, first) if line.strip()]
        first += len(lines)
        yield [number for number, _ in found], [head + line + b"}" for _, line in found]


def _parquet(batch: Batch, url: str, file: IO[bytes]) -> Iterator[Lines]:
    pyarrow("a batch in parquet")
    import pyarrow.parquet as pq

    # Moments in the 96 bit of older writers reach beyond what nanoseconds do in 64.
    reader = pq.ParquetFile(file, buffer_size=1 << 16, coerce_int96_timestamp_unit="us")
    groups = [reader.metadata.row_group(i) for i in range(reader.metadata.num_row_groups)]
    widest = max((g.total_byte_size // max(g.num_rows, 1) for g in groups), default=0)
    yield from _columnar(batch, url, reader.iter_batches(_rows_of(widest)))


def _arrow(batch: Batch, url: str, file: IO[bytes]) -> Iterator[Lines]:
    pa = pyarrow("a batch in arrow")
    if file.read(len(_ARROW_FILE)) == _ARROW_FILE:
        reader = pa.ipc.open_file(file)
        yield from _columnar(batch, url, map(reader.get_batch, range(reader.num_record_batches)))
        return
    # A stream that was cut between two of its parts would read like one that has ended.
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - len(_END_OF_STREAM)))
    if file.read() != _END_OF_STREAM:
        raise EOFError("neither an Arrow file nor a whole Arrow stream")
    file.seek(0)
    yield from _columnar(batch, url, pa.ipc.open_stream(file))


def _columnar(batch: Batch, url: str, parts: Iterable[Any]) -> Iterator[Lines]:
    from kozmo_singer.wire.arrow_values import encoder_columns

    types = {column.name: column.type for column in batch.columns}
    first = 1
    for part in parts:
        columns = encoder_columns(part.schema, types)
        encoder = RecordEncoder(batch.stream, columns, version=batch.version)
        step = _rows_of(part.nbytes // max(part.num_rows, 1))
        for at in range(0, part.num_rows, step):
            yield from _encoded(batch, url, part.slice(at, step), first + at, types, encoder)
        first += part.num_rows


def _encoded(
    batch: Batch,
    url: str,
    part: Any,
    first: int,
    types: dict[str, LogicalType],
    encoder: RecordEncoder,
) -> Iterator[Lines]:
    from kozmo_singer.wire.arrow_values import Misfit, record_values

    try:
        rows = record_values(part, types)
    except Misfit as error:
        if part.num_rows == 1:
            # There is no RECORD message of it that could be set aside.
            fault = RecordError(
                str(error), stream=batch.stream, line=first, path=error.path, of_record=False
            )
            raise _within(url, fault) from error
        for i in range(part.num_rows):
            yield from _encoded(batch, url, part.slice(i, 1), first + i, types, encoder)
        return
    lines = encoder.encode(rows, batch.time_extracted).split(b"\n")[:-1]
    yield range(first, first + len(rows)), lines


_FORMATS: dict[str, Callable[[Batch, str, IO[bytes]], Iterator[Lines]]] = {
    "jsonl": _json_lines,
    "parquet": _parquet,
    "arrow": _arrow,
}


def _rows_of(width: int) -> int:
    """How many rows of *width* bytes to take at once."""
    return max(1, min(ROWS, SIZE // max(width, 1)))


def _within(url: str, error: RecordError) -> RecordError:
    return RecordError(
        error.reason,
        f"in the file {url}",
        stream=error.stream,
        line=error.line,
        path=error.path,
        of_record=error.of_record,
    )


def _refused(batch: Batch, why: str) -> ReadError:
    return ReadError(f"cannot read a batch of stream {batch.stream}", f"line {batch.line}: {why}")


@contextmanager
def _opened(batch: Batch, url: str) -> Iterator[IO[bytes]]:
    """Give the file at *url*; whatever makes it unreadable while it is open is a ReadError."""
    try:
        with _local_or_remote(url) as file:
            yield file
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, _arrow_fault()) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _refused(batch, f"{url}: {why}") from error


def _arrow_fault() -> type[Exception]:
    """What pyarrow raises, if it was loaded at all."""
    loaded: Any = sys.modules.get("pyarrow")
    fault: type[Exception] = loaded.ArrowException if loaded else EOFError
    return fault


def _local_or_remote(url: str) -> IO[bytes]:
    if (path := local_path(url)) is not None:
        return path.open("rb")
    try:
        import fsspec
    except ImportError as error:
        raise MissingDriver(f"a batch at {url}", "fsspec", "sdk") from error
    try:
        opened: IO[bytes] = fsspec.open(url, "rb").open()
    except ImportError as error:
        # Which package this kind of storage needs is known to fsspec alone.
        raise OSError(str(error)) from error
    return opened
