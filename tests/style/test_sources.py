"""What the sources must not hold, and what each public name must say about itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest

from project import PACKAGES, ROOT, modules, tracked

# A clone may lie in the folder for temporary files, which examples may name.
HERE = re.escape(str(ROOT if ROOT.parent == Path(gettempdir()) else ROOT.parent))
MACHINE = re.compile(
    rf"{HERE}/|/root/|/home/\w+/|/Users/\w+/"
    r"|https?://[^\s\"']*/simple\b|--(extra-)?index-url|--find-links"
)
PLACES_THAT_NAME_THEM = {"tests/style/test_sources.py", "Makefile"}
MAX_FUNCTION, MAX_MODULE = 60, 600
PYTHON = [path for package in PACKAGES for path in modules(package)]
HOUSE = [*PYTHON, *sorted((ROOT / "tests").rglob("*.py"))]


def test_no_file_names_a_machine_or_a_registry() -> None:
    """A clone works anywhere: no path of a home folder, no index, no local wheel."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if str(path.relative_to(ROOT)) not in PLACES_THAT_NAME_THEM
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(path: Path) -> None:
    """Modules, classes, functions, methods; what a base or protocol declares is explained there."""
    tree = ast.parse(path.read_text())
    missing = [name for name, node in _public(tree) if not ast.get_docstring(node)]
    if not ast.get_docstring(tree):
        missing.append("the module")
    assert missing == []


@pytest.mark.parametrize("path", HOUSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_readable(path: Path) -> None:
    """No function over 60 lines, no module over 600."""
    source = path.read_text()
    long = [
        f"{node.name}: {node.end_lineno - node.lineno} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > MAX_FUNCTION
    ]
    assert long == []
    assert source.count("\n") <= MAX_MODULE


def test_function_bodies_are_short_as_a_rule() -> None:
    """Nine of ten functions of the packages have at most 30 lines."""
    lengths = sorted(
        (node.end_lineno or 0) - node.body[0].lineno + 1
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[int(len(lengths) * 0.9)] <= 30


def _public(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    for node in tree.body:
        if _is_public(node):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and _is_public(node) and not node.bases:
            own = [each for each in node.body if _is_public(each)]
            yield from ((f"{node.name}.{m.name}", m) for m in own if m.name not in SEAMS)


def _is_public(node: ast.stmt) -> bool:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, kinds) and not node.name.startswith("_")


def _protocol_methods() -> set[str]:
    """Return the methods that some protocol of ours declares and explains."""
    return {
        method.name
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
    }


SEAMS = _protocol_methods()
