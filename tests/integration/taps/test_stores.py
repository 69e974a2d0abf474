"""Files in stores: the same cases over real servers of each kind, all rows read back."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kozmo_singer.errors import ConnectError, KozmoError, ReadError
from kozmo_singer.systems.stores import store_of
from kozmo_singer.systems.stores.local import LocalStore
from kozmo_taps.files import streams
from kozmo_taps.files.engine import TapFiles
from places import BUCKET, SCHEMES, Place
from servers import relays
from servers.clouds import KINDS

Tap = Callable[..., Any]
ROWS = [{"id": n, "word": f'w"{n}\n😀'} for n in range(500)]
LARGE, MIDDLE = 100_000, 40_000


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    """An empty folder in each of the stores."""
    return place_of(request.param)


def csv(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as CSV."""
    cells = (f'{row["id"]},"' + row["word"].replace('"', '""') + '"\n' for row in rows)
    return ("id,word\n" + "".join(cells)).encode()


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    """Return rows as Parquet."""
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), body, **options)
    return body.getvalue()


def large(start: int = 0, count: int = LARGE) -> list[dict[str, Any]]:
    """Return rows that are 18 MB as CSV, so that they are sent in parts."""
    return [{"id": n, "word": f"{n:>170}"} for n in range(start, start + count)]


FORMATS = {
    "a.csv": csv,
    "b.csv.gz": lambda rows: gzip.compress(csv(rows)),
    "c.parquet": parquet,
    "d.jsonl": lambda rows: b"".join(json.dumps(row).encode() + b"\n" for row in rows),
}


def test_every_format_is_read_from_every_store(tap: Tap, place: Place) -> None:
    """By the tap of the store as by tap-files."""
    for name, made in FORMATS.items():
        place.put(name, made(ROWS))
    for name in ("tap-files", place.tap):
        said = tap(name, {**place.config, "path": place.base})
        assert said.code == 0, said.err
        for stream in "abcd":
            found = [m["record"] for m in said.of("RECORD") if m["stream"] == stream]
            assert found == ROWS, stream


TREE = (
    "a.csv", "d/b.csv", "d/_x.csv", "d/.y.csv", "d/e/c d.csv", "ü/[1]*?.csv", "q%20#x.csv",
    "_h/z.csv", "d/e/f.txt", "d/.g/h.csv", "d[1]/i.csv", "year=2024/j.csv",
)  # fmt: skip
PATTERNS = (
    "", "d", "d/", "a.csv", "*.csv", "*/*.csv", "**/*.csv", "d/**", "d/*/*", "ü/[1]*?.csv",
    "d/_x.csv", "d/.y.csv", "d/b*", "d/.*", "q%20#x.csv", "[ab]*", "[!a]*.csv", "d[1]", "d[1]/*",
    "nope", "nope/*", "a.csv/*", "**/e/*", "d/**/f.*", "*/[bj].csv", "_h", "_h/*", "year=*/j.csv",
)  # fmt: skip


def test_patterns_mean_the_same_everywhere(place: Place, tmp_path: Path) -> None:
    """What a pattern names in a folder of this machine, it names in every store."""
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"id\n1\n")
        place.put(name, b"id\n1\n")
    for pattern in PATTERNS:
        local = [e.path for e in LocalStore().list(f"{tmp_path}/{pattern}")]
        assert place.names(pattern) == [p.removeprefix(f"{tmp_path}/") for p in local], pattern


def test_names_are_taken_as_they_are(tap: Tap, place: Place) -> None:
    """Letters that mean something in globs or URLs are letters; rows tell the file's address."""
    for name in TREE[:8]:
        place.put(name, csv([{"id": 1, "word": name}]))
    config = {**place.config, "stream": "s", "metadata_columns": ["_file"]}
    said = tap("tap-files", {**config, "path": place.base})
    assert said.code == 0, said.err
    _, base = place.store()
    found = [(r["word"], r["_file"]) for r in said.records]
    assert found == [(n, base + n) for n in sorted(TREE[:8]) if "_" not in n and "/." not in n]
    for name in ("ü/[1]*?.csv", "q%20#x.csv"):
        said = tap("tap-files", {**config, "path": place.base + name})
        assert [r["word"] for r in said.records] == [name]


def test_two_dots_are_no_folder_among_keys(place_of: Callable[[str], Place]) -> None:
    """A key with them is read by its name, or it is said that it cannot be."""
    google = place_of("gcs")
    google.put("k/../up.csv", b"id\n1\n")
    assert google.names("") == ["k/../up.csv"]
    store, base = google.store()
    assert store.open(f"{base}k/../up.csv").read() == b"id\n1\n"
    for kind, words in (("azure", "with . or .."), ("s3", "InvalidRequest")):
        place = place_of(kind)
        with pytest.raises(OSError, match=words):
            place.put("k/../up.csv", b"")
        assert place.names("") == []


def test_a_large_file_goes_in_parts_and_comes_back(tap: Tap, place: Place) -> None:
    """Of it nothing is seen before it is whole, and each row comes back."""
    rows = large()
    data = csv(rows)
    assert len(data) > 16 << 20
    store, base = place.store()
    upload = store.create(base + "big.csv")
    for start in range(0, len(data), 1_000_003):
        upload.file.write(data[start : start + 1_000_003])
    assert place.names("") == []
    upload.commit()
    upload.abort()
    assert place.names("") == ["big.csv"]
    said = tap(place.tap, {**place.config, "path": place.base})
    assert said.code == 0, said.err
    assert said.records == [{**row} for row in rows]


def test_an_upload_that_is_given_up_leaves_nothing(place: Place) -> None:
    """No file, no part of one; what was there stays until another one is whole."""
    place.put("a.csv", b"old")
    store, base = place.store()
    upload = store.create(base + "a.csv")
    upload.file.write(bytes(20 << 20))
    upload.abort()
    upload.abort()
    assert [e.size for e in store.list(base)] == [3]
    if place.kind == "s3":
        found: Any = store
        assert "Uploads" not in found.client.list_multipart_uploads(Bucket=BUCKET)
    elif not place.objects:
        assert place.names(".*") == []
    place.put("a.csv", b"newer")
    assert [e.size for e in store.list(base)] == [5]
    assert store.open(base + "a.csv").read() == b"newer"
    assert store.info(place.put("empty.csv", b"")).size == 0


@pytest.mark.parametrize(("kind", "count"), [("s3", 2500), ("gcs", 1200)])
def test_thousands_of_files_are_listed_page_by_page(
    place_of: Callable[[str], Place], kind: str, count: int
) -> None:
    """All of them, by a folder and by a glob."""
    place = place_of(kind)
    store, base = place.store()

    def put(n: int) -> None:
        upload = store.create(f"{base}{n % 50}/{n:05}.csv")
        upload.file.write(b"id\n1\n")
        upload.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(count)))
    assert len(place.names("")) == len(place.names("*/*.csv")) == count
    assert len(place.names("7/000*.csv")) == 2


def test_a_cut_connection_is_no_matter(tap: Tap, place: Place) -> None:
    """Reading goes on at the byte where it was: each row comes, and none twice."""
    rows = large(0, MIDDLE)
    place.put("big.csv", csv(rows))
    place.put("c.parquet", parquet(rows, compression="none"))
    with relays.cutting(place.port, 1 << 20, 3 << 20, 5 << 20) as relay:
        config = {**place.through(relay.port), "path": place.base}
        if place.kind == "ftp":
            relay.cuts.clear()
            place.put("../cut", b"%d" % (4 << 20))
        said = tap(place.tap, config)
        assert said.code == 0, said.err
        assert relay.cuts == []
    assert [m["record"] for m in said.of("RECORD") if m["stream"] == "big"] == rows
    assert [m["record"] for m in said.of("RECORD") if m["stream"] == "c"] == rows
    assert place.kind != "ftp" or place.names("../cut") == []


def opened(place: Place, method: str = "FULL_TABLE", **more: Any) -> tuple[TapFiles, Any]:
    """Return a tap over a place, and its one stream."""
    config = {**place.config, "path": place.base, "stream": "s", "replication_method": method}
    found = TapFiles({**config, **more})
    [stream] = found.discover().streams
    stream.root()["selected"] = True
    return found, stream


METHODS = ("FULL_TABLE", "INCREMENTAL")


@pytest.mark.parametrize("method", METHODS)
def test_a_file_that_is_replaced_while_it_is_read(place: Place, method: str) -> None:
    """Is never mixed with the other one: a full table fails, else the next run reads it."""
    replaced(place, method, "csv")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["s3", "gcs", "azure"])
def test_a_file_of_groups_that_is_replaced(
    place_of: Callable[[str], Place], kind: str, method: str
) -> None:
    """Is no other matter, though it is entered in many places."""
    replaced(place_of(kind), method, "parquet")


def replaced(place: Place, method: str, kind: str) -> None:
    """Replace a file while it is read."""
    made = parquet if kind == "parquet" else csv
    options = {"compression": "none"} if kind == "parquet" else {}
    place.put(f"a.{kind}", made(large(0, MIDDLE), **options))
    found, stream = opened(place, method)
    with found.session([stream]) as session:
        reading = session.open(stream, {}, None)
        batches = reading.batches()
        seen = [row[0] for row in next(batches)]
        place.put(f"a.{kind}", made(large(MIDDLE, MIDDLE)))
        if method == "FULL_TABLE":
            with pytest.raises(ReadError, match="replaced while it was read"):
                seen += [row[0] for rows in batches for row in rows]
            assert not reading.complete
        else:
            seen += [row[0] for rows in batches for row in rows]
            mark = reading.bookmark()
            assert (reading.complete, mark["files"], mark["partial"]) == (True, [], [])
    assert seen == [*range(len(seen))]
    if method == "INCREMENTAL":
        found, stream = opened(place, method)
        with found.session([stream]) as session:
            again = session.open(stream, mark, None).batches()
            assert [r[0] for rows in again for r in rows] == [*range(MIDDLE, 2 * MIDDLE)]


def test_a_file_that_vanishes_before_it_is_read(place: Place) -> None:
    """Is named; with skip the others are read, and the run fails at the end."""
    for policy, read in (("fail", [1]), ("skip", [1, 3])):
        for name in "123":
            place.put(f"{name}.csv", b"id\n%b\n" % name.encode())
        found, stream = opened(place, on_bad_file=policy)
        place.remove("2.csv")
        seen: list[Any] = []
        with (
            pytest.raises(ReadError, match="2.csv.*\\n  the file is gone|could not read 1 of"),
            found.session([stream]) as session,
        ):
            for rows in session.open(stream, {}, None).batches():
                seen += [row[0] for row in rows]
        # What is small was read when it was looked at.
        assert [n for n in seen if n != 2] == read


def test_an_incremental_run_reads_what_is_new_or_changed(tap: Tap, place: Place) -> None:
    """By size, time and etag; and nothing else."""
    config = {
        **place.config, "path": place.base, "stream": "s", "replication_method": "INCREMENTAL",
    }  # fmt: skip
    place.put("a.csv", b"id\n1\n")
    place.put("b.csv", b"id\n2\n")
    first = tap(place.tap, config, state={})
    assert [r["id"] for r in first.records] == [1, 2], first.err
    again = tap(place.tap, config, state=first.state)
    assert (again.code, again.records, again.state) == (0, [], first.state)
    place.put("a.csv", b"id\n10\n")
    place.put("c.csv", b"id\n3\n")
    if place.objects:
        # Where there is an etag, or a generation, the same size and second do not hide it.
        place.put("b.csv", b"id\n5\n")
    third = tap(place.tap, config, state=again.state)
    assert [r["id"] for r in third.records] == ([10, 5, 3] if place.objects else [10, 3])


def test_files_that_come_during_the_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are read by it where it is incremental; a full table is what was there at its start."""
    monkeypatch.setattr(streams, "FRESH_SECONDS", -100.0)
    for method, wanted in (("INCREMENTAL", [1, 2, 3]), ("FULL_TABLE", [1])):
        for name in ("b.csv", "c.csv"):
            place.remove(name)
        place.put("a.csv", b"id\n1\n")
        found, stream = opened(place, method)
        with found.session([stream]) as session:
            reading = session.open(stream, {}, None)
            seen = []
            for rows in reading.batches():
                seen += [row[0] for row in rows]
                if len(seen) < 3:
                    place.put(f"{'abc'[len(seen)]}.csv", b"id\n%d\n" % (len(seen) + 1))
            assert (seen, reading.complete) == (wanted, True)
            if method == "INCREMENTAL":
                mark = reading.bookmark()
                assert len(mark["files"]) == 3
                assert [*session.open(stream, mark, None).batches()] == []


NO_LOGIN = [
    ("s3", {"aws_secret_access_key": "hunter2hunter2"}, "SignatureDoesNotMatch"),
    ("s3", {"aws_access_key_id": "nobody"}, "there is no such key"),
    ("azure", {"azure_account_key": "aHVudGVyMmh1bnRlcjI="}, "access denied"),
    (
        "azure",
        {"azure_account_key": None, "azure_sas_token": "sv=2020&sig=hunter2hunter2"},
        "access denied",
    ),
    ("gcs", {"anonymous": False, "google_credentials": '{"hunter2": 1}'}, "no key of a service"),
    ("sftp", {"ssh_password": "hunter2hunter2"}, "refused the login of 'tap'"),
    ("sftp", {"ssh_host_key": None}, "is not known"),
    ("ftp", {"ftp_password": "hunter2hunter2"}, "refused the login of 'tap'"),
]


@pytest.mark.parametrize(("kind", "wrong", "words"), NO_LOGIN)
def test_a_login_that_is_refused(
    tap: Tap, place_of: Callable[[str], Place], kind: str, wrong: Any, words: str
) -> None:
    """Is told as such, with what to check and no secret."""
    place = place_of(kind)
    place.put("a.csv", b"id\n1\n")
    config = {k: v for k, v in {**place.config, **wrong}.items() if v is not None}
    said = tap(place.tap, {**config, "path": place.base + "*.csv"})
    assert said.code in (1, 2)
    assert words in said.err
    assert "hunter2" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("kind", ["s3", "azure", "sftp", "ftp"])
def test_a_file_that_one_may_not_read(place_of: Callable[[str], Place], kind: str) -> None:
    """Is set aside with that reason, and the others are read."""
    place = place_of(kind)
    for name in ("a.csv", "secret.csv"):
        place.put(name, b"id\n1\n")
    read = [1]
    if kind in ("s3", "azure"):
        place.config, read = blind(place), []
    config = {**place.config, "path": place.base, "stream": "s", "on_bad_file": "skip"}
    found = TapFiles({**config, "columns": {}})
    if not read:
        with pytest.raises(KozmoError, match=r"secret.csv: permission denied|a.csv: permission"):
            found.discover()
        return
    [stream] = found.discover().streams
    stream.root()["selected"] = True
    seen: list[int] = []
    with (
        pytest.raises(ReadError, match="secret.csv: permission denied"),
        found.session([stream]) as session,
    ):
        for rows in session.open(stream, {}, None).batches():
            seen += [row[0] for row in rows]
    assert seen == read


def blind(place: Place) -> dict[str, Any]:
    """Return settings with which one may list, and nothing more."""
    if place.kind == "s3":
        key = {"aws_access_key_id": "blind", "aws_secret_access_key": "blind-secret"}
        return {**place.config, **key}
    from datetime import datetime, timedelta, timezone

    from azure.storage.blob import ContainerSasPermissions, generate_container_sas

    token = generate_container_sas(
        place.config["azure_account_name"],
        BUCKET,
        place.config["azure_account_key"],
        permission=ContainerSasPermissions(list=True),
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    return {
        "azure_sas_token": token,
        "azure_endpoint_url": place.config["azure_endpoint_url"],
    }


def test_what_everybody_may_read(tap: Tap, place_of: Callable[[str], Place]) -> None:
    """Is read without credentials, and nothing else is."""
    for kind in ("s3", "azure"):
        place = place_of(kind)
        private = place.base
        place.put("a.csv", b"id\n1\n")
        place = Place(kind, place.config, f"{SCHEMES[kind]}public/")
        place.put("a.csv", b"id\n1\n")
        config = {"anonymous": True, **{k: v for k, v in place.config.items() if "url" in k}}
        said = tap(place.tap, {**config, "path": place.base})
        assert [r["id"] for r in said.records] == [1], said.err
        said = tap(place.tap, {**config, "path": private})
        assert (said.code, said.records) == (1, [])
    place = place_of("ftp")
    place.put("a.csv", b"id\n1\n")
    config = {name: place.config[name] for name in ("ftp_host", "ftp_port")}
    assert [r["id"] for r in tap("tap-ftp", {**config, "path": place.base}).records] == [1]


def test_a_place_that_is_not_there(tap: Tap, place: Place) -> None:
    """A bucket, a folder: what is missing is named."""
    bucket = place.objects and f"{SCHEMES[place.kind]}no-such-bucket-1/x/*.csv"
    said = tap(place.tap, {**place.config, "path": bucket or place.base + "nope/*.csv"})
    assert said.code in (1, 2)
    wanted = "no-such-bucket-1" if bucket else f"found no file at {place.base}nope/*.csv"
    assert wanted in said.err


def test_a_server_that_is_not_there(place_of: Callable[[str], Place]) -> None:
    """Is named soon, by all at the same time."""
    places = [place_of(kind) for kind in KINDS]
    with relays.cutting(places[0].port) as relay:
        port = relay.port

    def ask(place: Place) -> str:
        store, pattern = store_of(place.base, place.through(port))
        with pytest.raises(ConnectError) as raised:
            store.list(pattern)
        return raised.value.message

    with ThreadPoolExecutor(len(places)) as pool:
        told = list(pool.map(ask, places))
    assert [said for said in told if not said.startswith("cannot reach")] == []


def test_paths_may_leave_out_what_a_setting_says(
    tap: Tap, place_of: Callable[[str], Place]
) -> None:
    """The scheme, the bucket or the container, the host."""
    for kind in KINDS:
        place = place_of(kind)
        place.put("a.csv", b"id\n1\n")
        short = place.base.partition("://")[2]
        told = [{"path": short}]
        if place.objects:
            word = "container" if kind == "azure" else "bucket"
            told.append({"path": short.partition("/")[2], word: BUCKET})
        for each in told:
            said = tap(place.tap, {**place.config, **each})
            assert [r["id"] for r in said.records] == [1], said.err
    said = tap("tap-s3", {"path": "gs://x/y.csv"})
    assert (said.code, "tap-s3 knows s3://, and not gs://" in said.err) == (2, True)


LITTLE = 3 << 20


@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_a_preview_fetches_little(tap: Tap, place_of: Callable[[str], Place], kind: str) -> None:
    """Of 18 MB of CSV, and of Parquet, a small part."""
    place = place_of(kind)
    rows = large()
    for name, data in (
        ("a.csv", csv(rows)),
        ("b.parquet", parquet(rows, compression="none", row_group_size=20_000)),
    ):
        assert len(data) > 16 << 20
        place.put(name, data)
        with relays.cutting(place.port) as relay:
            config = {**place.through(relay.port), "path": place.base + name}
            said = tap(place.tap, config, "--limit", "5")
            assert said.records == rows[:5], said.err
            assert relay.passed < LITTLE * (2 if name == "b.parquet" else 1)
