"""Run in KozmoAI's environment: converters, availability and registering of the components."""

import json
import logging

import pandas as pd

from kozmo_bridge import _host
from kozmo_bridge.adapters import (
    check_mage_available,
    data_list_to_dataframe,
    dataframe_to_data_list,
    singer_record_to_data,
)
from kozmo_bridge.components import register_data_integration_components
from kozmo_bridge.components.base import KozmoComponent
from kozmo_bridge.components.stubs import stubs

DATA = _host.host().Data


def test_rows_of_a_frame_become_data():
    """What is missing is None, in every type; dates are texts; the index stays behind."""
    frame = pd.DataFrame(
        {"a": [1.5, None], "at": pd.to_datetime(["2024-01-05", None]), "o": [None, pd.NA]},
        index=pd.Index([7, 8], name="key"),
    )
    made = dataframe_to_data_list(frame)
    assert [row.data for row in made] == [
        {"a": 1.5, "at": "2024-01-05T00:00:00", "o": None},
        {"a": None, "at": None, "o": None},
    ]
    assert json.dumps([row.data for row in made], allow_nan=False)
    assert dataframe_to_data_list(None) == []
    assert dataframe_to_data_list(frame[:0]) == []
    assert data_list_to_dataframe(made)["a"].tolist()[0] == 1.5


def test_records_become_data():
    """Bare ones, those within a message of any form, and none."""
    expected = {"id": 1, "at": None}
    row = {"id": 1, "at": float("nan")}
    message = {"type": "RECORD", "stream": "orders", "record": row}
    for record in (row, message, {"record": row}):
        assert singer_record_to_data(record) == DATA(data=expected)
    assert singer_record_to_data({"record": 1, "stream": "x"}).data == {"record": 1, "stream": "x"}
    assert singer_record_to_data(None) == DATA(data={})
    assert pd.isna(row["at"])


def test_all_components_are_registered():
    """One class for each stub; its name is what flows keep."""
    assert check_mage_available()
    found = register_data_integration_components()
    assert all(issubclass(each, KozmoComponent) for each in found)
    assert len({each.name for each in found}) == len(found) == len(stubs())
    first = {"DatabaseLoader", "FileLoader", "DatabaseExporter", "DataCleaner"}
    assert first <= {each.name for each in found}


def test_a_component_that_cannot_be_loaded_is_named(tmp_path, caplog):
    """None is registered then: the warning says which one, and why."""
    (tmp_path / "no_such_component.py").write_text("")
    with caplog.at_level(logging.WARNING):
        assert register_data_integration_components(tmp_path) == []
    assert "no_such_component cannot be loaded: ModuleNotFoundError" in caplog.text
