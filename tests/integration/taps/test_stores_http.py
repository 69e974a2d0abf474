"""Files that a web server has, which knows more or less of what it could know."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kozmo_singer.errors import ReadError
from kozmo_taps.files.engine import TapFiles
from servers import web as servers
from servers.web import Web

Tap = Callable[..., Any]
ROWS = [{"id": n, "word": f"{n:>170}"} for n in range(20_000)]
CSV = ("id,word\n" + "".join(f"{r['id']},{r['word']}\n" for r in ROWS)).encode()


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server with a.csv, b.csv.gz and c.parquet."""
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), body, compression="none", row_group_size=4000)
    with servers.serving() as made:
        made.files = {
            "/x y/a.csv": CSV, "/b.csv.gz": gzip.compress(CSV), "/c.parquet": body.getvalue(),
        }  # fmt: skip
        yield made


ABLE = {
    "all": {},
    "no ranges": {"ranges": False},
    "no length": {"ranges": False, "length": False},
    "no HEAD": {"head": False},
    "no HEAD, ranges": {"head": False, "ranges": False},
    "no conditions": {"matches": False},
}


@pytest.mark.parametrize("able", ABLE.values(), ids=ABLE)
@pytest.mark.parametrize("cut", [None, 40_000], ids=["", "cut"])
def test_each_kind_of_server(tap: Tap, web: Web, able: dict[str, bool], cut: int | None) -> None:
    """Rows are the same, also where a body is cut off in its middle."""
    for name, value in able.items():
        setattr(web, name, value)
    for path in ("/x y/a.csv", "/b.csv.gz", "/c.parquet"):
        web.cut = cut if web.length else None
        said = tap("tap-http", {"path": web.url + path})
        assert said.code == 0, said.err
        assert said.records == ROWS
        # Where there is no length, a body that is cut off seems to be at its end.
        assert web.cut is None


def test_urls_are_files_of_a_list(tap: Tap, web: Web) -> None:
    """With settings of their own; a name may be quoted, and a query is no part of it."""
    web.files["/d/what"] = b"id\n7\n"
    files = [
        {"path": f"{web.url}/x%20y/a.csv?signature=hunter2hunter2", "columns": {"id": "string"}},
        {"path": f"{web.url}/d/what?page=1", "format": "csv", "stream": "d1"},
        {"path": f"{web.url}/d/what?page=2", "format": "csv", "stream": "d2"},
    ]
    said = tap("tap-http", {"files": files, "metadata_columns": ["_file"]})
    assert said.code == 0, said.err
    assert {m["stream"] for m in said.of("SCHEMA")} == {"a", "d1", "d2"}
    assert said.records[0] == {
        "id": "0", "word": ROWS[0]["word"], "_file": f"{web.url}/x y/a.csv",
    }  # fmt: skip
    assert [r["id"] for r in said.records[-2:]] == [7, 7]
    assert "hunter2" not in said.err + str(said.messages)
    assert {"/d/what?page=1", "/d/what?page=2"} <= {path for _, path, _ in web.asked}


LOGINS = [
    {"http_user": "me", "http_password": "hunter2hunter2"},
    {"http_token": "hunter2hunter2"},
    {"http_headers": {"Authorization": "Own hunter2hunter2"}},
]


@pytest.mark.parametrize("login", LOGINS, ids=["basic", "bearer", "header"])
def test_logins(tap: Tap, web: Web, login: dict[str, Any]) -> None:
    """Are sent, and their refusal is told without them."""
    if "http_user" in login:
        web.basic("me", "hunter2hunter2")
    else:
        web.login = "Own hunter2hunter2" if "http_headers" in login else "Bearer hunter2hunter2"
    config = {"path": f"{web.url}/x y/a.csv"}
    assert tap("tap-http", {**config, **login}, "--limit", "1").records == ROWS[:1]
    web.login = "Other"
    for more in (login, {}):
        said = tap("tap-http", {**config, **more}, "--limit", "1")
        assert (said.code, "refused the login: 401" in said.err) == (1, True)
        assert "hunter2" not in said.err


def test_a_server_to_which_one_leads_gets_no_secret(tap: Tap, web: Web) -> None:
    """What is for one server is not for another."""
    with servers.serving() as other:
        other.files = web.files
        web.leads["/a"] = f"{other.url}/b.csv.gz"
        secrets = {"X-Key": "hunter2hunter2"}
        config = {"path": f"{web.url}/a", "format": "csv", "http_headers": secrets}
        said = tap("tap-http", {**config, "http_token": "hunter2hunter2"}, "--limit", "1")
        assert said.records == ROWS[:1], said.err
        assert all(h.get("X-Key") and h.get("Authorization") for _, _, h in web.asked)
        assert other.asked
        assert not any("hunter2" in str(headers) for _, _, headers in other.asked)


def test_a_busy_server_is_left_alone_for_a_while(tap: Tap, web: Web) -> None:
    """As long as it says, unless that is long."""
    web.busy = ["0", "1", "Wed, 21 Oct 2015 07:28:00 GMT"]
    said = tap("tap-http", {"path": f"{web.url}/b.csv.gz"}, "--limit", "1")
    assert said.records == ROWS[:1]
    assert "answered 429, trying again in 1.0 s" in said.err
    web.busy = ["3600"]
    said = tap("tap-http", {"path": f"{web.url}/b.csv.gz"})
    assert (said.code, "wants to be left alone for 3600 s" in said.err) == (1, True)


def test_what_is_not_there(tap: Tap, web: Web) -> None:
    """Is named, and that a web server cannot list."""
    said = tap("tap-http", {"path": f"{web.url}/nope.csv?k=v"})
    assert (said.code, f"found no file at {web.url}/nope.csv\n" in said.err) == (2, True)
    said = tap("tap-http", {"path": f"{web.url}/*.csv"})
    assert (said.code, "web servers cannot list" in said.err) == (1, True)


@pytest.mark.parametrize("able", ["all", "no ranges", "no conditions"])
def test_a_file_that_is_replaced_while_it_is_read(web: Web, able: str) -> None:
    """Is noticed."""
    for name, value in ABLE[able].items():
        setattr(web, name, value)
    config = {"path": f"{web.url}/x y/a.csv", "stream": "s"}
    found = TapFiles(config)
    [stream] = found.discover().streams
    with found.session([stream]) as session:
        batches = session.open(stream, {}, None).batches()
        next(batches)
        web.files["/x y/a.csv"] = CSV.replace(b" ", b"_")
        with pytest.raises(ReadError, match="replaced while it was read"):
            list(batches)


def test_an_incremental_run_asks_little(tap: Tap, web: Web) -> None:
    """What has not changed is not read again."""
    config = {"path": f"{web.url}/x y/a.csv", "replication_method": "INCREMENTAL"}
    first = tap("tap-http", config, state={})
    assert len(first.records) == len(ROWS)
    web.asked.clear()
    again = tap("tap-http", config, state=first.state, catalog=web_catalog(config))
    assert (again.code, again.records) == (0, [])
    web.files["/x y/a.csv"] = b"id,word\n1,other\n"
    assert len(tap("tap-http", config, state=first.state).records) == 1


def web_catalog(config: dict[str, Any]) -> dict[str, Any]:
    """Return the catalog of a tap."""
    found = TapFiles(config)
    with found.session([]):
        return dict(found.discover().to_dict())


def test_a_preview_fetches_little(tap: Tap, web: Web) -> None:
    """Of 28 MB the head, 16 places for a look at it, and where it begins once more."""
    web.files["/x y/a.csv"] = b"id,word\n" + CSV.partition(b"\n")[2] * 8
    said = tap("tap-http", {"path": f"{web.url}/x y/a.csv"}, "--limit", "5")
    assert said.records == ROWS[:5]
    assert web.sent["/x y/a.csv"] < 4 << 20
    assert len(web.asked) < 32
