"""State in any store that fsspec reaches: s3://, gs://, az://, sftp://, memory:// and more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from kozmo_runner.stores.base import KEPT_RUNS, Locked, Owner, Saved, StateStore, pack, unpack
from kozmo_runner.stores.naming import (
    entry_name,
    entry_number,
    entry_run,
    file_name,
    state_id_of,
)
from kozmo_singer.errors import KozmoError, MissingDriver

_LOCK = "lock.json"
_SETTLE_SECONDS = 0.25
_WRITES_IN_PLACE = {"sftp", "ssh", "smb", "hdfs", "webhdfs", "file", "local"}


class ObjectStore(StateStore):
    """The layout of FolderStore in objects.

    Such stores have no locks: a run writes its name into an object, waits a moment, and goes on if
    it still stands there. A lock whose owner is dead, or silent for two minutes on another machine,
    is taken over.
    """

    def __init__(self, url: str) -> None:
        self.where = url
        with self._explained():
            self._fs, self._root = _open(url)

    def ids(self) -> list[str]:
        with self._explained():
            folders = {_base(path) for path in self._list(self._root)}
            return sorted(state_id_of(name) for name in folders if self._entries(name))

    def history(self, state_id: str) -> list[Saved]:
        with self._explained():
            paths = reversed(self._entries(file_name(state_id)))
            found = [self._read(path) for path in paths]
        return [saved for saved in found if saved is not None]

    def save(self, state_id: str, saved: Saved) -> None:
        folder = file_name(state_id)
        with self._explained():
            entries = [_base(path) for path in self._entries(folder)]
            numbers = [entry_number(name) for name in entries]
            mine = [entry_number(name) for name in entries if entry_run(name) == saved.run_id]
            number = mine[0] if mine else max(numbers, default=0) + 1
            self._write(
                f"{self._root}/{folder}/{entry_name(number, saved.run_id)}",
                pack(saved).encode(),
            )
            for path in self._entries(folder)[:-KEPT_RUNS]:
                self._fs.rm_file(path)

    def clear(self, state_id: str) -> int:
        with self._explained():
            entries = self._entries(file_name(state_id))
            for path in entries:
                self._fs.rm_file(path)
        return len(entries)

    def lock(self, state_id: str, owner: Owner) -> None:
        held = self._held(state_id)
        if held is not None and not held.dead:
            raise Locked(state_id, held)
        self._write_lock(state_id, owner)
        time.sleep(_SETTLE_SECONDS)
        self._expect(state_id, owner)

    def unlock(self, state_id: str, owner: Owner) -> None:
        held = self._held(state_id)
        if held is not None and held.run_id == owner.run_id:
            with self._explained():
                self._fs.rm_file(self._lock_path(state_id))

    def holder(self, state_id: str) -> Owner | None:
        held = self._held(state_id)
        return None if held is None or held.dead else held

    def beat(self, state_id: str, owner: Owner) -> None:
        self._expect(state_id, owner)
        self._write_lock(state_id, msgspec.structs.replace(owner, beat=time.time()))

    def _expect(self, state_id: str, owner: Owner) -> None:
        held = self._held(state_id)
        if held is None or held.run_id != owner.run_id:
            raise Locked(state_id, held)

    def _held(self, state_id: str) -> Owner | None:
        with self._explained():
            try:
                content = self._fs.cat_file(self._lock_path(state_id))
                return msgspec.json.decode(content, type=Owner)
            except (FileNotFoundError, msgspec.MsgspecError):
                return None

    def _read(self, path: str) -> Saved | None:
        """An entry, or None where a run that was killed left half of one: the older one counts."""
        try:
            return unpack(self._fs.cat_file(path).decode())
        except ValueError:
            return None

    def _write_lock(self, state_id: str, owner: Owner) -> None:
        with self._explained():
            self._write(self._lock_path(state_id), msgspec.json.encode(owner))

    def _lock_path(self, state_id: str) -> str:
        return f"{self._root}/{file_name(state_id)}/{_LOCK}"

    def _entries(self, folder: str) -> list[str]:
        paths = self._list(f"{self._root}/{folder}")
        return sorted(path for path in paths if _base(path)[:1].isdigit())

    def _list(self, folder: str) -> list[str]:
        self._fs.invalidate_cache()
        try:
            return [str(path).rstrip("/") for path in self._fs.ls(folder, detail=False)]
        except FileNotFoundError:
            return []

    def _write(self, path: str, content: bytes) -> None:
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        protocol = self._fs.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        if names & _WRITES_IN_PLACE:
            self._fs.pipe_file(f"{path}.part", content)
            self._fs.mv(f"{path}.part", path)
        else:
            self._fs.pipe_file(path, content)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            if error.name == "fsspec":
                raise MissingDriver("the state store", "fsspec", "sdk") from error
            raise KozmoError(f"cannot use the state store {self.where}: {error}") from error
        except KozmoError:
            raise
        except Exception as error:  # each of the many file systems raises errors of its own
            raise KozmoError(f"cannot use the state store {self.where}: {error}") from error


def _open(url: str) -> tuple[Any, str]:
    import fsspec

    fs, root = fsspec.core.url_to_fs(url)
    return fs, str(root).rstrip("/")


def _base(path: str) -> str:
    return path.rpartition("/")[2]
