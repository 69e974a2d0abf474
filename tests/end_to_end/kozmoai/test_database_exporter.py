"""The Database Exporter within KozmoAI, against a real PostgreSQL and SQLite."""

import json

from inside import FOLDER, inside


def test_rows_are_exported(run, environment, tmp_path, postgres):
    """Each write mode, names, types, rejected rows, Stop, and bookmarks of what came before."""
    told = {"POSTGRES": json.dumps(postgres.config)}
    inside(run, environment, tmp_path, [FOLDER / "check_database_exporter.py"], told, timeout=400)
