"""The File Loader within KozmoAI: files of this machine, of uploads and of stores."""

import json
from contextlib import ExitStack

import pytest

from inside import FOLDER, inside
from kozmo_bridge.components import stores
from kozmo_singer.systems import formats
from kozmo_singer.systems.stores import SCHEMES
from places import place, prepared
from servers import clouds

CSV = b"id,zip\n1,01067\n2,02000\n"


def test_the_file_loader_works_within_kozmoai(run, environment, tmp_path):
    """A pytest of that environment runs them; what it says is what this test says."""
    servers = {}
    with ExitStack() as stack:
        for kind in clouds.KINDS:
            config = stack.enter_context(getattr(clouds, kind)())
            if "folder" in config:
                (config.pop("folder") / "orders.csv").write_bytes(CSV)
                address = f"{kind}:///orders.csv"
            else:
                there = place(kind, prepared(kind, config), "in")
                there.put("orders.csv", CSV)
                address = f"{there.base}orders.csv"
            servers[kind] = {"address": address, "login": config}
        told = {"STORE_SERVERS": json.dumps(servers)}
        inside(run, environment, tmp_path, [FOLDER / "check_file_loader.py"], told, timeout=400)


def test_every_store_and_format_of_the_taps_has_a_name_on_the_canvas():
    """One that is new to them is missed here."""
    assert {each.word for each in stores.FORMATS} == set(formats.FORMATS)
    schemes = [scheme for each in stores.STORES for scheme in each.schemes]
    assert sorted(schemes) == sorted([*SCHEMES, "file"])
    packed = {"gz", "bz2", "xz", "zst", "txt"}
    archives = {ending.rpartition(".")[2] for ending in formats.ARCHIVES}
    told = {ending for ending in stores.ENDINGS if formats.named(f"a.{ending}")[1]}
    assert set(stores.ENDINGS) == told | packed | archives


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/c/f/2026-11-28_18-07-30_shop.v2.csv.gz", "shop"),
        ("/c/f/2026-11-28_18-07-30_shop.xlsx", None),
        ("/c/f/2026-11-28_18-07-30_all.tar.gz", None),
        ("C:\\f\\2026-11-28_18-07-30_shop.csv", "shop"),
        ("/c/f/shop.csv", None),
    ],
)
def test_an_upload_is_called_as_the_user_called_it(path, read):
    """Where it is one stream; a workbook or an archive may hold several."""
    told = {"stream": read} if read else {}
    assert stores.uploaded(path) == {"path": path, **told}


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({"path": "sftp://bob:secret@host/a.csv"}, "sftp://host/a.csv"),
        ({"path": "https://host/a.csv?token=secret"}, "https://host/a.csv"),
        ({"path": "in/?.csv", "bucket": "b"}, "b/in/?.csv"),
        ({"files": [{"path": "a"}, {"path": "b"}]}, "a, b"),
    ],
)
def test_what_is_remembered_of_an_address_holds_no_secret(config, shown):
    """The bookmark of a node tells which source it is of."""
    assert stores.shown(config) == shown
