"""State in a folder: a folder a state id, a JSON file a run."""

from __future__ import annotations

import shutil
from pathlib import Path

from kozmo_runner.home import private_folder, write_private
from kozmo_runner.stores.base import KEPT_RUNS, Owner, Saved, StateStore, pack, unpack
from kozmo_runner.stores.flock import FolderOfLocks
from kozmo_runner.stores.naming import (
    entry_name,
    entry_number,
    entry_run,
    file_name,
    state_id_of,
)
from kozmo_singer.errors import KozmoError

_LOCKS = ".locks"


class FolderStore(StateStore):
    """Files of mode 0600, each replaced in one step."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)
        self.where = str(folder)
        self._locks = FolderOfLocks(folder / _LOCKS)

    def ids(self) -> list[str]:
        found = (f.name for f in self._folder.iterdir() if f.is_dir() and f.name != _LOCKS)
        return sorted(state_id_of(name) for name in found)

    def history(self, state_id: str) -> list[Saved]:
        try:
            return [
                unpack(path.read_text(encoding="utf-8"))
                for path in reversed(self._entries(state_id))
            ]
        except (OSError, ValueError) as error:
            raise KozmoError(f"cannot read the state in {self._of(state_id)}: {error}") from error

    def save(self, state_id: str, saved: Saved) -> None:
        entries = self._entries(state_id)
        number = entry_number(entries[-1].name) + 1 if entries else 1
        for path in entries:
            if entry_run(path.name) == saved.run_id:
                number = entry_number(path.name)
        folder = private_folder(self._of(state_id))
        write_private(folder / entry_name(number, saved.run_id), pack(saved).encode())
        for path in self._entries(state_id)[:-KEPT_RUNS]:
            path.unlink(missing_ok=True)

    def clear(self, state_id: str) -> int:
        entries = len(self._entries(state_id))
        shutil.rmtree(self._of(state_id), ignore_errors=True)
        return entries

    def lock(self, state_id: str, owner: Owner) -> None:
        self._locks.lock(file_name(state_id), state_id, owner)

    def unlock(self, state_id: str, owner: Owner) -> None:
        self._locks.unlock(file_name(state_id))

    def holder(self, state_id: str) -> Owner | None:
        return self._locks.holder(file_name(state_id))

    def _of(self, state_id: str) -> Path:
        return self._folder / file_name(state_id)

    def _entries(self, state_id: str) -> list[Path]:
        folder = self._of(state_id)
        return sorted(folder.glob("[0-9]*-*.json")) if folder.is_dir() else []
