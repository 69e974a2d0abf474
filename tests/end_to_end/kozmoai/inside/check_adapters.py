"""The source adapters with KozmoAI's own Data; runs inside the environment of KozmoAI.

test_inside.py starts it there, and tells where a server that speaks S3 is.
"""

import json
import os

import pytest

from kozmo_bridge.adapters import FileSourceAdapter, S3SourceAdapter
from kozmo_singer.errors import ConfigError


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A home for what the runner remembers."""
    monkeypatch.setenv("KOZMO_HOME", str(tmp_path / "kozmo"))


def test_files_are_read_by_the_adapter(tmp_path):
    """Streams, columns, and all rows in batches; with a limit those alone."""
    (tmp_path / "orders.csv").write_text("id,zip\n" + "".join(f"{n},0{n}\n" for n in range(2500)))
    (tmp_path / "items.jsonl").write_text('{"sku": "a"}\n')
    with FileSourceAdapter(str(tmp_path / "orders.csv")) as orders:
        assert orders.discover_streams() == ["orders"]
        assert orders.get_schema() == {"id": "integer", "zip": "string"}
        batches = list(orders.load_data())
        assert [len(batch) for batch in batches] == [1000, 1000, 500]
        rows = [item.data for batch in batches for item in batch]
        assert rows == [{"id": n, "zip": f"0{n}"} for n in range(2500)]
        assert [len(batch) for batch in orders.load_data(limit=3)] == [3]
        started = orders.load_data()
        next(started)
    assert list(started) == []
    both = FileSourceAdapter(str(tmp_path / "*.*"))
    assert sorted(both.discover_streams()) == ["items", "orders"]
    assert [[item.data for item in b] for b in both.load_data("items")] == [[{"sku": "a"}]]
    with pytest.raises(ConfigError, match="no stream 'item'"):
        both.get_schema("item")
    missing = FileSourceAdapter(str(tmp_path / "none.csv"))
    assert not missing.test_connection()
    assert "found no file" in missing.problem
    with pytest.raises(ConnectionError, match="found no file"):
        missing.connect()


def test_words_for_missing_values_are_told_as_a_setting_of_the_tap(tmp_path):
    """The first integration took them all as missing; ours reads what is there."""
    path = tmp_path / "countries.csv"
    path.write_text("code,n\nNA,1\nDE,\n")

    def rows(**options):
        (batch,) = FileSourceAdapter(str(path), "csv", **options).load_data()
        return [item.data for item in batch]

    assert rows() == [{"code": "NA", "n": 1}, {"code": "DE", "n": None}]
    missing = rows(null_values=["", "NA"])
    assert missing == [{"code": None, "n": 1}, {"code": "DE", "n": None}]


FORMATS = {
    "csv": b"id,zip\n1,01\n",
    "json": b'{"id": 1, "zip": "01"}\n{"id": 1, "zip": "01"}',
    "auto-detect": b"id,zip\n1,01\n",
    "Auto-detect": b"id,zip\n1,01\n",
    "": b"id,zip\n1,01\n",
    "xml": b"<rows><row><id>1</id><zip>01</zip></row></rows>",
}


@pytest.mark.parametrize("told", FORMATS)
def test_formats_are_told_by_the_words_of_the_first_integration(tmp_path, told):
    """And the path is the name of the stream, as it was there."""
    path = tmp_path / "export"
    path.write_bytes(FORMATS[told])
    files = FileSourceAdapter(file_path=str(path), file_format=told)
    assert files.connect()
    assert list(files.get_schema(str(path))) == ["id", "zip"]
    (batch,) = files.load_data(stream=str(path), limit=1, batch_size=10)
    assert [item.data for item in batch] == [{"id": 1, "zip": "01"}]
    files.disconnect()
    with pytest.raises(ConnectionError, match="no format called 'dbase'"):
        FileSourceAdapter(str(path), "dbase").connect()


def test_objects_are_read_by_the_adapter():
    """With the key of an account; a wrong one is told as a lost connection is."""
    server = json.loads(os.environ["S3_SERVER"])
    key = {name: server[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    place = {"bucket": "ready", "key": "in/orders.csv", "region_name": server["aws_region"]}
    endpoint = {"aws_endpoint_url": server["aws_endpoint_url"]}
    with S3SourceAdapter(**place, **key, **endpoint) as orders:
        assert orders.discover_streams() == ["orders"]
        (batch,) = orders.load_data()
        assert [item.data for item in batch] == [{"id": n, "zip": f"0{n}"} for n in range(3)]
    wrong = S3SourceAdapter(
        **place, **{**key, "aws_secret_access_key": "no-such-secret"}, **endpoint
    )
    with pytest.raises(ConnectionError) as refused:
        wrong.connect()
    assert "no-such-secret" not in str(refused.value)
    assert not wrong.test_connection()
    assert wrong.problem == str(refused.value)
