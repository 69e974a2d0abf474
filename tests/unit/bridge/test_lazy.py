"""Importing the bridge is quick, and every name it promises is there."""

import sys

import pytest

import kozmo_bridge

PROBE = """
import sys

before = set(sys.modules)
import kozmo_bridge
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - sys.stdlib_module_names))
import kozmo_bridge.calls, kozmo_bridge.convert, kozmo_bridge.batch, kozmo_bridge.shapes
heavy = {"kozmoai", "pandas", "pyarrow", "numpy", "polars", "sqlalchemy", "httpx", "tenacity"}
print(sorted(heavy & set(sys.modules)))
"""


def test_importing_the_bridge_imports_nothing_else(run):
    """No module beside its own; and none that is heavy before it is needed."""
    result = run([sys.executable, "-c", PROBE])
    assert result.out.decode().splitlines() == ["['kozmo_bridge']", "[]"], result.err


@pytest.mark.parametrize("name", kozmo_bridge.__all__)
def test_every_promised_name_is_there(name):
    """Each comes from where the table says, with a docstring."""
    assert getattr(kozmo_bridge, name).__doc__


def test_every_function_that_waits_has_a_twin_for_event_loops():
    """Under the same name with an a in front."""
    waiting = {"read", "discover", "check", "preview", "count", "write"}
    assert {f"a{name}" for name in waiting} | waiting <= set(kozmo_bridge.__all__)


def test_the_promised_names_are_what_dir_shows():
    """And nothing more."""
    assert dir(kozmo_bridge) == kozmo_bridge.__all__
    with pytest.raises(AttributeError, match="'raed'"):
        kozmo_bridge.raed  # noqa: B018  # the attribute is looked up for its error
