"""What the stores of objects have in common: keys in a bucket, which are listed page by page."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, BinaryIO, cast

from kozmo_singer.errors import ConfigError
from kozmo_singer.systems.stores import Entry
from kozmo_singer.systems.stores.remote import RemoteStore

PART_BYTES, MOST_PARTS = 1 << 23, 10_000
"""How large a part of an upload is at first, and how many there may be; later ones are larger."""


class ObjectStore(RemoteStore):
    """A store of objects: a name is that of a bucket and a key. Folders are what keys share."""

    bucket = "bucket"
    """What the system calls a bucket."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self._config = config

    @classmethod
    def of(cls, scheme: str, rest: str, config: Mapping[str, Any]) -> tuple[ObjectStore, str]:
        """Return the store of an address, and the pattern in it."""
        store = cls(config)
        return store, store.root + rest

    @abstractmethod
    def _pages(self, bucket: str, prefix: str, delimiter: str) -> Iterator[Entry | str]:
        """Yield the objects whose keys begin with *prefix*, and what they share up to *delimiter*.

        Of what stands behind the delimiter, if there is one, nothing is told.
        """

    def _folder(self, name: str, start: str = "") -> Iterable[tuple[str, Entry | None]]:
        bucket, prefix = self._prefix(name)
        for found in self._pages(bucket, prefix + start, "/"):
            if isinstance(found, str):
                yield found[len(prefix) :].rstrip("/"), None
            else:
                key = found.path.removeprefix(f"{self.root}{bucket}/")
                # A key that ends with a slash stands for the folder itself.
                if key != prefix:
                    yield key[len(prefix) :], found

    def _below(self, name: str) -> Iterator[Entry]:
        bucket, prefix = self._prefix(name)
        for found in self._pages(bucket, prefix, ""):
            if not isinstance(found, str) and not found.path.endswith("/"):
                yield found

    def _prefix(self, name: str) -> tuple[str, str]:
        bucket, key = self._split(name)
        return bucket, f"{key}/" if key else ""

    def _split(self, name: str) -> tuple[str, str]:
        bucket, _, key = name.partition("/")
        if not bucket:
            raise ConfigError(
                f"the address {self.root}{name} names no {self.bucket}",
                f"for example: {self.root}{self.bucket}/folder/*.csv",
            )
        return bucket, key


class Parts(io.RawIOBase):
    """What is written to an object: parts that are sent once they are large enough."""

    def __init__(self, upload: ObjectUpload) -> None:
        super().__init__()
        self._upload = upload
        self._held = bytearray()
        self._size = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def write(self, data: Any) -> int:
        """Take *data*, and send a part where enough has come together."""
        view = memoryview(data).cast("B")
        self._held += view
        self._size += len(view)
        # Twice as large after each fifth of the parts, so that they suffice for any object.
        size = PART_BYTES << 5 * self._upload.parts // MOST_PARTS
        while len(self._held) >= size:
            self._upload.part(bytes(self._held[:size]))
            del self._held[:size]
        return len(view)

    def rest(self) -> bytes:
        """Return what was not sent yet."""
        return bytes(self._held)


class ObjectUpload(ABC):
    """An object that is seen when it is whole: in one request if it is small, else of parts."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._told: Callable[[], AbstractContextManager[None]] = lambda: store.told(path)
        self._body = Parts(self)
        self.file: BinaryIO = cast(BinaryIO, self._body)
        self.parts = 0
        self._over = False

    def part(self, data: bytes) -> None:
        """Send a part."""
        with self._told():
            if not self.parts:
                self._begin()
            self.parts += 1
            self._send(data)

    def commit(self) -> None:
        """Show the object under its name."""
        with self._told():
            rest = self._body.rest()
            if not self.parts:
                self._whole(rest)
            else:
                if rest:
                    self.part(rest)
                self._end()
        self._over = True
        self._body.close()

    def abort(self) -> None:
        """Forget the parts that were sent."""
        self._body.close()
        if self._over or not self.parts:
            return
        self._over = True
        with self._told():
            self._forget()

    @abstractmethod
    def _whole(self, data: bytes) -> None:
        """Write an object that has no parts."""

    @abstractmethod
    def _begin(self) -> None:
        """Start an upload of parts."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Send the next part, which is number `parts`."""

    @abstractmethod
    def _end(self) -> None:
        """Make the object of its parts."""

    @abstractmethod
    def _forget(self) -> None:
        """Leave no part behind."""


def nanoseconds(moment: datetime | None) -> int:
    """Return *moment* as nanoseconds since 1970, without the loss of a float; 0 for none."""
    if moment is None:
        return 0
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 10**9 + moment.microsecond * 1000
