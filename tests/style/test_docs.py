"""The generated pages say what the code says."""

from commands import BIN, Run
from project import ROOT


def test_generated_pages_are_up_to_date(run: Run) -> None:
    """Reference pages, the tables of README and index, and meltano.yml; mend it by `make docs`."""
    done = run([BIN / "python", ROOT / "docs" / "generate.py", "--check"])
    assert (done.code, done.out.decode(), done.err) == (0, "", "")


def test_the_readme_is_short() -> None:
    """Under 150 lines."""
    assert (ROOT / "README.md").read_text().count("\n") < 150
