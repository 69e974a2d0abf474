"""Run in KozmoAI's environment by test_file_loader: files as a node of a flow."""

import asyncio
import gzip
import json
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest

from kozmo_bridge import _host
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.file_loader import FileLoaderComponent
from kozmo_bridge.components.plugin_settings import setting_name

STUB = Path(_host.__file__).parent / "components" / "path" / "data" / "file_loader.py"
SERVERS = json.loads(os.environ["STORE_SERVERS"])
ROWS = [{"id": 1, "zip": "01067"}, {"id": 2, "zip": "02000"}]
CSV = "id,zip\n1,01067\n2,02000\n"
DATA = _host.host().Data
Graph = _host.module("graph").Graph
Component = _host.module("custom.custom_component.component").Component
template_of = _host.module("custom.utils").build_custom_component_template


def results(**inputs):
    """What the outputs of a node with these inputs give; its log is under 'log'."""
    node = FileLoaderComponent(_id="files").set(**inputs)
    made, _ = asyncio.run(node.run())
    return made


def rows(**inputs):
    """The rows of a node as dicts."""
    return [row.data for row in results(**inputs)["data"]]


class Form:
    """A node on the canvas, whose form is refreshed by the host's own way."""

    def __init__(self, **values):
        self.node = template_of(Component(_code=STUB.read_text()))[0]
        self.fields = self.node["template"]
        self.fill(**values)

    def fill(self, **values):
        """Put values into inputs, or into those of the settings of a tap."""
        for name, value in values.items():
            # What is typed into a secret is no global variable's name.
            self.fields[self.name(name)] |= {"value": value, "load_from_db": False}
        return self

    def name(self, name):
        """The input that a setting has."""
        return next((n for n in self.fields if setting_name(n) == name), name)

    def press(self, name, value=True):
        """Change an input that refreshes the form; return what was found."""
        instance = template_of(Component(_code=STUB.read_text()))[1]
        told = {n: f.get("value") for n, f in self.fields.items() if isinstance(f, dict)}
        instance.set_attributes(told)
        asyncio.run(instance.update_build_config(self.fields, value, name))
        return "\n".join(row["found"] for row in self.fields["preview_verdict"]["value"])

    def on_the_node(self):
        """The inputs that stand on the node, by the names of settings where they are such."""
        return {
            setting_name(name) or name
            for name, field in self.fields.items()
            if isinstance(field, dict) and field.get("show") and not field.get("advanced")
        }

    def run(self, flow=None):
        """Run the node as the server does; return its results."""
        node = {"id": "FileLoader-a", "type": "genericNode", "position": {"x": 0, "y": 0}}
        node["data"] = {"id": "FileLoader-a", "type": "FileLoader", "node": self.node}

        async def whole():
            graph = Graph.from_payload(
                {"nodes": [node], "edges": []}, flow_id=flow or str(uuid4()), user_id=str(uuid4())
            )
            graph.prepare()
            async for _ in graph.async_start():
                pass
            return graph.get_vertex("FileLoader-a").results

        return asyncio.run(whole())

    def rows(self, flow=None):
        """The rows that a run gives, as dicts."""
        return [row.data for row in self.run(flow)["data"]]


WAYS = {
    "comma.csv": CSV.encode(),
    "semicolon.csv": CSV.replace(",", ";").encode(),
    "bom.csv": CSV.encode("utf-8-sig"),
    "utf16.csv": CSV.encode("utf-16"),
    "tab.tsv": CSV.replace(",", "\t").encode(),
    "unnamed.txt": CSV.encode(),
    "packed.csv.gz": gzip.compress(CSV.encode()),
    "array.json": json.dumps(ROWS).encode(),
    "lines.jsonl": "".join(f"{json.dumps(row)}\n" for row in ROWS).encode(),
}


@pytest.mark.parametrize("name", WAYS)
def test_text_is_read_whatever_it_looks_like(tmp_path, name):
    """Delimiter, encoding, packing and format are found out."""
    (tmp_path / name).write_bytes(WAYS[name])
    assert rows(file_path=str(tmp_path / name)) == ROWS


@pytest.mark.parametrize("name", ["rows.parquet", "rows.xlsx", "rows.feather", "rows.xml"])
def test_other_formats_have_the_same_rows(tmp_path, name):
    """As Data, as a DataFrame, as text; the preview is a table."""
    frame, path = pd.DataFrame(ROWS), tmp_path / name
    if name.endswith("xml"):
        items = "".join(f"<row><id>{r['id']}</id><zip>{r['zip']}</zip></row>" for r in ROWS)
        path.write_text(f"<rows>{items}</rows>")
    else:
        writers = {"parquet": "to_parquet", "xlsx": "to_excel", "feather": "to_feather"}
        more = {"index": False} if name.endswith("xlsx") else {}
        getattr(frame, writers[name.partition(".")[2]])(path, **more)
    node = FileLoaderComponent(_id="files").set(file_path=str(path))
    made, _ = asyncio.run(node.run())
    assert [row.data for row in made["data"]] == ROWS
    assert made["dataframe"].to_dict("records") == ROWS
    assert made["text"].text.splitlines()[0] == "| id | zip |"
    assert [row.data["rows"] for row in made["state"]] == [2]
    asyncio.run(node.as_data())
    assert [row.data for row in node.status] == ROWS


@pytest.mark.parametrize("told", ["Auto-detect", "CSV", "csv"])
def test_inputs_of_old_flows_mean_the_same(tmp_path, told):
    """Each by the name and with the words of the first integration."""
    (tmp_path / "orders.csv").write_text(CSV)
    old = {
        "source_type": "Local File",
        "file_path": str(tmp_path / "orders.csv"),
        "s3_bucket": "",
        "aws_access_key_id": "",
        "aws_secret_access_key": "",
        "file_format": told,
        "limit": 0,
        "test_connection_only": False,
    }
    assert rows(**old) == ROWS
    assert rows(**{**old, "limit": 1}) == ROWS[:1]
    (tested,) = rows(**{**old, "test_connection_only": True})
    assert tested["status"] == "accessible"
    assert tested["message"].startswith("File is accessible: CSV, 2 columns")
    missing = {**old, "file_path": str(tmp_path / "order.csv"), "test_connection_only": True}
    (tested,) = rows(**missing)
    assert tested["status"] == "failed"
    assert "found no file" in tested["message"]


@pytest.mark.parametrize(("label", "name"), [("Parquet", "parquet"), ("Excel", "xlsx")])
def test_formats_of_old_flows_are_told_by_their_words(tmp_path, label, name):
    """Also where the name of the file tells none."""
    frame, path = pd.DataFrame(ROWS), tmp_path / f"rows.{name}"
    frame.to_parquet(path) if name == "parquet" else frame.to_excel(path, index=False)
    path.rename(tmp_path / "rows")
    assert rows(file_path=str(tmp_path / "rows"), file_format=label) == ROWS


def test_json_of_lines_is_json_too(tmp_path):
    """The first integration called both by one word."""
    (tmp_path / "rows.jsonl").write_bytes(WAYS["lines.jsonl"])
    assert rows(file_path=str(tmp_path / "rows.jsonl"), file_format="JSON") == ROWS


def test_settings_of_a_format_are_inputs_under_the_names_of_the_tap(tmp_path):
    """They come with the format, and go with it."""
    path = tmp_path / "numbers.csv"
    path.write_bytes("näme|preis\nÄpfel|1.234,50\n".encode("cp1252"))
    form = Form(file_path=str(path))
    form.press("file_format", "CSV")
    assert {"delimiter", "encoding"} <= form.on_the_node()
    form.fill(delimiter="|", encoding="cp1252", decimal=",", thousands=".")
    assert form.rows() == [{"näme": "Äpfel", "preis": 1234.5}]
    form.press("file_format", "Excel")
    assert {"sheet"} == form.on_the_node() & {"delimiter", "encoding", "header", "sheet"}
    path.write_text("a\tb c\n1\t2\n")
    form.press("file_format", "CSV")
    form.fill(delimiter="tab", header="false")
    assert form.rows() == [{"column_1": "a", "column_2": "b c"}, {"column_1": "1", "column_2": "2"}]
    form.fill(header="true")
    assert form.rows() == [{"a": 1, "b c": 2}]


def test_words_for_missing_values_are_texts_unless_they_are_said(tmp_path):
    """NA is Namibia as well. The first integration, by pandas, took all such words as missing."""
    path = tmp_path / "cities.csv"
    path.write_text("city,code,people\nWindhoek,NA,431000\n,N/A,nan\nBonn,NULL,\n")
    form = Form(file_path=str(path))
    form.press("file_format", "CSV")
    assert form.fields[form.name("null_values")]["display_name"] == "Null values"
    assert form.rows() == [
        {"city": "Windhoek", "code": "NA", "people": "431000"},
        {"city": None, "code": "N/A", "people": "nan"},
        {"city": "Bonn", "code": "NULL", "people": None},
    ]
    form.fill(null_values='["", "NA", "N/A", "NULL", "nan"]')
    as_before = [
        {"city": "Windhoek", "code": None, "people": 431000},
        {"city": None, "code": None, "people": None},
        {"city": "Bonn", "code": None, "people": None},
    ]
    assert form.rows() == as_before
    frame = pd.read_csv(path).astype(object)
    assert frame.where(frame.notna(), None).to_dict("records") == as_before
    form.fill(null_values="N/A, nan")
    assert [row["code"] for row in form.rows()] == ["NA", None, "NULL"]


def test_preview_tells_what_is_there_and_lists_the_columns(tmp_path):
    """The verdict is in words; columns have types and samples, and can be left out or changed."""
    (tmp_path / "orders.csv").write_text("id;zip;price\n1;1067;1,50\n2;2000;2,25\n")
    form = Form(file_path=str(tmp_path / "orders.csv"))
    assert "streams" not in form.on_the_node()
    found = form.press("preview")
    assert form.fields["preview_verdict"]["trigger_text"] == "CSV, 3 columns, about 2 rows"
    assert found.splitlines()[:2] == ["CSV, 3 columns, about 2 rows", "1 file, 37 bytes"]
    assert "read as utf-8, semicolon, header (text in price may be numbers with decimal" in found
    assert form.fields["preview"]["value"] is False
    table = form.fields["column_choice"]
    assert table["trigger_text"] == "3 columns"
    assert table["value"][0] == {
        "column": "id", "read": "yes", "type": "integer", "read_as": "", "sample": "1",
        "stream": "orders",
    }  # fmt: skip
    assert "streams" not in form.on_the_node()
    assert "column_choice" in form.on_the_node()
    assert "delimiter" not in form.on_the_node()
    assert form.fields[form.name("delimiter")]["advanced"]
    table["value"][0]["read"] = "no"
    table["value"][1]["read_as"] = "string"
    assert form.rows() == [{"zip": "1067", "price": "1,50"}, {"zip": "2000", "price": "2,25"}]
    form.fill(decimal=",")
    form.press("preview")
    assert [row["read"] for row in table["value"]] == ["no", "yes", "yes"]
    assert [row["type"] for row in table["value"]] == ["integer", "string", "decimal"]
    assert form.fields[form.name("decimal")]["value"] == ","


def test_several_files_are_streams_to_choose_from(tmp_path):
    """All of them without a choice; a column says which one a row is of."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "b.v2.csv").write_text("x,y.z\n2,3\n")
    (tmp_path / "c.jsonl").write_text('{"x": 4}\n')
    form = Form(file_path=str(tmp_path))
    found = form.press("preview").splitlines()
    assert found[:2] == ["3 streams of CSV, JSON Lines", found[1]]
    assert found[1].startswith("a: CSV, 1 column, about 1 row, 1 file, 4 bytes, read as utf-8")
    assert form.fields["streams"]["options"] == ["a", "b.v2", "c"]
    assert {"streams", "column_choice"} <= form.on_the_node()
    assert not {"delimiter", "json_path"} & form.on_the_node()
    assert form.rows() == [
        {"x": 1, "_stream": "a"},
        {"x": 2, "y.z": 3, "_stream": "b.v2"},
        {"x": 4, "_stream": "c"},
    ]
    form.fill(streams=["b.v2"])
    form.fields["column_choice"]["value"][1]["read"] = "no"
    assert form.rows() == [{"y.z": 3}]
    (tmp_path / "b.v2.csv").unlink()
    with pytest.raises(Exception, match=r"no stream 'b\.v2' in the files any more"):
        form.rows()
    glob = str(tmp_path / "*.csv")
    assert rows(file_path=glob) == [{"x": 1}]
    (tmp_path / "d.csv").write_text("x\n5\n6\n")
    assert len(rows(file_path=glob, limit=1)) == 2


def test_an_upload_is_read_where_no_path_is_given(tmp_path):
    """Under the name that the user knows; a path goes before it."""
    folder = Path(os.environ["KOZMOAI_CONFIG_DIR"]) / "a-flow"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "2026-11-28_18-07-30_shop.csv").write_text(CSV)
    form = Form()
    form.fields["upload"] |= {
        "value": "shop.csv", "file_path": "a-flow/2026-11-28_18-07-30_shop.csv"
    }  # fmt: skip
    assert form.press("preview").startswith("CSV, 2 columns")
    assert form.fields["column_choice"]["value"][0]["stream"] == "shop"
    made = form.run()
    assert [row.data for row in made["data"]] == ROWS
    assert [(row.data["stream"], row.data["rows"]) for row in made["state"]] == [("shop", 2)]
    (tmp_path / "other.csv").write_text("a\n1\n")
    assert form.fill(file_path=str(tmp_path / "other.csv")).rows() == [{"a": 1}]


def test_paths_come_from_other_components(tmp_path):
    """As Directory and File give them, or as a text; two of one name are streams of their own."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders.csv").write_text(f"shop\n{folder}\n")
    given = [DATA(data={"file_path": str(p), "text": "?"}) for p in sorted(tmp_path.rglob("*.csv"))]
    assert rows(files_from=given[0], file_path="/nowhere.csv") == [{"shop": "one"}]
    assert rows(files_from=given) == [
        {"shop": "one", "_stream": "orders"},
        {"shop": "two", "_stream": "orders_2"},
    ]
    message = _host.host().Message(text=str(tmp_path / "two" / "orders.csv"))
    assert rows(file_path=message) == [{"shop": "two"}]


FAULTS = {
    "nothing": ({}, "no file is named", "upload one, or give a path"),
    "missing": ({"file_path": "/no/such/file.csv"}, "found no file", "machine that runs KozmoAI"),
    "relative": ({"file_path": "no-such.csv"}, "found no file", "paths begin at "),
    "glob": ({"file_path": "/no/such/*.csv"}, "found no file at /no/such/*.csv", ""),
    "store": ({"file_path": "ssh://host/x.csv"}, "there is no store for ssh://", ""),
    "source": ({"source_type": "Disk", "file_path": "x"}, "no source called 'Disk'", "Local File"),
    "format": ({"file_format": "Dbase", "file_path": "x"}, "no format called 'Dbase'", "Parquet"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_with_a_remedy(fault):
    """In a run, and in the verdict of the form, which raises nothing."""
    inputs, what, remedy = FAULTS[fault]
    with pytest.raises(Problem) as refused:
        rows(**inputs)
    told = Form(**inputs).press("preview")
    for said in (str(refused.value), told):
        assert what in said
        assert remedy in said
        assert "Traceback" not in said


def test_a_file_that_may_not_be_read_is_told_so(tmp_path):
    """Unless root runs the test, who may read all; then that it is empty."""
    path = tmp_path / "orders.csv"
    path.touch()
    path.chmod(0)
    expected = "nothing stands in" if os.access(path, os.R_OK) else "change its rights"
    assert expected in Form(file_path=str(path)).press("preview")


def test_opening_a_flow_looks_at_no_file():
    """The host asks for all switches that are off; nothing is changed or told."""
    form = Form(file_path="/no/such/file.csv")
    for name in ("preview", "reset_bookmark"):
        assert form.press(name, False) == ""
    assert form.on_the_node() == {
        "source_type", "upload", "file_path", "file_format", "preview",
    }  # fmt: skip


def test_only_new_files_are_read_by_a_node_that_remembers(tmp_path):
    """Until its bookmark is reset; another path is another source."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("x\n1\n")
    form, flow = Form(file_path=f"{tmp_path}/in/*.csv", mode="New or changed files"), str(uuid4())
    assert form.rows(flow) == [{"x": 1}]
    assert form.rows(flow) == []
    (tmp_path / "in" / "a.csv").unlink()
    (tmp_path / "in" / "b.csv").write_text("x\n2\n")
    assert form.rows(flow) == [{"x": 2}]
    form.press("reset_bookmark")
    assert form.fields["reset_at"]["value"]
    assert form.rows(flow) == [{"x": 2}]
    assert form.rows(flow) == []
    form.fill(file_path=f"{tmp_path}/in/b.csv")
    assert form.rows(flow) == [{"x": 2}]


def test_settings_are_no_variables_of_the_server(tmp_path, monkeypatch):
    """What was typed is text."""
    monkeypatch.setenv("KOZMO_TEST_SECRET", str(tmp_path))
    with pytest.raises(Problem, match=r"\$\{KOZMO_TEST_SECRET\}/x\.csv"):
        rows(file_path="${KOZMO_TEST_SECRET}/x.csv")


LABELS = {
    "s3": "S3", "gcs": "Google Cloud Storage", "azure": "Azure Blob Storage", "sftp": "SFTP",
    "ftp": "FTP",
}  # fmt: skip
WRONG = {
    "s3": "aws_secret_access_key", "gcs": "google_credentials", "azure": "azure_account_key",
    "sftp": "ssh_password", "ftp": "ftp_password",
}  # fmt: skip


@pytest.mark.parametrize("kind", LABELS)
def test_stores_have_their_own_logins(kind):
    """An address tells the store; the form asks for its login, which no error shows."""
    server = SERVERS[kind]
    form = Form(file_path=server["address"])
    form.press("preview")
    assert form.fields["source_type"]["value"] == LABELS[kind]
    assert "upload" not in form.on_the_node()
    assert WRONG[kind] in form.on_the_node()
    form.fill(**server["login"])
    assert form.press("preview").startswith("CSV, 2 columns")
    assert form.rows() == ROWS
    # The emulator of Google lets in everybody who says so.
    form.fill(**{**({"anonymous": False} if kind == "gcs" else {}), WRONG[kind]: "no-such-secret"})
    told = form.press("preview")
    with pytest.raises(Exception, match="no-such-secret|.") as refused:
        form.run()
    for said in (told, str(refused.value)):
        assert said
        assert "no-such-secret" not in said
    assert form.press("source_type", "Local File") == ""
    assert "column_choice" not in form.on_the_node()
    assert WRONG[kind] not in form.on_the_node()
    assert "upload" in form.on_the_node()


def test_old_flows_read_from_s3(monkeypatch):
    """By bucket and key, with the key of an account."""
    login = dict(SERVERS["s3"]["login"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", login.pop("aws_endpoint_url"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", login.pop("aws_region"))
    old = {"source_type": "S3", "s3_bucket": "kozmo", "file_path": "in/orders.csv", **login}
    assert rows(**old, file_format="Auto-detect", limit=0) == ROWS
    assert rows(**old, file_format="CSV", limit=1) == ROWS[:1]
    (tested,) = rows(**old, test_connection_only=True)
    assert tested["status"] == "accessible"
    (tested,) = rows(
        **{**old, "aws_secret_access_key": "no-such-secret"}, test_connection_only=True
    )
    assert tested["status"] == "failed"
    assert "no-such-secret" not in tested["message"]


def test_web_servers_have_files_too(tmp_path):
    """By their addresses."""
    (tmp_path / "orders.csv").write_text(CSV)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/orders.csv"
            assert rows(file_path=url) == ROWS
            assert rows(source_type="Web server", file_path=url, limit=1) == ROWS[:1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("label", "first"),
    [
        ("Google Cloud Storage", {"google_credentials"}),
        ("Azure Blob Storage", {"azure_account_name", "azure_account_key"}),
        ("SFTP", {"ssh_host", "ssh_user", "ssh_password"}),
        ("Web server", {"http_token"}),
    ],
)
def test_few_settings_of_a_store_stand_on_the_node(label, first):
    """The others are advanced, with short labels; secrets are masked."""
    form = Form()
    before = form.on_the_node()
    form.press("source_type", label)
    assert form.on_the_node() - before == first
    for name, field in form.fields.items():
        if setting_name(name):
            assert len(field["display_name"]) <= 28
            assert field["info"]
    secret = next(
        f for n, f in form.fields.items() if setting_name(n) in first and f.get("password")
    )
    assert secret["value"] == ""
