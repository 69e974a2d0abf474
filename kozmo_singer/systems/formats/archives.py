"""Zip and tar files: which members there are, and each of them as a stream of its own."""

from __future__ import annotations

import io
import lzma
import shutil
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, BinaryIO

from kozmo_singer.systems.formats import Source
from kozmo_singer.systems.formats.packing import compression_of, head_of, is_bomb, unpacked

_FAULTS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, RuntimeError, ValueError),
)
"""What zipfile and tarfile raise for an archive that is broken, encrypted or of a newer kind."""


class Zip:
    """A zip file while it is open; what it raises is an OSError."""

    def __init__(self, source: Source) -> None:
        self._source = source
        raw = source.open()
        try:
            with _translated():
                self._zip = zipfile.ZipFile(raw)
        except BaseException:
            raw.close()
            raise
        weakref.finalize(self, raw.close)
        self._infos = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self.sizes = {name: info.file_size for name, info in self._infos.items()}

    def open(self, name: str) -> BinaryIO:
        """Return the member *name* for reading from its start."""
        info, source = self._infos[name], self._source
        if info.flag_bits & 1:
            raise OSError("it is encrypted; passwords of zip files are not known")
        if is_bomb(info.file_size, min(info.compress_size, source.size), source.ratio):
            raise OSError(
                f"it unpacks to {info.file_size:,} bytes, more than {source.ratio} times its size; "
                "to read it nevertheless: max_unpacked_ratio"
            )
        with _translated():
            return io.BufferedReader(_Member(self._zip.open(info), self))


class Tar:
    """A tar file; one that is packed is unpacked into a temporary file, which is *unpacked*.

    What it raises is an OSError, or the ReadError of what was packed.
    """

    def __init__(self, source: Source) -> None:
        packed = compression_of(head_of(source))
        self._source, self.unpacked = source, packed is not None
        if packed is not None:
            file = tempfile.TemporaryFile()  # noqa: SIM115 - members are read from it later
            weakref.finalize(self, file.close)
            with unpacked(replace(source, compression=packed)) as stream:
                shutil.copyfileobj(stream, file, 1 << 20)
            self._source = replace(source, open=lambda: file)
        raw = self._source.open()
        raw.seek(0)
        try:
            with _translated(), tarfile.open(fileobj=raw, mode="r:") as tar:
                plain = [info for info in tar if info.isreg() and not info.issparse()]
        finally:
            if not self.unpacked:
                raw.close()
        self._starts = {info.name: info.offset_data for info in plain}
        self.sizes = {info.name: info.size for info in plain}

    def open(self, name: str) -> BinaryIO:
        """Return the member *name* for reading; it can be sought in."""
        window = _Window(self._source.open(), self._starts[name], self.sizes[name], self)
        return io.BufferedReader(window)


class _Member(io.RawIOBase):
    """A member of a zip file from its start to its end; *archive* lives as long as it does."""

    def __init__(self, inner: IO[bytes], archive: Zip) -> None:
        self._inner, self._archive = inner, archive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io hands over
        with _translated():
            piece = self._inner.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Window(io.RawIOBase):
    """The part of a *file* that is a member of a tar; *archive* lives as long as it does."""

    def __init__(self, file: BinaryIO, start: int, size: int, archive: Tar) -> None:
        self._file, self._start, self._size, self._archive = file, start, size, archive
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        self._at = place + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io hands over
        self._file.seek(self._start + self._at)
        wanted = max(0, min(len(buffer), self._size - self._at))
        piece = self._file.read(wanted)
        if len(piece) < wanted:
            raise OSError("the archive ends within this member")
        buffer[:wanted] = piece
        self._at += wanted
        return wanted

    def close(self) -> None:
        if not self._archive.unpacked:
            self._file.close()
        super().close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        raise OSError(str(error) or type(error).__name__) from error
