"""What is installed, by what is asked for; and the components where something is not."""

import logging
from importlib.metadata import metadata

import pytest

from kozmo_bridge.adapters import check_mage_available, require_mage
from kozmo_bridge.availability import SWITCH, lacking, require_extra
from kozmo_bridge.components import register_data_integration_components
from kozmo_singer.errors import ConfigError, MissingDriver


@pytest.mark.parametrize("extra", ["clean", "postgres", "data-integration"])
def test_an_extra_that_is_installed_is_available(extra):
    """Extras within an extra count as well; the host is none of them."""
    assert check_mage_available(extra)
    require_extra(extra, "the test")


def test_an_extra_that_is_not_installed_is_named_with_what_it_lacks():
    """In what is raised by functions that need it, too."""
    assert not check_mage_available("bigquery")
    assert "google-cloud-bigquery" in lacking("bigquery")

    @require_mage("bigquery")
    def function():
        return 1

    told = r"google-cloud-bigquery.*run: pip install 'kozmo-singer\[bigquery\]'"
    with pytest.raises(ImportError, match=told):
        function()
    with pytest.raises(MissingDriver, match=r"the loader needs .*kozmo-singer\[bigquery\]"):
        require_extra("bigquery", "the loader")


def test_a_function_that_lacks_nothing_is_called():
    """With its arguments, under its own name."""

    @require_mage("clean")
    def added(left, right=1):
        return left + right

    assert added(1, right=2) == 3
    assert added.__name__ == "added"


def test_there_is_no_answer_for_an_extra_that_does_not_exist():
    """It would be a wrong one: the name is misspelled."""
    with pytest.raises(ConfigError, match="did you mean 'postgres'"):
        check_mage_available("postgre")


def test_no_extra_lacks_what_the_others_ask_for():
    """Every extra of the package is understood."""
    for extra in metadata("kozmo-singer").get_all("Provides-Extra"):
        assert isinstance(lacking(extra), list)


def test_without_the_host_the_integration_is_not_available():
    """The environment of these tests has none."""
    assert lacking() == ["kozmoai-base"]
    assert not check_mage_available()

    @require_mage()
    def function():
        return 1

    with pytest.raises(ImportError, match="pip install kozmoai-base 'kozmo-singer"):
        function()


@pytest.mark.parametrize(
    ("switch", "told"),
    [("", f"set {SWITCH}=true"), ("true", "run: pip install kozmoai-base")],
    ids=["switched off", "no host"],
)
def test_nothing_is_registered_where_it_cannot_work(monkeypatch, caplog, switch, told):
    """One warning in the log says what to do."""
    monkeypatch.setenv(SWITCH, switch)
    with caplog.at_level(logging.WARNING):
        assert register_data_integration_components() == []
    (record,) = caplog.records
    assert told in record.message
    assert record.name == "kozmo_bridge"
