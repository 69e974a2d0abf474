"""The bridge within the environment of KozmoAI: the real Data, pandas 2.2.2, pydantic 2.10."""

import sys
from pathlib import Path

import pytest

from project import ROOT

UNIT = ROOT / "tests" / "unit" / "bridge"
INSIDE = ROOT / "tests" / "end_to_end" / "kozmoai" / "inside"


@pytest.mark.parametrize(
    "files",
    [
        [INSIDE / "check_data.py"],
        [UNIT / "test_values.py", UNIT / "test_frames.py", UNIT / "test_shapes.py"],
    ],
    ids=["with KozmoAI's classes", "with its pandas"],
)
def test_the_bridge_works_beside_kozmoai(run, environment, tmp_path, files):
    """A pytest of that environment runs them; what it says is what this test says."""
    python = environment("kozmoai") / "python"
    home = {
        "KOZMOAI_CONFIG_DIR": str(tmp_path),
        "DO_NOT_TRACK": "true",
        "TAP_FILES": str(Path(sys.executable).parent / "tap-files"),
    }
    options = ["-q", "--noconftest", "-p", "no:cacheprovider", "--basetemp", tmp_path / "inner"]
    done = run([python, "-m", "pytest", *options, *files], env=home, timeout=180, cwd=ROOT)
    assert done.code == 0, done.out.decode()[-6000:] + done.err[-2000:]
    assert b" passed" in done.out
    assert b"skipped" not in done.out
