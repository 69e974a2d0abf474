"""`kozmo doctor --kozmoai` finds what the host would drop without a word."""

import json

import pytest

from project import ROOT

BROKEN = {
    "syntax": "class Broken(Component:\n",
    "import": "from no_such_package import Base\n\n\nclass BrokenComponent(Base):\n    pass\n",
    "annotation": (
        "from kozmoai.custom import Component\nfrom kozmoai.io import Output\n\n\n"
        "class BrokenComponent(Component):\n"
        "    outputs = [Output(name='rows', display_name='Rows', method='rows')]\n\n"
        "    def rows(self):\n        return []\n"
    ),
}
GOOD = """
from kozmoai.custom import Component
from kozmoai.io import Output
from kozmoai.schema import Data


class GoodComponent(Component):
    display_name = "Good"
    outputs = [Output(name="rows", display_name="Rows", method="rows")]

    def rows(self) -> Data:
        return Data(data={})
"""


@pytest.fixture
def doctor(run, environment):
    """Run it in KozmoAI's environment; its code, and what it found by what it looked at."""

    def examine(env=None):
        kozmo = environment("kozmoai") / "kozmo"
        done = run([kozmo, "doctor", "--kozmoai", "--json"], env=env or {}, timeout=120)
        return done, {found["what"]: found for found in json.loads(done.out)}

    return examine


def test_all_our_components_are_loaded_by_the_host(doctor):
    """Every stub, with its name and outputs; nothing is left in the host's own folders."""
    folder = ROOT / "kozmo_bridge" / "components" / "path"
    stubs = sorted(f"{file.parent.name}/{file.name}" for file in folder.glob("*/*.py"))
    done, found = doctor({"ENABLE_MAGE_INTEGRATIONS": "1", "KOZMOAI_COMPONENTS_PATH": str(folder)})
    assert done.code == 0, done.err
    assert done.err == ""
    assert stubs
    assert [what for what in found if what.endswith(".py")] == stubs
    assert found["data/database_loader.py"]["found"].startswith("Database Loader: Data")
    assert found["data integration"]["found"] == "on"
    assert found["KOZMOAI_COMPONENTS_PATH"]["found"] == "holds our components"
    assert found["KozmoAI"]["found"].startswith("kozmoai-base 0.1.8")


def test_a_broken_file_is_named_with_the_reason(doctor, tmp_path):
    """Also of other folders that KozmoAI is told to load; the switch and the path are told."""
    data = tmp_path / "mine" / "data"
    data.mkdir(parents=True)
    for name, code in {**BROKEN, "good": GOOD}.items():
        (data / f"{name}.py").write_text(code)
    done, found = doctor({"KOZMOAI_COMPONENTS_PATH": str(data.parent)})
    assert done.code == 1
    assert {what for what in found if found[what]["fault"]} == {f"data/{n}.py" for n in BROKEN}
    assert "SyntaxError" in found["data/syntax.py"]["found"]
    assert "no_such_package" in found["data/import.py"]["found"]
    assert "KeyError: 'return'" in found["data/annotation.py"]["found"]
    assert found["data/good.py"]["found"] == "Good: Rows"
    assert "ENABLE_MAGE_INTEGRATIONS=true" in found["data integration"]["found"]
    assert "kozmo components-path" in found["KOZMOAI_COMPONENTS_PATH"]["found"]


def test_where_kozmoai_is_not_installed_that_is_said(run):
    """With what to install."""
    done = run(["kozmo", "doctor", "--kozmoai", "--json"])
    assert done.code == 1
    (host,) = (found for found in json.loads(done.out) if found["what"] == "KozmoAI")
    assert host["fault"]
    assert "pip install kozmoai-base" in host["found"]


def test_the_folder_is_printed(run):
    """One line, fit for $(kozmo components-path)."""
    done = run(["kozmo", "components-path"])
    assert (done.code, done.err) == (0, "")
    folder = ROOT / "kozmo_bridge" / "components" / "path"
    assert done.out.decode() == f"{folder}\n"
