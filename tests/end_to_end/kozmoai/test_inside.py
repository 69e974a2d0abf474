"""The bridge within the environment of KozmoAI: the real Data, pandas 2.2.2, pydantic 2.10."""

import json

import pytest

from inside import FOLDER, inside
from kozmo_singer.systems.stores import store_of
from project import ROOT
from servers import clouds

UNIT = ROOT / "tests" / "unit" / "bridge"
CLEANER = ROOT / "tests" / "unit" / "cleaner" / "test_tables.py"


@pytest.mark.parametrize(
    "files",
    [
        [FOLDER / "check_data.py", FOLDER / "check_joined.py", FOLDER / "check_streams.py"],
        [FOLDER / "check_cleaner.py"],
        [FOLDER / "check_forms.py"],
        [UNIT / "test_values.py", UNIT / "test_frames.py", UNIT / "test_shapes.py", CLEANER],
    ],
    ids=["with KozmoAI's classes", "cleaning them", "in odd forms", "with its pandas"],
)
def test_the_bridge_works_beside_kozmoai(run, environment, tmp_path, files):
    """A pytest of that environment runs them; what it says is what this test says."""
    inside(run, environment, tmp_path, files)


def test_the_adapters_work_beside_kozmoai(run, environment, tmp_path):
    """Files of this machine, and of a server that speaks S3."""
    with clouds.s3() as server:
        store, path = store_of("s3://ready/in/orders.csv", server)
        upload = store.create(path)
        upload.file.write(b"id,zip\n0,00\n1,01\n2,02\n")
        upload.commit()
        told = {"S3_SERVER": json.dumps(server)}
        inside(run, environment, tmp_path, [FOLDER / "check_adapters.py"], told)
