"""The Database Exporter within KozmoAI, against a real PostgreSQL and SQLite."""

import json

import pytest

from inside import FOLDER, inside


@pytest.mark.parametrize("name", ["check_database_exporter.py", "check_exporter_form.py"])
def test_rows_are_exported(run, environment, tmp_path, postgres, name):
    """Write modes, names, types, rejected rows, Stop, bookmarks; form, adapter, old flows."""
    told = {"POSTGRES": json.dumps(postgres.config)}
    inside(run, environment, tmp_path, [FOLDER / name], told, timeout=400)
