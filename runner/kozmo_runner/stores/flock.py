"""Locks of the kernel's, which end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from kozmo_runner.home import private_folder
from kozmo_runner.stores.base import Locked, Owner
from kozmo_singer.errors import KozmoError


class FolderOfLocks:
    """A file a state, held by flock; its content names the holder for the others' messages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def lock(self, name: str, state_id: str, owner: Owner) -> None:
        """Take the lock *name*; Locked if another process, or another run here, holds it."""
        descriptor = self._open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Locked(state_id, self._read(name)) from None
        except OSError as error:
            os.close(descriptor)
            raise KozmoError(f"cannot lock in {self._folder}: {error.strerror}") from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, msgspec.json.encode(owner))
        self._held[name] = descriptor

    def unlock(self, name: str) -> None:
        """Give the lock back."""
        descriptor = self._held.pop(name, None)
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def holder(self, name: str) -> Owner | None:
        """Return who holds the lock, None if nobody does."""
        if not (self._folder / name).exists():
            return None
        descriptor = self._open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._read(name)
        finally:
            os.close(descriptor)
        return None

    def _open(self, name: str) -> int:
        private_folder(self._folder)
        try:
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise KozmoError(f"cannot lock in {self._folder}: {error.strerror}") from error

    def _read(self, name: str) -> Owner | None:
        try:
            return msgspec.json.decode((self._folder / name).read_bytes(), type=Owner)
        except (OSError, msgspec.MsgspecError):
            return None
