"""Flows that were saved with KozmoAI's first data integration run with ours."""

from inside import FOLDER, inside


def test_old_flows_run(run, environment, tmp_path, postgres):
    """As they were saved, and after Update; files and a real PostgreSQL."""
    postgres.execute("create table orders (id int primary key, name text, amount numeric)")
    postgres.execute("insert into orders values (1, 'Ann', 1.5), (2, 'Bob', null), (3, 'Cid', 2)")
    inside(run, environment, tmp_path, [FOLDER / "check_old_flows.py"], {"POSTGRES": postgres.url})


def test_what_the_first_integration_had_as_functions(run, environment, tmp_path):
    """Its converters, its check of what is installed, and how components are registered."""
    inside(run, environment, tmp_path, [FOLDER / "check_converters.py"])
