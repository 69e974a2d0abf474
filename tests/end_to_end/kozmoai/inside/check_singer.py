"""Run in KozmoAI's environment by test_singer: any tap and any target as nodes of a flow."""

import asyncio
import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from kozmo_bridge import _host
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.plugin_settings import setting_name
from kozmo_bridge.components.settings_form import described
from kozmo_bridge.components.singer_source import SingerSourceComponent
from kozmo_bridge.components.singer_target import SingerTargetComponent

STUBS = Path(_host.__file__).parent / "components" / "path"
SOURCE = (STUBS / "data" / "singer_source.py").read_text()
TARGET = (STUBS / "outputs" / "singer_target.py").read_text()
SHOP, FOLDER, COUNTING, BARE, LINES, PAGES = json.loads(os.environ["PLUGINS"])
DATA, FRAME = _host.host()[:2]
Graph = _host.module("graph").Graph
Component = _host.module("custom.custom_component.component").Component
template_of = _host.module("custom.utils").build_custom_component_template
GONE_SECONDS = 2.0


class OrdersOfSqliteComponent(SingerSourceComponent):
    """Rows of a SQLite file: a source for one tap."""

    display_name = "SQLite Source"
    icon = "Database"
    name = "SqliteSource"
    tap = "tap-sqlite"


class FolderOfTheSdkComponent(SingerTargetComponent):
    """Rows into a folder: a node for one target, of the SDK."""

    name = "SdkFolder"
    target = FOLDER


class Node:
    """A node on the canvas, whose form is refreshed by the host's own way."""

    def __init__(self, code, kind):
        self.type = kind
        self.code, self.data = code, template_of(Component(_code=code))[0]
        self.form = self.data["template"]

    def change(self, name, value):
        """Put *value* into an input that refreshes the form."""
        instance = template_of(Component(_code=self.code))[1]
        values = {k: v.get("value") for k, v in self.form.items() if isinstance(v, dict)}
        instance.set_attributes(values)
        asyncio.run(instance.update_build_config(self.form, value, name))
        return self

    def fill(self, **settings):
        """Put values into the inputs of settings, or of the node."""
        for name, value in settings.items():
            self.form[self.input_of(name)]["value"] = value
        return self

    def input_of(self, name):
        """The input of a setting; other names are inputs themselves."""
        found = (n for n in self.form if setting_name(n) == name)
        return name if name in self.form else next(found, name)

    def settings(self):
        """The settings that the form has, in the order in which they are shown."""
        return [setting_name(n) for n in sorted(self.form) if setting_name(n) is not None]

    @property
    def told(self):
        """What the node says of its connection."""
        return "; ".join(row["found"] for row in self.form["connection_status"]["value"])


def source(tap, **settings):
    """A Singer Source for *tap*."""
    return Node(SOURCE, "SingerSource").change("tap_name", tap).fill(**settings)


def target(name, **settings):
    """A Singer Target for *name*."""
    return Node(TARGET, "SingerTarget").change("target_name", name).fill(**settings)


def run(nodes, edges=(), flow=None):
    """Run a flow as the server does, of nodes by id; return the results of each."""
    payload = {
        "nodes": [
            {"id": name, "type": "genericNode", "position": {"x": 0, "y": 0},
             "data": {"id": name, "type": node.type, "node": node.data}}
            for name, node in nodes.items()
        ],
        "edges": [edge(nodes, *each) for each in edges],
    }  # fmt: skip

    async def whole():
        graph = Graph.from_payload(payload, flow_id=flow or str(uuid4()), user_id=str(uuid4()))
        graph.prepare()
        async for _ in graph.async_start():
            pass
        return {name: graph.get_vertex(name).results for name in nodes}

    return asyncio.run(whole())


def edge(nodes, one, output, other, field):
    """An edge as the frontend makes it."""
    types = next(o["types"] for o in nodes[one].data["outputs"] if o["name"] == output)
    ends = {
        "sourceHandle": {
            "dataType": nodes[one].type, "id": one, "name": output, "output_types": types
        },
        "targetHandle": {
            "fieldName": field, "id": other,
            "inputTypes": nodes[other].form[field].get("input_types"), "type": "other",
        },
    }  # fmt: skip
    spelt = {name: json.dumps(end).replace('"', "œ") for name, end in ends.items()}
    return {"id": f"{one}-{other}", "source": one, "target": other, "data": ends, **spelt}


@pytest.fixture
def shop(tmp_path):
    """A SQLite file with two tables."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        rows = [(n, f"order {n}", n / 2) for n in range(1, 6)]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
        database.execute("INSERT INTO notes VALUES (1, 'a|b')")
    return path


def write(path, rows):
    """Write the products of the SDK's shop."""
    made = [{"id": n, "name": f"p{n}", "seen": f"2024-03-{n:02}T00:00:00+00:00"} for n in rows]
    path.write_text(json.dumps(made))
    return path


def rows_of(path, table):
    """All rows of a table."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()


def children():
    """The command lines of the processes that this one has started and that still run."""
    return [text for folder in Path("/proc").glob("[0-9]*") if (text := command(folder))]


def command(folder):
    """The command line of a process that is a child of this one and no zombie."""
    try:
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        text = (folder / "cmdline").read_bytes()
    except OSError:
        return b""
    return text if int(parent) == os.getpid() and state != "Z" else b""


def test_a_form_is_made_of_what_the_tap_tells():
    """Required first, secrets masked, rare ones out of the way; nothing of the tap before it."""
    node = source("tap-postgres", host="db", password="s3cret")
    settings = node.settings()
    assert settings[:6] == ["sqlalchemy_url", "host", "port", "user", "password", "database"]
    assert settings[-1] == "flattening_max_key_length"
    assert "batch_config" in settings
    form = node.form
    password = form[node.input_of("password")]
    assert (password["_input_type"], password["load_from_db"]) == ("SecretStrInput", False)
    assert form[node.input_of("sslmode")]["options"][0] == "(not set)"
    shown = [n for n in form if setting_name(n) and not form[n]["advanced"]]
    assert len(shown) == 6
    told = "fill in the settings, then test; tap-postgres 0.1.0: PostgreSQL tables and views"
    assert node.told == told
    assert form["streams"]["advanced"] is True

    node.change("tap_name", "tap-sqlite")
    assert node.settings()[0] == "path"
    assert form[node.input_of("path")]["required"] is True
    assert "host" not in node.settings()
    node.change("tap_name", "tap-postgres")
    assert form[node.input_of("password")]["value"] == ""
    node.fill(port=1, password="s3cret").change("tap_name", "tap-postgres")
    assert form[node.input_of("port")]["value"] == 1

    node.change("tap_name", "tap-postgras")
    assert "did you mean 'tap-postgres'?" in node.told
    assert all(len(form[n]["display_name"]) <= 28 for n in form if isinstance(form[n], dict)
               and form[n].get("display_name"))  # fmt: skip


def test_a_connection_is_tested_and_streams_are_found(shop, tmp_path):
    """In words; the button goes back, the columns follow the streams."""
    node = source("tap-sqlite", path=str(shop)).change("test_connection", True)
    assert node.told.startswith("SQLite 3.")
    assert node.form["test_connection"]["value"] is False
    assert node.form["streams"]["options"] == ["notes", "orders"]
    assert node.form["streams"]["advanced"] is False
    node.change("streams", ["orders"])
    rows = node.form["columns"]["value"]
    assert [(r["column"], r["read"], r["type"]) for r in rows] == [
        ("id", "always", "INTEGER"), ("name", "yes", "TEXT"), ("price", "yes", "REAL")
    ]  # fmt: skip
    assert node.form["columns"]["trigger_text"] == "Columns: 3 of 3"
    rows[0]["read"], rows[2]["read"] = "no", "no"
    node.change("columns", rows)
    assert node.form["columns"]["trigger_text"] == "Columns: 2 of 3"
    assert [r["read"] for r in node.form["columns"]["value"]] == ["always", "yes", "no"]
    node.change("streams", ["orders", "notes"])
    assert [r["read"] for r in node.form["columns"]["value"]] == [
        "always", "yes", "always", "yes", "no"
    ]  # fmt: skip
    node.form["columns"]["value"][2]["read"] = "false"
    node.change("streams", ["orders"])
    found = run({"a": node})["a"]["data"]
    assert [row.data for row in found] == [{"id": n, "name": f"order {n}"} for n in range(1, 6)]

    node.fill(path=str(tmp_path / "none.db")).change("test_connection", True)
    assert "there is no SQLite database" in node.told
    before = json.dumps(node.form)
    for button in ("test_connection", "reset_bookmark"):
        node.change(button, False)
    assert json.dumps(node.change("streams", ["orders"]).form) == before


def test_a_tap_of_the_sdk_goes_on_where_it_stopped(tmp_path):
    """Its settings are in the form; a reset reads everything once more."""
    path, flow = write(tmp_path / "shop.json", [1, 2]), str(uuid4())
    node = source(SHOP, path=str(path)).change("test_connection", True)
    assert node.told.startswith("1 stream, ")
    assert node.form[node.input_of("path")]["required"] is True
    assert "stream_map_config" in node.settings()

    def ids():
        found = run({"shop": node}, flow=flow)["shop"]
        assert (
            sum(r.data["rows"] for r in found["state"])
            == len(found["data"])
            == len(found["dataframe"])
        )
        return [row.data["id"] for row in found["data"]]

    assert ids() == [1, 2]
    write(path, [1, 2, 3])
    assert ids() == [2, 3]
    node.change("reset_bookmark", True)
    assert node.form["reset_bookmark"]["value"] is False
    assert ids() == [1, 2, 3]
    node.fill(reset_at="")
    assert ids() == [3]
    node.fill(sync_mode="Full table")
    assert ids() == [1, 2, 3]


def test_settings_of_every_kind_reach_the_tap(tmp_path):
    """A JSON object of a stream map, with a name that the host would spoil."""
    path = write(tmp_path / "shop.json", [1])
    maps = {"products": {"id": "id", "twice": "str(id * int(config['f']))"}}
    node = source(SHOP, path=str(path), stream_maps=json.dumps(maps))
    node.fill(stream_map_config='{"f": 2}')
    (row,) = run({"a": node})["a"]["data"]
    assert row.data["twice"] == "2"
    node.fill(stream_map_config='{"f": 2')
    with pytest.raises(Exception, match=r"setting 'stream_map_config' is no JSON"):
        run({"a": node})


def test_what_is_typed_is_text():
    """The keyring is not asked, no variable is looked up, and no command is run."""
    for text in ("keyring:shop/me", "$keyring:shop/me", "${HOME}"):
        node = source("tap-sqlite", path=text).change("test_connection", True)
        assert f"there is no SQLite database {text}" in node.told
    node = source("tap-sqlite", settings_json='{"path_command": "echo x"}')
    node.change("test_connection", True)
    assert "setting 'path_command': commands are not run" in node.told


def test_a_tap_without_about_takes_a_box_of_json():
    """Masked where it must be; the password is in no error."""
    node = source(COUNTING)
    assert node.settings() == []
    assert node.form["settings_json"]["advanced"] is False
    assert node.told.startswith("write Settings (JSON), then test; ")
    node.fill(settings_json='{"rows": 3}').change("test_connection", True)
    assert node.told.startswith("1 stream, ")
    assert len(run({"a": node})["a"]["data"]) == 3

    secret = '{"password": "ke\\nys3cret", "refuse": true, "other": "hidden-value"}'
    node.fill(secret_settings_json=secret).change("test_connection", True)
    assert "login refused for password" in node.told
    assert "s3cret" not in node.told
    with pytest.raises(Exception, match="login refused") as caught:
        run({"a": node})
    assert "s3cret" not in str(caught.value)
    node.fill(settings_json="{rows").change("test_connection", True)
    assert "Settings (JSON) is no JSON" in node.told


def test_a_tap_without_discovery_is_read_whole():
    """What it has cannot be known before; a test says so."""
    node = source(BARE).change("test_connection", True)
    assert "without discovery only a run tells more" in node.told
    found = run({"a": node})["a"]
    assert [row.data for row in found["data"]] == [{"word": w} for w in ("one", "two", "three")]
    node.fill(streams=["words"])
    with pytest.raises(Exception, match="has no discovery"):
        run({"a": node})


def test_a_tap_whose_discovery_fails_still_runs(tmp_path):
    """Where everything is wanted."""
    tap = tmp_path / "tap_stubborn.py"
    head = "import sys\nif '--help' in sys.argv: sys.exit(print('--discover --catalog'))\n"
    head += "if '--discover' in sys.argv: sys.exit('no discovery today')\n"
    tap.write_text(head + Path(BARE).read_text())
    node = source(str(tap)).change("test_connection", True)
    assert "no discovery today" in node.told
    assert len(run({"a": node})["a"]["data"]) == 3


def test_sync_modes(shop):
    """Incremental by a column; one that cannot be told from the others is an error in words."""
    node, flow = source("tap-sqlite", path=str(shop), streams=["orders"]), str(uuid4())
    node.fill(sync_mode="Incremental", replication_key="id")
    assert len(run({"a": node}, flow=flow)["a"]["data"]) == 5
    with closing(sqlite3.connect(shop)) as database, database:
        database.execute("INSERT INTO orders VALUES (6, 'new', 1)")
    new = run({"a": node}, flow=flow)["a"]["data"]
    assert [row.data["id"] for row in new][-1] == 6
    assert len(new) <= 2
    node.fill(replication_key="idd")
    with pytest.raises(Exception, match="new rows of orders cannot be told"):
        run({"a": node}, flow=flow)
    node.fill(sync_mode="As the tap says", limit=2)
    for _ in range(2):
        assert [r.data["id"] for r in run({"a": node}, flow=flow)["a"]["data"]] == [1, 2]
    node.fill(streams=["orderz"])
    with pytest.raises(Exception, match="did you mean 'orders'"):
        run({"a": node}, flow=flow)


def test_the_example_tap():
    """A tap of a third party: its form is that of any, and a path is enough."""
    node = source(PAGES, token="s3cret-token", url="http://127.0.0.1:9/v1")
    assert node.settings()[:2] == ["url", "token"]
    assert node.form[node.input_of("token")]["_input_type"] == "SecretStrInput"
    assert node.change("test_connection", True).told.startswith("1 stream, ")
    with pytest.raises(Exception, match="cannot reach") as caught:
        run({"a": node})
    assert "s3cret-token" not in str(caught.value)


def test_a_component_for_one_tap(shop, monkeypatch):
    """Its settings are inputs of the class, and nothing is to be picked."""
    names = [each.name for each in OrdersOfSqliteComponent.inputs]
    assert "tap_name" not in names
    assert setting_name(names[0]) == "path"
    component = OrdersOfSqliteComponent(_id="one").set(
        **{names[0]: str(shop), "streams": ["notes"]}
    )
    results, _ = asyncio.run(component.run())
    assert [row.data for row in results["data"]] == [{"id": 1, "text": "a|b"}]
    monkeypatch.syspath_prepend(Path(__file__).parent)
    code = "from check_singer import OrdersOfSqliteComponent\n\n\n"
    code += 'class SqliteSource(OrdersOfSqliteComponent):\n    """Rows."""\n'
    node = Node(code, "SqliteSource")
    node.fill(path=str(shop)).change("test_connection", True)
    assert node.form["streams"]["options"] == ["notes", "orders"]
    assert node.told.startswith("SQLite 3.")


def test_a_component_for_one_target(tmp_path):
    """Bookmarks of the nodes before it wait for it, as they do for Singer Target."""
    first = FolderOfTheSdkComponent.inputs[0].name
    assert setting_name(first) == "folder"
    component = FolderOfTheSdkComponent(_id="one").set(
        **{first: str(tmp_path)}, input_data=[DATA(data={"id": 1})], stream_name="things"
    )
    result = asyncio.run(component.as_result())
    assert result.data["streams"] == {"things": 1}
    assert json.loads((tmp_path / "things.jsonl").read_text()) == {"id": 1}
    assert component.commits_bookmarks


def test_rows_of_several_streams_go_to_their_own_tables(shop, tmp_path):
    """From any tap into any target, and the bookmark is kept once they are there."""
    for output in ("data", "dataframe"):
        copy = tmp_path / f"{output}.db"
        nodes = {
            "from": source("tap-sqlite", path=str(shop)),
            "to": target("target-sqlite", path=str(copy), key_columns="id"),
        }
        result = run(nodes, [("from", output, "to", "input_data")])["to"]["result"].data
        assert result["rows"] == 6
        assert result["streams"] == {"notes": 1, "orders": 5}
        assert result["target"] == "target-sqlite"
        assert rows_of(copy, "orders") == rows_of(shop, "orders")
        assert rows_of(copy, "notes") == rows_of(shop, "notes")


def test_a_target_of_the_sdk(tmp_path):
    """Its bookmark is committed by it: what failed is read again."""
    path, flow = write(tmp_path / "shop.json", [1, 2]), str(uuid4())
    out = tmp_path / "out"
    nodes = {
        "from": source(SHOP, path=str(path)),
        "to": target(FOLDER, folder=str(out / "no" / "folder"), stream_name="copied"),
    }
    edges = [("from", "data", "to", "input_data")]
    with pytest.raises(Exception, match="target_folder|target-folder"):
        run(nodes, edges, flow)
    nodes["to"].fill(folder=str(out)).change("test_connection", True)
    assert nodes["to"].told.startswith("starts with this configuration")
    assert run(nodes, edges, flow)["to"]["result"].data["rows"] == 2
    assert run(nodes, edges, flow)["to"]["result"].data["rows"] == 1
    lines = [json.loads(line)["id"] for line in (out / "copied.jsonl").read_text().splitlines()]
    assert lines == [1, 2, 2]


@pytest.mark.parametrize("given", ["data", "frame", "one", "empty frame"])
def test_what_a_target_takes(tmp_path, given):
    """Data, one of them, or a DataFrame, with rows or without."""
    rows = {
        "data": [DATA(data={"id": 1, "n": "x"}), DATA(data={"id": 2})],
        "frame": FRAME([{"id": 1, "n": "x"}, {"id": 2, "n": None}]),
        "one": DATA(data={"id": 1, "n": "x"}),
        "empty frame": FRAME({"id": [], "n": []}),
    }[given]
    copy = tmp_path / "copy.db"
    component = SingerTargetComponent(_id="t").set(
        target_name="target-sqlite",
        settings_json=json.dumps({"path": str(copy)}),
        key_columns="id",
        stream_name="things",
        input_data=rows,
    )
    result = asyncio.run(component.as_result())
    count = {"data": 2, "frame": 2, "one": 1}.get(given, 0)
    assert result.data["rows"] == count
    assert len(rows_of(copy, "things")) == count


@pytest.mark.parametrize("output", ["data", "dataframe"])
def test_rows_of_several_edges_are_all_written(shop, tmp_path, output):
    """None takes the place of another's."""
    copy = tmp_path / "copy.db"
    nodes = {
        "one": source("tap-sqlite", path=str(shop), streams=["notes"]),
        "two": source("tap-sqlite", path=str(shop), streams=["notes"]),
        "to": target("target-sqlite", path=str(copy), stream_name="notes"),
    }
    edges = [(name, output, "to", "input_data") for name in ("one", "two")]
    result = run(nodes, edges)["to"]["result"].data
    once = rows_of(shop, "notes")
    assert once
    assert result["rows"] == 2 * len(once)
    assert sorted(rows_of(copy, "notes"), key=repr) == sorted([*once, *once], key=repr)


def test_no_rows_at_all_are_no_fault(shop, tmp_path):
    """A DataFrame without rows makes the table; Data without any tell no columns."""
    with closing(sqlite3.connect(shop)) as database, database:
        database.execute("DELETE FROM notes")
    for output, there in (("dataframe", True), ("data", False)):
        copy = tmp_path / f"{output}.db"
        nodes = {
            "from": source("tap-sqlite", path=str(shop), streams=["notes"]),
            "to": target("target-sqlite", path=str(copy), key_columns="id", stream_name="notes"),
        }
        result = run(nodes, [("from", output, "to", "input_data")])["to"]["result"].data
        assert result["rows"] == 0
        assert copy.exists() is there
        if there:
            assert rows_of(copy, "notes") == []


def test_faults_of_a_target_are_told(tmp_path):
    """Nothing connected, no target, a key that is no column; and the last words of the target."""
    component = SingerTargetComponent(_id="t").set(target_name="target-jsonl")
    for values, words in (
        ({}, "there are no rows to write"),
        ({"target_name": "", "input_data": []}, "no target is chosen"),
        ({"target_name": "tap-sqlite", "input_data": []}, "a target is needed here"),
        (
            {
                "target_name": f"{LINES}",
                "input_data": [DATA(data={"id": 1})],
                "settings_json": json.dumps({"path": str(tmp_path / "x"), "die_at": 1}),
            },
            "the disk is full",
        ),
    ):
        with pytest.raises(Problem, match=words):
            asyncio.run(component.set(**values).run())


@pytest.mark.parametrize("side", ["tap", "target"])
def test_stop_ends_the_plugin_at_once(tmp_path, side):
    """Within two seconds nothing of it runs any more."""
    settings = {"rows": 10**6, "pause": 0.01, "path": str(tmp_path / "out")}
    if side == "tap":
        component = SingerSourceComponent(_id="c").set(tap_name=COUNTING, limit=0)
        work = component.as_data
    else:
        rows = [DATA(data={"id": n}) for n in range(20_000)]
        component = SingerTargetComponent(_id="c").set(target_name=LINES, input_data=rows)
        work = component.as_result
    component.set(settings_json=json.dumps(settings))
    program = (COUNTING if side == "tap" else LINES).encode()

    async def stopped():
        before = await described(COUNTING)
        assert before["settings"] == {}
        task = asyncio.ensure_future(work())
        deadline = time.monotonic() + 30
        while not any(program in each and b"--help" not in each and b"--discover" not in each
                      for each in await asyncio.to_thread(children)):  # fmt: skip
            assert time.monotonic() < deadline
            assert not task.done(), task
        task.cancel()
        start = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - start

    assert asyncio.run(stopped()) < GONE_SECONDS
    assert not any(program in each for each in children())
