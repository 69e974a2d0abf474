"""The Database Loader within the environment of KozmoAI, against a real PostgreSQL and SQLite."""

from inside import FOLDER, inside


def test_the_database_loader_works_within_kozmoai(run, environment, tmp_path, postgres):
    """A pytest of that environment runs its tests; what it says is what this test says."""
    files = [FOLDER / "check_database_loader.py", FOLDER / "check_sql_adapter.py"]
    inside(run, environment, tmp_path, files, {"POSTGRES_URL": postgres.url}, timeout=600)
