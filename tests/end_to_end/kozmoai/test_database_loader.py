"""The Database Loader within the environment of KozmoAI, against a real PostgreSQL and SQLite."""

from inside import FOLDER, inside


def test_the_database_loader_works_within_kozmoai(run, environment, tmp_path, postgres):
    """A pytest of that environment runs its tests; what it says is what this test says."""
    names = ("check_database_loader.py", "check_database_form.py", "check_sql_adapter.py")
    told = {
        "POSTGRES_URL": postgres.url,
        # Whose fixtures those tests share.
        "PYTEST_PLUGINS": "loader_node",
    }
    inside(run, environment, tmp_path, [FOLDER / name for name in names], told, timeout=600)
