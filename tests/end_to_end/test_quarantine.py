"""Bad records from `kozmo run` to `kozmo replay`: set aside, told, repaired by hand, loaded."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Result, Run
from destinations import DESTINATIONS, FIXTURES, Destination, canonical
from messages import TEXT, full_table, lines, record, schema, state
from piping import config
from servers.postgres import Database

TAP_LINES = f"{BIN / 'python'} {FIXTURES / 'tap_lines.py'}"
KINDS = {"id": "integer", "name": "text"}
PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
GOOD = [{"id": i, "name": f"n{i}"} for i in range(1, 5)]
BAD = {"id": "five", "name": "n5"}
FIVE = {"id": 5, "name": "n5"}


@pytest.fixture(params=DESTINATIONS)
def destination(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Destination:
    """Each of our targets in turn; what it sets aside goes to the folder `aside`."""
    made = DESTINATIONS[request.param](tmp_path, postgres)
    made.config |= {"on_bad_record": "quarantine", "quarantine_path": "aside"}
    return made


class Loading:
    """Runs into *destination*, and replays of what came of them."""

    def __init__(self, run: Run, folder: Path, destination: Destination) -> None:
        self.call, self.folder, self.destination = run, folder, destination
        self.config = config(folder, "target", destination.config)

    def run(self, data: bytes, *options: Any) -> Result:
        """Run a tap that writes *data*, with a report."""
        (self.folder / "data").write_bytes(data)
        tap = config(self.folder, "tap", {"path": str(self.folder / "data")})
        return self.call(
            ["kozmo", "run", TAP_LINES, self.destination.target, "--tap-config", tap,
             "--target-config", self.config, "--state-id", "s", "--report", "report.json", *options]
        )  # fmt: skip

    @property
    def report(self) -> Any:
        """What the last run left."""
        return json.loads((self.folder / "report.json").read_text())

    def replay(self, path: str, *options: str) -> Result:
        """Replay the file *path*."""
        command = ["kozmo", "replay", path, self.destination.target, "--config", self.config]
        return self.call([*command, *options])

    def repair(self, path: str, change: Callable[[str], str]) -> None:
        """Do to the text of the file *path* what a user does in an editor."""
        file = self.folder / path
        file.write_text(change(file.read_text()))

    def rows(self, stream: str = "t") -> list[Any]:
        """Return all rows, sorted."""
        return canonical(self.destination.rows(stream), KINDS)


@pytest.fixture
def loading(run: Run, tmp_path: Path, destination: Destination) -> Loading:
    """Runs and replays of this test."""
    return Loading(run, tmp_path, destination)


DATA = lines(
    schema("t", PROPERTIES, ["id"]),
    [record("t", row) for row in [*GOOD[:2], BAD, *GOOD[2:]]],
    state({"n": 4}),
)


def test_a_bad_record_is_told_repaired_and_loaded(loading: Loading) -> None:
    """The run ends well and says what it set aside, on the terminal and in the report."""
    done = loading.run(DATA)
    assert done.code == 0, done.err
    assert loading.rows() == GOOD
    assert "1 bad record is in aside/t.jsonl" in done.err
    assert 'line 4, $.id: expected integer, got "five"' in done.err
    assert f"kozmo replay aside/t.jsonl {loading.destination.target}" in done.err
    assert "1 bad set aside" in done.out.decode()
    report = loading.report
    assert (report["quarantined"], report["streams"][0]["quarantined"]) == (1, 1)
    assert (report["rows_written"], report["exit_code"]) == (4, 0)
    before = loading.call(["kozmo", "state", "get", "s"]).out

    loading.repair("aside/t.jsonl", lambda text: text.replace('\\"five\\"', "5"))
    done = loading.replay("aside/t.jsonl")
    assert (done.code, done.err) == (0, "")
    assert done.out.decode() == f"1 of 1 records loaded into {loading.destination.target}\n"
    assert loading.rows() == [*GOOD, FIVE]
    assert loading.call(["kozmo", "state", "get", "s"]).out == before


def test_what_is_still_bad_is_set_aside_elsewhere(loading: Loading) -> None:
    """Never into the file that is being read; the exit code says that not all is loaded."""
    loading.run(DATA)
    held = (loading.folder / "aside" / "t.jsonl").read_bytes()
    for path, again in (("aside/t.jsonl", "aside/again/t.jsonl"),
                        ("aside/again/t.jsonl", "aside/again/again/t.jsonl")):  # fmt: skip
        done = loading.replay(path)
        assert done.code == 1, done.err
        assert done.out.decode().startswith("0 of 1 records loaded")
        assert f"1 bad record is in {again}" in done.err
        assert (loading.folder / again).exists()
    assert (loading.folder / "aside" / "t.jsonl").read_bytes() == held
    done = loading.replay("aside/t.jsonl", "--config", "on_bad_record=fail")
    assert done.code == 1
    assert 'expected integer, got "five"' in done.err
    assert "it came from line 2 of aside/t.jsonl" in done.err
    assert len(done.err.splitlines()) <= 6
    assert loading.rows() == GOOD


def test_a_replay_adds_to_a_table_that_is_overwritten_as_a_whole(loading: Loading) -> None:
    """A repaired row of a full table must not take the place of all others."""
    messages = [record("t", row) for row in [*GOOD, BAD]]
    assert loading.run(lines(full_table("t", PROPERTIES), messages)).code == 0
    loading.repair("aside/t.jsonl", lambda text: text.replace('\\"five\\"', "5"))
    assert loading.replay("aside/t.jsonl", "--config", "load_method=overwrite").code == 0
    assert loading.rows() == [*GOOD, FIVE]


def test_a_replay_stands_in_the_way_of_no_run(run: Run, tmp_path: Path, postgres: Database) -> None:
    """It has nothing to do with the state that the target keeps for a pipe."""
    made = DESTINATIONS["target-sqlite"](tmp_path, postgres)
    made.config |= {"on_bad_record": "quarantine", "quarantine_path": "aside", "state_id": "s"}
    loading = Loading(run, tmp_path, made)
    command = ["target-sqlite", "--config", loading.config]
    assert run(command, DATA).code == 0
    query = "SELECT state_id, shard, run_id, state FROM _kozmo_state ORDER BY 1, 2"
    with closing(sqlite3.connect(made.config["path"])) as connection:
        kept = connection.execute(query).fetchall()
        loading.repair("aside/t.jsonl", lambda text: text.replace('\\"five\\"', "5"))
        assert loading.replay("aside/t.jsonl").code == 0
        assert connection.execute(query).fetchall() == kept
    assert [state and json.loads(state) for _, _, _, state in kept] == [{"n": 4}, None]
    assert loading.rows() == [*GOOD, FIVE]


def test_stream_maps_are_not_done_twice(run: Run, tmp_path: Path, postgres: Database) -> None:
    """What was set aside is what they had made."""
    made = DESTINATIONS["target-sqlite"](tmp_path, postgres)
    made.config |= {
        "on_bad_record": "quarantine",
        "quarantine_path": "aside",
        "stream_maps": {"t": {"name": "name + '!'", "twice": "name * 2"}},
    }
    properties = {"id": {"type": ["integer", "string"]}, "name": {**TEXT, "maxLength": 4}}
    loading = Loading(run, tmp_path, made)
    bad = lines(schema("t", properties), record("t", {"id": 1, "name": "a"})) + b"garbage\n"
    bad += lines(record("t", {"id": 2, "name": "too long"}))
    loading.run(bad)
    found = [(row["id"], row["name"]) for row in made.rows("t")]
    assert found[0] == ("1", "a!")
    names = {path.name for path in (tmp_path / "aside").iterdir()}
    assert "unknown.jsonl" in names
    if len(found) == 1:
        loading.repair("aside/t.jsonl", lambda text: text.replace("too long!", "b!"))
        assert loading.replay("aside/t.jsonl").code == 0
        assert [(row["id"], row["name"]) for row in made.rows("t")] == [("1", "a!"), ("2", "b!")]


def test_lines_of_no_stream_are_repaired_too(loading: Loading) -> None:
    """Their file holds the SCHEMA of every stream; a message may be put there as an object."""
    data = DATA.replace(b'"n1"}}', b'"n1"}') + lines(record("late", FIVE))
    data += lines(schema("late", PROPERTIES, ["id"]), record("late", BAD))
    done = loading.run(data)
    assert loading.report["quarantined"] == 4, done.err
    assert loading.rows() == GOOD[1:]
    loading.repair("aside/unknown.jsonl", lambda text: text.replace('\\"n1\\"}', '\\"n1\\"}}'))
    assert loading.replay("aside/unknown.jsonl").code == 0
    assert loading.rows() == GOOD

    def as_object(text: str) -> str:
        first, *middle, last = text.splitlines()
        assert json.loads(middle[0])["type"] == "SCHEMA", "the SCHEMA came after the first"
        entry = json.loads(last)
        entry["raw"] = record("late", {"id": 6, "name": "n6"})
        return "\n".join([first, *middle, json.dumps(entry)]) + "\n"

    loading.repair("aside/late.jsonl", as_object)
    assert loading.replay("aside/late.jsonl").code == 0
    assert loading.rows("late") == [FIVE, {"id": 6, "name": "n6"}]


def test_a_file_that_cannot_be_replayed_is_refused_as_a_whole(loading: Loading) -> None:
    """Before anything is sent, with the line and what to do."""
    loading.run(DATA)
    good = (loading.folder / "aside" / "t.jsonl").read_text().replace('\\"five\\"', "5")
    orphan = json.dumps({"raw": json.dumps(record("x", {}))})
    for line, words in {
        "{": "line 3 of bad.jsonl cannot be replayed",
        "[]": "line 3 of bad.jsonl cannot be replayed",
        "{}": "line 3 of bad.jsonl cannot be replayed",
        '{"raw": "garbage"}': "not JSON",
        '{"raw": "{\\n}"}': "line break",
        '{"raw": {"type": "STATE", "value": 1}}': "neither a RECORD nor a SCHEMA",
        orphan: "there is no SCHEMA of stream x",
    }.items():
        (loading.folder / "bad.jsonl").write_text(f"{good}{line}\n")
        done = loading.replay("bad.jsonl")
        assert done.code == 2, done.err
        assert words in done.err
        assert len(done.err.splitlines()) <= 6
    assert loading.replay("none.jsonl").code == 2
    assert loading.rows() == GOOD


def test_help_teaches(run: Run) -> None:
    """With a whole round to try."""
    shown = run(["kozmo", "replay", "--help"]).out.decode()
    assert "kozmo replay quarantine/orders.jsonl target-postgres" in shown
    assert "again/" in shown
    assert "replay" in run(["kozmo", "--help"]).out.decode()


@pytest.mark.parametrize("lane", ["text", "arrow"])
@pytest.mark.parametrize("keyed", [False, True])
def test_rows_of_the_arrow_lane_are_set_aside_as_records(
    run: Run, tmp_path: Path, postgres: Database, lane: str, keyed: bool
) -> None:
    """Wherever they are refused: by what the column holds, or by a rule of the table."""
    postgres.execute("CREATE SCHEMA copied")
    postgres.execute(
        "CREATE TABLE big AS SELECT i AS id, CASE WHEN i % 9000 = 5 THEN 'bad' ELSE 'n' || i END "
        "AS name, (i / 8.0)::numeric(12,3) AS price FROM generate_series(1, 30000) i"
    )
    if keyed:
        postgres.execute("ALTER TABLE big ADD PRIMARY KEY (id)")
    postgres.execute(
        "CREATE TABLE copied.big (id integer, name text CHECK (name <> 'bad'), price numeric(12,3))"
    )
    postgres.execute("INSERT INTO copied.big VALUES (0, 'old', 0)")
    tap = config(tmp_path, "tap", {**postgres.config, "filter_schemas": ["public"]})
    settings = {"default_target_schema": "copied", "on_bad_record": "quarantine",
                "load_method": "auto" if keyed else "append-only"}  # fmt: skip
    target = config(tmp_path, "target", {**postgres.config, **settings})
    command = ["kozmo", "run", "tap-postgres", "target-postgres", "--lane", lane]
    sides = ["--tap-config", tap, "--target-config", target, "--report", "report.json"]
    done = run([*command, *sides])
    assert done.code == 0, done.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["lane"], report["quarantined"], report["rows_written"]) == (lane, 4, 29996)
    difference = "SELECT * FROM public.big WHERE name <> 'bad' EXCEPT ALL SELECT * FROM copied.big"
    assert postgres.execute(difference) == []
    assert postgres.execute("SELECT count(*) FROM copied.big") == [(29997,)]
    postgres.execute("ALTER TABLE copied.big DROP CONSTRAINT big_name_check")
    done = run(["kozmo", "replay", "quarantine/public-big.jsonl", "target-postgres", "-c", target])
    assert done.code == 0, done.err
    assert postgres.execute("TABLE public.big EXCEPT ALL TABLE copied.big") == []
    assert postgres.execute("SELECT count(*) FROM copied.big") == [(30001,)]


def test_records_in_files_of_a_batch_are_set_aside(loading: Loading) -> None:
    """As RECORD messages, with the file and the line in it."""
    rows = "".join(json.dumps(row) + "\n" for row in [*GOOD[:2], BAD, *GOOD[2:]])
    (loading.folder / "rows.jsonl").write_text(rows + '{"id": 6\n')
    batch = {
        "type": "BATCH",
        "stream": "t",
        "encoding": {"format": "jsonl"},
        "manifest": [(loading.folder / "rows.jsonl").as_uri()],
    }
    done = loading.run(lines(schema("t", PROPERTIES, ["id"]), batch, state(1)))
    assert done.code == 0, done.err
    assert loading.rows() == GOOD
    assert "in line or row 3 of file://" in done.err
    loading.repair("aside/t.jsonl", lambda text: text.replace('\\"five\\"', "5"))
    loading.repair("aside/t.jsonl", lambda text: text.replace('{\\"id\\": 6}', '{\\"id\\": 6}}'))
    assert loading.replay("aside/t.jsonl").code == 0
    assert loading.rows() == [*GOOD, FIVE, {"id": 6, "name": None}]
