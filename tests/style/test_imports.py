"""Who may import whom: read from the syntax trees, so that an import inside a function counts."""

import ast

import pytest

from project import PACKAGES, ROOT, modules, pyproject

# The wire, and what says how things are called and fail; never what knows an outside system.
SEAM = (
    "kozmo_singer.__version__",
    "kozmo_singer.wire",
    "kozmo_singer.errors",
    "kozmo_singer.secrets",
    "kozmo_singer.settings",
    "kozmo_singer.scripts",
)
ALLOWED = {
    "kozmo_singer": ("kozmo_singer",),
    "kozmo_taps": ("kozmo_singer", "kozmo_taps"),
    "kozmo_targets": ("kozmo_singer", "kozmo_targets"),
    "kozmo_runner": (*SEAM, "kozmo_runner"),
    # The forms of values in a Data are written once, for target-kozmo and for the bridge.
    "kozmo_bridge": (*SEAM, "kozmo_singer.systems.kozmoai", "kozmo_runner", "kozmo_bridge"),
}
# A mapper is a plug-in, a process of its own like taps and targets.
PLUGINS = {ROOT / "kozmo_bridge/cleaner/pipe/mapper.py": ("kozmo_singer.plugin",)}
FORBIDDEN = ("singer", "taps", "targets", "runner", "meltano")
CLEANER = ROOT / "kozmo_bridge/cleaner"
HEAVY = ("pandas", "pyarrow", "polars", "kozmoai", "numpy", "singer_sdk", "sqlalchemy", "psycopg")


def _imported(nodes: list[ast.stmt] | list[ast.AST]) -> set[str]:
    """Return the dotted names that *nodes* import; `from a import b` counts as a.b."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import of {node.module}"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    """Taps and targets never meet; the runner and the bridge know plug-ins as commands."""
    broken = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(package)
        for name in sorted(_imported(list(ast.walk(ast.parse(path.read_text())))))
        if _within(name, FORBIDDEN)
        or _within(name, tuple(PACKAGES))
        and not _within(name, ALLOWED[package] + PLUGINS.get(path, ()))
    ]
    assert broken == []


@pytest.mark.parametrize("package", ["kozmo_bridge", "kozmo_runner"])
def test_importing_the_bridge_or_the_runner_loads_nothing_heavy(package: str) -> None:
    """pandas, pyarrow and kozmoai are imported where they are used, in functions.

    The cleaner's modules are imported where they are used themselves, and work on polars.
    """
    broken = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(package)
        for name in sorted(_imported(ast.parse(path.read_text()).body))
        if _within(name, HEAVY)
        and not (CLEANER in path.parents and _within(name, ("polars", "numpy")))
    ]
    assert broken == []


def test_every_package_is_walked() -> None:
    """A package that the wheel holds and this test does not know would go unchecked."""
    wheel = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(ROOT / folder for folder in wheel) == sorted(PACKAGES.values())
