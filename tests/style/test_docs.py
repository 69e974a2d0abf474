"""The generated pages say what the code says."""

import re
from pathlib import Path

import pytest

from commands import BIN, Run
from project import ROOT, tracked


def test_generated_pages_are_up_to_date(run: Run) -> None:
    """Reference pages, the tables of README and index, and meltano.yml; mend it by `make docs`."""
    done = run([BIN / "python", ROOT / "docs" / "generate.py", "--check"])
    assert (done.code, done.out.decode(), done.err) == (0, "", "")


def test_the_readme_is_short() -> None:
    """Under 150 lines."""
    assert (ROOT / "README.md").read_text().count("\n") < 150


PAGES = [path for path in tracked() if path.suffix == ".md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Files that pages link to are there, and so are the headings."""
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        target, _, heading = link.partition("#")
        if "://" in link:
            continue
        path = (page.parent / target) if target else page
        if not path.exists() or (heading and heading not in _headings(path)):
            lost.append(link)
    assert lost == []


def test_every_picture_is_shown() -> None:
    """And every picture of a node that a test takes for the docs is there."""
    there = {path.name for path in (ROOT / "docs" / "images").iterdir()}
    pages = "".join(path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
    taken = {
        name
        for path in (ROOT / "tests" / "end_to_end").glob("*/test_*.py")
        for name in re.findall(r'pictures / "([^"]+)"', path.read_text())
    }
    assert there == taken == set(re.findall(r"images/([\w-]+\.png)", pages))


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}
