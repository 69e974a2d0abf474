"""Where state is kept between runs: a SQLite file, a folder, a database, an object store."""

from kozmo_runner.stores.base import Locked, Saved, StateStore
from kozmo_runner.stores.opening import open_store

__all__ = ["Locked", "Saved", "StateStore", "open_store"]
