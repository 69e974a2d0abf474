"""State in any database that SQLAlchemy reaches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from kozmo_runner.stores.base import KEPT_RUNS, Locked, Owner, Saved, StateStore, pack, unpack
from kozmo_singer.errors import ConnectError, KozmoError, MissingDriver

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

# SQLAlchemy's own choice of driver changed between 2.0 and 2.1.
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}


class DatabaseStore(StateStore):
    """Tables kozmo_state and kozmo_lock in the database's default schema.

    A lock is a row. It is taken over when its owner is dead or, on another machine, silent for two
    minutes.
    """

    def __init__(self, url: str) -> None:
        self._engine: Engine
        self.where = url.partition("://")[0] + "://..."
        with self._explained():
            self._engine = _engine(url)
            self.where = self._engine.url.render_as_string(hide_password=True)
            self._states, self._locks = _tables()
            self._states.metadata.create_all(self._engine)

    def ids(self) -> list[str]:
        from sqlalchemy import select

        state_id = self._states.c.state_id
        with self._transaction() as connection:
            return list(connection.scalars(select(state_id).distinct().order_by(state_id)))

    def history(self, state_id: str) -> list[Saved]:
        from sqlalchemy import select

        c = self._states.c
        query = select(c.entry).where(c.state_id == state_id).order_by(c.n.desc())
        with self._transaction() as connection:
            return [unpack(entry) for entry in connection.scalars(query)]

    def save(self, state_id: str, saved: Saved) -> None:
        from sqlalchemy import delete, func, insert, select, update

        c = self._states.c
        content = {"entry": pack(saved)}
        mine = (c.state_id == state_id) & (c.run_id == saved.run_id)
        with self._transaction() as connection:
            if connection.execute(update(self._states).where(mine).values(content)).rowcount:
                return
            newest = connection.scalar(select(func.max(c.n)).where(c.state_id == state_id)) or 0
            row = {**content, "state_id": state_id, "run_id": saved.run_id, "n": newest + 1}
            connection.execute(insert(self._states).values(row))
            old = (c.state_id == state_id) & (c.n <= newest + 1 - KEPT_RUNS)
            connection.execute(delete(self._states).where(old))

    def clear(self, state_id: str) -> int:
        from sqlalchemy import delete

        with self._transaction() as connection:
            gone = delete(self._states).where(self._states.c.state_id == state_id)
            return connection.execute(gone).rowcount

    def lock(self, state_id: str, owner: Owner) -> None:
        from sqlalchemy import insert
        from sqlalchemy.exc import IntegrityError

        row = {"state_id": state_id, **_columns(owner)}
        try:
            with self._transaction() as connection:
                connection.execute(insert(self._locks).values(row))
        except KozmoError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            self._take_over(state_id, owner)

    def unlock(self, state_id: str, owner: Owner) -> None:
        from sqlalchemy import delete

        with self._transaction() as connection:
            connection.execute(delete(self._locks).where(self._mine(state_id, owner)))

    def holder(self, state_id: str) -> Owner | None:
        held = self._held(state_id)
        return None if held is None or held.dead else held

    def beat(self, state_id: str, owner: Owner) -> None:
        if not self._rewrite(state_id, owner, msgspec.structs.replace(owner, beat=time.time())):
            raise Locked(state_id, self._held(state_id))

    def _take_over(self, state_id: str, owner: Owner) -> None:
        held = self._held(state_id)
        if held is None:  # given back since the attempt
            self.lock(state_id, owner)
        elif not held.dead or not self._rewrite(state_id, held, owner):
            raise Locked(state_id, self._held(state_id))

    def _rewrite(self, state_id: str, old: Owner, new: Owner) -> bool:
        from sqlalchemy import update

        change = update(self._locks).where(self._mine(state_id, old)).values(_columns(new))
        with self._transaction() as connection:
            return connection.execute(change).rowcount == 1

    def _held(self, state_id: str) -> Owner | None:
        from sqlalchemy import select

        query = select(self._locks.c.owner).where(self._locks.c.state_id == state_id)
        with self._transaction() as connection:
            found = connection.scalar(query)
        return None if found is None else msgspec.json.decode(found, type=Owner)

    def _mine(self, state_id: str, owner: Owner) -> Any:
        c = self._locks.c
        return (c.state_id == state_id) & (c.run_id == owner.run_id)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
        except ImportError as error:
            raise MissingDriver("the state store", "sqlalchemy", "sql") from error
        try:
            yield
        except ImportError as error:
            if error.name == "psycopg":
                raise MissingDriver("the state store", "psycopg", "postgres") from error
            raise KozmoError(
                f"cannot use the state store {self.where}: {error}",
                f"run: pip install {error.name or 'the driver of the database'}",
            ) from error
        except (ArgumentError, NoSuchModuleError, ValueError) as error:
            raise ConnectError(f"cannot use the state store {self.where}: {error}") from error
        except SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise KozmoError(f"cannot use the state store {self.where}: {cause}") from error


def _columns(owner: Owner) -> dict[str, str]:
    return {"run_id": owner.run_id, "owner": msgspec.json.encode(owner).decode()}


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import NullPool

    parsed = make_url(url)
    parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    return create_engine(parsed, poolclass=NullPool)


def _tables() -> tuple[Table, Table]:
    from sqlalchemy import Column, Integer, MetaData, String, Table, Text
    from sqlalchemy.dialects.mysql import LONGTEXT

    metadata: MetaData = MetaData()
    large = Text().with_variant(LONGTEXT(), "mysql", "mariadb")  # a TEXT is 64 KB there
    states = Table(
        "kozmo_state",
        metadata,
        Column("state_id", String(150), primary_key=True),
        Column("run_id", String(80), primary_key=True),
        Column("n", Integer, nullable=False),
        Column("entry", large, nullable=False),
    )
    locks = Table(
        "kozmo_lock",
        metadata,
        Column("state_id", String(150), primary_key=True),
        Column("run_id", String(80), nullable=False),
        Column("owner", Text, nullable=False),
    )
    return states, locks
