"""Our components within Langflow, from which KozmoAI was forked, without its server."""

import json
from pathlib import Path

from commands import BIN
from inside import FOLDER, inside
from project import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
CHECKS = [
    Path(__file__).parent / "inside" / "check_langflow.py",
    *(
        FOLDER / f"check_singer.py::{name}"
        for name in (
            "test_a_form_is_made_of_what_the_tap_tells",
            "test_sync_modes",
            "test_rows_of_several_streams_go_to_their_own_tables",
            "test_stop_ends_the_plugin_at_once",
        )
    ),
]


def test_the_components_work_within_langflow(run, environment, tmp_path, postgres):
    """Types, whole flows, bookmarks, errors, Stop; some of the tests are those of KozmoAI."""
    plugins = [
        f"{BIN / 'python'} {FIXTURES / 'sdk' / 'tap_shop.py'}",
        f"{BIN / 'python'} {FIXTURES / 'sdk' / 'target_folder.py'}",
        *(f"{FIXTURES / name}" for name in ("tap_counting.py", "tap_bare.py", "target_lines.py")),
        "tap-pages",
    ]
    told = {
        "PLUGINS": json.dumps(plugins),
        "POSTGRES": json.dumps(postgres.config),
        "POSTGRES_URL": postgres.url,
        "PYTEST_PLUGINS": "langflow_services",
    }
    inside(run, environment, tmp_path, CHECKS, told, host="langflow")


def test_the_doctor_tells_of_langflow(run, environment):
    """With the variable to set, and every component loaded by Langflow's own builder."""
    kozmo = environment("langflow") / "kozmo"
    done = run([kozmo, "doctor", "--kozmoai", "--json"], timeout=120)
    found = {each["what"]: each["found"] for each in json.loads(done.out)}
    assert done.code == 0, done.err
    assert found["Langflow"].startswith("langflow-base 1.13")
    assert "set LANGFLOW_COMPONENTS_PATH=$(kozmo" in found["LANGFLOW_COMPONENTS_PATH"]
    assert found["data/database_loader.py"].startswith("Database Loader: Data")
