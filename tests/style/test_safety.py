"""What the sources must never call: each of these has run somebody else's code somewhere."""

import ast

import pytest

from project import PACKAGES, ROOT, modules

PYTHON = [path for package in PACKAGES for path in modules(package)]
PYTHON += sorted((ROOT / "examples").rglob("*.py")) + sorted((ROOT / "docs").rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "xml", "lxml"}
HARDENED = {("xml.parsers", "kozmo_singer/systems/formats/xml.py")}
"""What refuses entities by itself, which tests/unit/formats/test_xml.py attacks."""
CALLS = {
    "eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "os.system", "os.popen", "subprocess.getoutput", "tempfile.mktemp", "pandas.read_pickle",
    "np.load", "numpy.load", "ssl._create_unverified_context",
}  # fmt: skip
KEYWORDS = {("shell", True), ("verify", False), ("check_hostname", False), ("allow_pickle", True)}


def _faults(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [n.name for n in node.names if n.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""] if (node.module or "").partition(".")[0] in MODULES else []
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found += [name] if name in CALLS else []
            found += [
                f"{name}({word.arg}=...)"
                for word in node.keywords
                if name != "replace"
                and isinstance(word.value, ast.Constant)
                and (word.arg, word.value.value) in KEYWORDS
            ]
    return found


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_runs_what_it_reads(path) -> None:
    """No pickle, no eval, no yaml.load, no shell, no XML; and TLS is not switched off in code."""
    place = str(path.relative_to(ROOT))
    found = _faults(ast.parse(path.read_text()))
    assert [fault for fault in found if (fault, place) not in HARDENED] == []


def test_the_search_finds_what_it_looks_for() -> None:
    """Else it would be worth nothing."""
    code = "import pickle\nfrom xml.etree import x\neval(a)\nyaml.load(f)\nrun(a, shell=True)"
    assert _faults(ast.parse(code)) == [
        "pickle", "xml.etree", "eval", "yaml.load", "run(shell=...)",
    ]  # fmt: skip
