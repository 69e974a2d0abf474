"""Rows that come in BATCH messages: through the pipe of the Arrow lane, or in files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import ReadError
from kozmo_singer.wire import lane
from kozmo_singer.wire.batches import local_path
from kozmo_singer.wire.encode import dumps

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.wire.messages import Batch
    from kozmo_singer.wire.rows import Rows, StreamDecoder

_LINES = 2_000
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Part:
    """Rows as columns, and the message that announced them."""

    batch: Batch
    columns: pa.RecordBatch

    @property
    def stream(self) -> str:
        """The stream whose rows they are."""
        return self.batch.stream

    @property
    def size(self) -> int:
        """The bytes that they take."""
        return int(self.columns.nbytes)

    def __len__(self) -> int:
        return int(self.columns.num_rows)


def parts_of(batch: Batch, decoder: StreamDecoder) -> Iterator[Rows | Part]:
    """Yield the rows that *batch* stands for; ReadError where they are not there."""
    for url in batch.manifest:
        size = lane.size_of(url)
        if size is not None:
            for part in lane.received(lane.descriptor(), size, batch.stream):
                yield Part(batch, part)
            continue
        path = local_path(url)
        if path is None or not path.exists():
            raise _unread(batch, url, "there is no such file on this machine")
        if batch.format == "jsonl":
            yield from _json_lines(batch, decoder, path)
        else:
            for part in _columnar(batch, path):
                yield Part(batch, part)


def _json_lines(batch: Batch, decoder: StreamDecoder, path: Path) -> Iterator[Rows]:
    head = b'{"type":"RECORD","stream":' + dumps(batch.stream) + b',"record":'
    tail = b"}"
    for name in ("version", "time_extracted"):
        if (value := getattr(batch, name)) is not None:
            tail = b',"%b":%b' % (name.encode(), dumps(value)) + tail
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            file: Any = gzip.GzipFile(fileobj=plain) if packed else plain
            while lines := [line.strip() for line in file.readlines(1 << 20)]:
                found = [head + line + tail for line in lines if line]
                if found:
                    yield decoder.decode(found, [batch.line] * len(found))
    except (OSError, EOFError) as error:
        raise _unread(batch, str(path), str(error)) from error


def _columnar(batch: Batch, path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    try:
        if batch.format == "parquet":
            import pyarrow.parquet as pq

            with pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
                yield from file.iter_batches(_LINES * 5)
        elif batch.format == "arrow":
            with pa.memory_map(str(path)) as source:
                whole = source.read(6) == b"ARROW1"
                source.seek(0)
                opened = pa.ipc.open_file(source) if whole else pa.ipc.open_stream(source)
                yield from opened.read_all().to_batches()
        else:
            raise _unread(batch, str(path), f"its format is {batch.format}")
    except (OSError, pa.ArrowException) as error:
        raise _unread(batch, str(path), str(error)) from error


def _unread(batch: Batch, url: str, why: str) -> ReadError:
    return ReadError(f"cannot read a batch of stream {batch.stream}", f"{url}: {why}")
