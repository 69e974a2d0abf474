"""Singer Source and Singer Target within KozmoAI, with taps and targets of others."""

import json

from commands import BIN
from inside import FOLDER, inside
from project import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
PLUGINS = [
    f"{BIN / 'python'} {FIXTURES / 'sdk' / 'tap_shop.py'}",
    f"{BIN / 'python'} {FIXTURES / 'sdk' / 'target_folder.py'}",
    f"{FIXTURES / 'tap_counting.py'}",
    f"{FIXTURES / 'tap_bare.py'}",
    f"{FIXTURES / 'target_lines.py'}",
]


def test_any_tap_and_any_target_on_the_canvas(run, environment, tmp_path):
    """On Meltano's SDK, in the manner of singer-python, with nothing but messages, and our own."""
    pages = tmp_path / "tap-pages"
    folder = ROOT / "examples" / "tap_pages"
    head = f"#!{BIN / 'python'}\nimport sys\nsys.path.insert(0, {str(folder)!r})\n"
    pages.write_text(f"{head}from tap_pages import main\nmain()\n")
    pages.chmod(0o755)
    told = {"PLUGINS": json.dumps([*PLUGINS, str(pages)])}
    inside(run, environment, tmp_path, [FOLDER / "check_singer.py"], told, timeout=300)
