"""The File Loader within KozmoAI: files of this machine, of uploads and of stores."""

import json

from inside import FOLDER, inside
from kozmo_singer.systems.stores import store_of
from servers import clouds

CSV = b"id,zip\n1,01067\n2,02000\n"


def test_the_file_loader_works_within_kozmoai(run, environment, tmp_path):
    """A pytest of that environment runs them; what it says is what this test says."""
    with clouds.s3() as s3, clouds.sftp() as sftp, clouds.ftp() as ftp:
        store, path = store_of("s3://ready/in/orders.csv", s3)
        upload = store.create(path)
        upload.file.write(CSV)
        upload.commit()
        servers = {"s3": {"address": "s3://ready/in/orders.csv", "login": s3}}
        for kind, config in (("sftp", sftp), ("ftp", ftp)):
            (config.pop("folder") / "orders.csv").write_bytes(CSV)
            servers[kind] = {"address": f"{kind}:///orders.csv", "login": config}
        told = {"STORE_SERVERS": json.dumps(servers)}
        inside(run, environment, tmp_path, [FOLDER / "check_file_loader.py"], told, timeout=400)
