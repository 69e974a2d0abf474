"""Every state store keeps, forgets, prunes and locks alike."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from kozmo_runner.stores import Locked, Saved, StateStore, open_store
from kozmo_runner.stores.base import KEPT_RUNS, STALE_SECONDS, Owner, check_id, started
from kozmo_runner.stores.naming import file_name
from kozmo_singer.errors import ConfigError, KozmoError

WHERE = {
    "the default": None,
    "a SQLite file": "{folder}/some/state.db",
    "a SQLite URL": "sqlite:///{folder}/url.db",
    "a folder": "{folder}/states",
    "a file URL": "file://{folder}/file states",
    "SQLAlchemy": "sqlite+pysqlite:///{folder}/alchemy.db",
    "fsspec, memory": "memory://{unique}",
    "fsspec, local": "local://{folder}/objects",
}
IDS = ["a", "tap-x-to-target-y:eu", "../up", ".hidden", "ünï/code %2F", "a b", "A" * 150]


@pytest.fixture(params=WHERE.values(), ids=WHERE)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    """A store of each kind."""
    where = request.param
    unique = f"{os.getpid()}-{time.monotonic_ns()}"
    return open_store(where and where.format(folder=tmp_path, unique=unique))


def _saved(run: int, **state: object) -> Saved:
    return Saved(f"run-{run:03}", "2026-01-01T00:00:00Z", "done", state)


def test_the_newest_state_is_found(store: StateStore) -> None:
    """None before the first; one entry a run, however often the run saves."""
    assert store.get("a") is None
    assert store.ids() == []
    store.save("a", _saved(1, n=1))
    marked = msgspec.structs.replace(_saved(1, n=2), origin="there")
    store.save("a", marked)
    assert store.get("a") == marked
    store.save(
        "a", _saved(2, n=3, text="ünï\u2028\ud800", big=10**30, nested={"x": [None, True, 1.5]})
    )
    assert store.get("a") == _saved(
        2, n=3, text="ünï\u2028\ud800", big=10**30, nested={"x": [None, True, 1.5]}
    )
    assert [saved.state["n"] for saved in store.history("a")] == [3, 2]


def test_states_are_apart_whatever_they_are_called(store: StateStore) -> None:
    """An id is never a path, and comes back as it was."""
    for n, state_id in enumerate(IDS):
        store.save(state_id, _saved(1, n=n))
    assert store.ids() == sorted(IDS)
    assert [store.history(state_id)[0].state["n"] for state_id in IDS] == list(range(len(IDS)))


def test_nothing_is_written_outside_the_store(tmp_path: Path) -> None:
    """An id that climbs stays in the folder."""
    store = open_store(str(tmp_path / "deep" / "states"))
    store.save("../../up", _saved(1))
    store.save("..", _saved(1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "tmp"]
    assert store.ids() == ["..", "../../up"]


def test_old_runs_are_forgotten(store: StateStore) -> None:
    """The newest twenty stay."""
    for run in range(KEPT_RUNS + 5):
        store.save("a", _saved(run, n=run))
    assert [saved.state["n"] for saved in store.history("a")] == list(range(24, 4, -1))


def test_clearing_forgets_one_id(store: StateStore) -> None:
    """With its history, and says how much there was."""
    for run in (1, 2):
        store.save("a", _saved(run))
    store.save("b", _saved(1, n=5))
    assert store.clear("a") == 2
    assert store.clear("a") == 0
    assert (store.ids(), store.get("a"), store.get("b")) == (["b"], None, _saved(1, n=5))


def test_a_lock_excludes(store: StateStore) -> None:
    """And names its holder; other ids are free; given back, it can be taken."""
    one, two = Owner.me("one"), Owner.me("two")
    store.lock("a", one)
    assert store.holder("a") == one
    with pytest.raises(Locked, match=f"process {os.getpid()} on .* since 20"):
        store.lock("a", two)
    store.lock("b", two)
    store.beat("a", one)
    store.unlock("a", one)
    assert store.holder("a") is None
    store.lock("a", two)
    store.unlock("a", two)
    store.unlock("b", two)


def _dead_owner() -> Owner:
    """An owner on this machine whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return msgspec.structs.replace(Owner.me("dead"), pid=process.pid, started="1")


@pytest.mark.parametrize("where", ["SQLAlchemy", "fsspec, memory", "fsspec, local"])
def test_the_lock_of_a_dead_owner_is_taken_over_at_once(where: str, tmp_path: Path) -> None:
    """Where locks are rows or objects; those of files end with their process by themselves."""
    url = WHERE[where].format(folder=tmp_path, unique=f"{os.getpid()}-{time.monotonic_ns()}")  # type: ignore[union-attr]
    store = open_store(url)
    dead, me = _dead_owner(), Owner.me("me")
    store.lock("a", dead)
    assert store.holder("a") is None
    store.lock("a", me)
    assert store.holder("a") == me
    with pytest.raises(Locked):
        store.beat("a", dead)
    store.unlock("a", dead)
    assert store.holder("a") == me
    store.unlock("a", me)


HOLD = """
import sys
from kozmo_runner.stores import open_store
from kozmo_runner.stores.naming import file_name
from kozmo_runner.stores.base import Owner
store = open_store(sys.argv[1])
store.lock("a", Owner.me("child"))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("where", ["a SQLite file", "a folder", "SQLAlchemy", "fsspec, local"])
def test_a_lock_excludes_other_processes_until_they_die(where: str, tmp_path: Path) -> None:
    """kill -9 gives the lock back."""
    url = WHERE[where].format(folder=tmp_path)  # type: ignore[union-attr]
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, url], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        store, me = open_store(url), Owner.me("me")
        with pytest.raises(Locked, match=f"process {process.pid} "):
            store.lock("a", me)
        process.kill()
    store.lock("a", me)
    store.unlock("a", me)


def test_owners_elsewhere_live_as_long_as_they_beat() -> None:
    """Their processes cannot be seen from here."""
    me = Owner.me("me")
    elsewhere = msgspec.structs.replace(me, machine="other", pid=1)
    assert not elsewhere.dead
    silent = msgspec.structs.replace(elsewhere, beat=time.time() - STALE_SECONDS - 1)
    assert silent.dead
    assert not me.dead
    reused = msgspec.structs.replace(me, started=started(me.pid) + "0")
    assert reused.dead


@pytest.mark.parametrize("where", ["the default", "a SQLite file", "a folder", "a file URL"])
def test_files_are_private(where: str, tmp_path: Path, home: Path) -> None:
    """0600, in folders of 0700."""
    template = WHERE[where]
    store = open_store(template and template.format(folder=tmp_path))
    store.lock("a", Owner.me("me"))
    store.save("a", _saved(1))
    found = [p for p in tmp_path.rglob("*") if p != tmp_path / "tmp"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in found if p.is_file()} == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in found if p.is_dir()} == {0o700}
    store.unlock("a", Owner.me("me"))


def test_half_an_object_of_a_killed_run_is_passed_over(tmp_path: Path) -> None:
    """The state before it counts."""
    store = open_store(f"local://{tmp_path}/objects")
    store.save("a", _saved(1, n=1))
    store.save("a", _saved(2, n=2))
    newest = sorted((tmp_path / "objects" / "a").glob("*.json"))[-1]
    newest.write_text(newest.read_text()[:20])
    assert store.get("a") == _saved(1, n=1)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("nosuchthing://x", "nosuchthing"),
        ("postgresql://nobody:geheim123@127.0.0.1:1/x", "127.0.0.1:1"),
        ("/proc/nowhere/state.db", "cannot make the folder"),
        ("mysql+nosuchdriver://x/y", "nosuchdriver"),
    ],
)
def test_a_store_that_cannot_be_used_says_why(where: str, words: str) -> None:
    """In a few lines, without the password."""
    with pytest.raises(KozmoError) as raised:
        open_store(where).ids()
    text = str(raised.value)
    assert words in text
    assert "geheim123" not in text
    assert len(text.splitlines()) <= 5


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    """With the way out."""
    path = tmp_path / "state.db"
    path.write_text("hello, I am a text " * 100)
    with pytest.raises(KozmoError, match="file is not a database"):
        open_store(str(path))


@pytest.mark.parametrize("state_id", ["", "x" * 151, "new\nline", "\x00"])
def test_ids_that_no_store_could_keep(state_id: str) -> None:
    """Are refused before anything runs."""
    with pytest.raises(ConfigError, match="cannot be a state id"):
        check_id(state_id)


@pytest.mark.parametrize("letter", ["ä", "/", "\U0001f980"])
def test_ids_whose_files_would_have_too_long_names(letter: str, tmp_path: Path) -> None:
    """Are refused too; one of the length that is allowed works in every store."""
    with pytest.raises(ConfigError, match="too long for a state id"):
        check_id(letter * 150)
    longest = check_id(letter * (240 // len(file_name(letter))))
    for where in (tmp_path / "s.db", tmp_path / "folder", (tmp_path / "objects").as_uri()):
        store = open_store(str(where))
        store.lock(longest, Owner.me("me"))
        store.save(longest, _saved(1, n=1))
        store.unlock(longest, Owner.me("me"))
        assert store.ids() == [longest]


def test_a_database_of_its_own(postgres: "object", tmp_path: Path) -> None:
    """PostgreSQL by a URL without a driver's name."""
    url = postgres.url.replace("postgresql+psycopg://", "postgresql://")  # type: ignore[attr-defined]
    store = open_store(url)
    me = Owner.me("me")
    store.lock("a", me)
    store.save("a", _saved(1, n=1))
    store.save("a", _saved(1, n=2))
    assert open_store(url).get("a") == _saved(1, n=2)
    with pytest.raises(Locked):
        open_store(url).lock("a", Owner.me("other"))
    store.beat("a", me)
    store.unlock("a", me)
    assert postgres.config["password"] not in store.where  # type: ignore[attr-defined]
