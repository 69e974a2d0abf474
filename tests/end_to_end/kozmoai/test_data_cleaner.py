"""The Data Cleaner and the Type Converter within KozmoAI."""

import pytest

from inside import FOLDER, inside


@pytest.mark.parametrize("name", ["check_data_cleaner", "check_type_converter"])
def test_the_components_clean_within_kozmoai(run, environment, tmp_path, name):
    """A pytest of that environment runs them; what it says is what this test says."""
    inside(run, environment, tmp_path, [FOLDER / f"{name}.py"])
