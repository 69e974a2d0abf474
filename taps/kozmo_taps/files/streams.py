"""Which files there are, and which streams they make."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import unquote

from kozmo_singer.errors import ConfigError, KozmoError, ReadError
from kozmo_singer.systems.formats import (
    UNKNOWN,
    FileReader,
    Source,
    named,
    reader,
)
from kozmo_singer.systems.formats.packing import HEAD_BYTES, compression_of, translated
from kozmo_singer.systems.formats.signatures import refuse_others
from kozmo_singer.systems.stores import Entry, Store, store_of
from kozmo_singer.systems.stores.archives import ArchiveStore, Bad
from kozmo_singer.wire.types import LogicalType, join
from kozmo_taps.files.settings import Spec

_PARTITION = re.compile(r"([^=]+)=(.*)")
_WRITTEN = re.compile(r"\d{8}T\d{6}Z-\d{6}")
"""What target-files calls files, below a folder that is called after the stream."""
_MORE = re.compile(r"~\d{6}$")
"""What it adds to the names of further files."""
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_TOKEN_BYTES = 9
FRESH_SECONDS = 1.0
"""A listing that is no older is not made again."""
_log = logging.getLogger("kozmo_taps")


class File(NamedTuple):
    """A file of a stream, or the *part* of it that has this name, as a sheet of a workbook.

    *partitions* are the columns that its folders tell.
    """

    entry: Entry
    format: str
    partitions: Mapping[str, str | None]
    part: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells it from others."""
        return self.entry.path, self.part

    @property
    def token(self) -> str:
        """Twelve letters that stand for the file as it is now: another size is another token."""
        entry = self.entry
        parts = (entry.path, entry.size, entry.modified, entry.etag)
        text = repr(parts if self.part is None else (*parts, self.part)).encode("utf-8", "replace")
        digest = hashlib.blake2b(text, digest_size=_TOKEN_BYTES).digest()
        return b64encode(digest, b"-_").decode()


@dataclass
class Listing:
    """What is at one path, and when that was last looked at."""

    plugin: str
    spec: Spec
    format: str | None
    store: ArchiveStore
    pattern: str
    entries: list[Entry] = field(default_factory=list)
    seen: float = 0.0

    def files(self) -> list[File]:
        """Return the files of a known format that are there now; ReadError where none can tell."""
        began = time.monotonic()
        try:
            self.entries = self.store.list(self.pattern)
        except OSError as error:
            raise ReadError(f"{self.plugin} could not list {self.shown}", str(error)) from error
        now = time.monotonic()
        # A listing that takes long is not made for each of many streams.
        self.seen = now + (now - began)
        files = [_file(entry, self.spec, self._format(entry)) for entry in self.entries]
        return [part for file in files if file for part in _parts(self.store, file, self.spec)]

    def _format(self, entry: Entry) -> str | None:
        """The format of a file whose name tells none: CSV, where it is the one that is meant."""
        meant = self.pattern.rpartition("/")[2] == entry.path.rpartition("/")[2]
        return self.format or ("csv" if meant else None)

    @property
    def shown(self) -> str:
        """The path without what may be secret in it."""
        path = re.sub(r"(?<=://)[^/@]*@", "", self.spec.path)
        return path.partition("?")[0] if path.startswith("http") else path


@dataclass
class FileStream:
    """A stream and its files, in the order in which they are read."""

    name: str
    spec: Spec
    listing: Listing
    files: list[File] = field(default_factory=list)
    known: dict[tuple[str, str | None], FileReader] = field(default_factory=dict)
    """What has looked at a file already, by its key."""

    def reader(self, file: File) -> FileReader:
        """Return what reads *file*; ReadError where it cannot be opened."""
        if file.key in self.known:
            return self.known.pop(file.key)
        source, options = _source(self.listing.store, file, self.spec), self.spec.options
        with translated(source), source.open() as opened:
            head, seekable = opened.read(HEAD_BYTES), opened.seekable()
        refuse_others(source, file.format, head)
        source = replace(source, compression=compression_of(head), seekable=seekable)
        if file.part is not None:
            options = replace(options, sheet=file.part)
        return reader(file.format, source, options)

    def changed(self, file: File) -> str | None:
        """Return what happened to the file since it was listed, or None if it is the same."""
        try:
            same = self.listing.store.info(file.entry.path) == file.entry
        except FileNotFoundError:
            return "the file is gone"
        except OSError:
            same = False
        return None if same else "the file was changed or replaced while it was read"

    def arrived(self) -> list[File]:
        """Return the files that came since the last look, if that is a while ago."""
        if time.monotonic() < self.listing.seen + FRESH_SECONDS:
            return []
        known = {file.key for file in self.files}
        try:
            found = self.listing.files()
        except KozmoError as error:
            _log.warning("new files are left to the next run: %s", error.message)
            return []
        new = [
            file
            for file in found
            if file.key not in known and _stream(file, self.spec) == self.name
        ]
        self.files += new
        return new


def find_streams(
    plugin: str, specs: Sequence[Spec], format: str | None, bad: Bad | None = None
) -> dict[str, FileStream]:
    """Return the streams of all files that *specs* name; files are *format* where none is told.

    Archives that cannot be read go to *bad*, where that is given.
    """
    found: dict[str, FileStream] = {}
    stores: dict[tuple[type, str, str], Store] = {}
    for spec in specs:
        inner, pattern = store_of(spec.path, spec.place, plugin)
        inner = stores.setdefault((type(inner), inner.root, repr(spec.place)), inner)
        store = ArchiveStore(inner, spec.members, spec.options.ratio, bad)
        listing = Listing(plugin, spec, format, store, pattern)
        known = listing.files()
        if not known:
            what = "no file" if not listing.entries else "no file of a format that is known"
            raise ConfigError(f"{plugin} found {what} at {listing.shown}")
        for file in known:
            name = _stream(file, spec)
            stream = found.setdefault(name, FileStream(name, spec, listing))
            if stream.spec is not spec:
                raise ConfigError(
                    f"{plugin}: two paths have files for the stream {name}",
                    f"{stream.spec.path} and {spec.path}",
                    "say what each is called: stream",
                )
            stream.files.append(file)
    return dict(sorted(found.items()))


def _file(entry: Entry, spec: Spec, format: str | None) -> File | None:
    told = spec.format or named(entry.path)[1] or format
    if told is None:
        _log.warning("%s is left out: its name tells no format; set format", entry.path)
        return None
    matches = (_PARTITION.fullmatch(part) for part in entry.path.split("/")[:-1])
    pairs = ((match[1], match[2]) for match in matches if match)
    return File(entry, told, {n: None if v == _NO_VALUE else unquote(v) for n, v in pairs})


def _parts(store: ArchiveStore, file: File, spec: Spec) -> list[File]:
    """The sheets of a workbook that has several, where none is asked for."""
    if file.format != "excel" or spec.options.sheet is not None:
        return [file]
    from kozmo_singer.systems.formats.excel import opened, sheets

    try:
        with opened(_source(store, file, spec)) as (book, _):
            names = sheets(book)
    except ReadError:
        # It is said when the file is read.
        return [file]
    return [file._replace(part=name) for name in names] if len(names) > 1 else [file]


def _source(store: ArchiveStore, file: File, spec: Spec) -> Source:
    path = file.entry.path
    name = path if file.part is None else f"{path}, sheet {file.part}"
    return Source(name, file.entry.size, lambda: store.open(path), ratio=spec.options.ratio)


def _stream(file: File, spec: Spec) -> str:
    return spec.stream or _name(file) + (f"-{file.part}" if file.part else "")


def _name(file: File) -> str:
    folders = file.entry.path.split("/")[:-1]
    if file.partitions:
        first = next(i for i, part in enumerate(folders) if _PARTITION.fullmatch(part))
        if first and folders[first - 1] not in ("", ".", ".."):
            return folders[first - 1]
    name = _MORE.sub("", named(file.entry.path)[0])
    written = _WRITTEN.fullmatch(name) and folders and folders[-1] not in ("", ".", "..")
    return folders[-1] if written else name


def joined(types: Sequence[LogicalType], *, text: bool) -> LogicalType:
    """Return the type that holds the values of all *types*; with *text* as they are written."""
    told = list(dict.fromkeys(type for type in types if type != UNKNOWN))
    if not told:
        return LogicalType("string")
    if len(told) == 1:
        return told[0]
    if not text:
        return join(told)
    numbers = {type.name for type in told} <= {"integer", "decimal"}
    return LogicalType("decimal" if numbers else "string")
