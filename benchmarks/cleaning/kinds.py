"""Whether the kinds of columns are found, ours beside Mage AI's."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable

from labels.judging import Found, kinds_found
from labels.tables import Label, labels
from places import PROGRAMS, ROOT, absent, packages, program

MAGE = "mage-cleaner"
OWN = frozenset(
    [
        "category",
        "category_high_cardinality",
        "datetime",
        "email",
        "list",
        "number",
        "number_with_decimals",
        "phone_number",
        "text",
        "true_or_false",
        "zip_code",
    ]
)
"""The kinds that Mage AI knows."""
_WORDS = "category category_high_cardinality text"
NEAREST = {
    kind: frozenset(near.split())
    for kind, near in {
        "identifier": f"{_WORDS} number",
        "category_high_cardinality": "category text",
        "category": "category_high_cardinality true_or_false",
        "url": _WORDS,
        "ip": _WORDS,
        "uuid": _WORDS,
        "country_code": _WORDS,
        "language_code": _WORDS,
        "duration": _WORDS,
        "currency": "number number_with_decimals",
        "percentage": "number number_with_decimals",
        "geo": f"number number_with_decimals list {_WORDS}",
        "json": f"list {_WORDS}",
        "empty": " ".join(OWN),
    }.items()
}
"""What is right for Mage AI besides: where it has no such kind, or draws the line elsewhere."""


PARTS = ("tuned", "held back", "fresh")


def near(label: Label, kind: str) -> bool:
    """Return whether *kind* is right for Mage AI in the wider sense."""
    kinds = {label.kind, label.also} - {""}
    return label.fits(kind) or any(kind in NEAREST.get(each, ()) for each in kinds)


def mage_found() -> list[Found]:
    """Return what Mage AI holds every labelled column to be; `nothing` where it fails."""
    command = [program(MAGE, "python"), str(PROGRAMS / "mage_kinds.py")]
    command += [str(ROOT / "tests"), str(packages("datasets"))]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home}
        said = subprocess.run(
            command, stdout=subprocess.PIPE, check=True, cwd=home, env=environment
        ).stdout
    kinds = [kind for table in json.loads(said.splitlines()[-1]).values() for kind in table]
    return [Found(label, kind or "nothing") for label, kind in zip(labels(), kinds, strict=True)]


def measured(everything: bool) -> tuple[str, dict[str, object]]:
    """Return the tables in Markdown, and the figures.

    everything: whether what is wrong outside of the tuned tables is named too.
    """
    ours = list(kinds_found(packages("datasets")))
    why = absent(MAGE)
    mage = None if why else mage_found()
    parts = [_summary(ours, mage), _by_kind(ours, mage), _confusion(ours), _wrong(ours, everything)]
    if why:
        parts.append(f"not there: {MAGE}: {why}")
    figures = {"ours": _counts(ours), "mage": mage and _counts(mage)}
    return "\n\n".join(parts), figures


def _counts(found: Iterable[Found]) -> list[tuple[str, str, str, str]]:
    return [(each.label.table, each.label.column, each.label.kind, each.kind) for each in found]


def _share(answers: list[bool]) -> str:
    return f"{sum(answers)} / {len(answers)} = {sum(answers) / len(answers):.1%}"


def _summary(ours: list[Found], mage: list[Found] | None) -> str:
    lines = [
        "| columns | ours | Mage AI: kinds of its own | Mage AI: nearest |",
        "|---|---|---|---|",
    ]
    for parts in (*((part,) for part in PARTS), PARTS):
        cells = [_share([each.right for each in ours if each.part in parts])]
        theirs = [each for each in mage or () if each.part in parts]
        own = [each.right for each in theirs if each.label.kind in OWN]
        wider = [near(each.label, each.kind) for each in theirs]
        cells += [_share(own), _share(wider)] if theirs else ["-", "-"]
        name = parts[0] if len(parts) == 1 else "all"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    own_ours = [each.right for each in ours if each.label.kind in OWN]
    lines.append(f"| all whose kind Mage AI knows | {_share(own_ours)} | | |")
    return "\n".join(lines)


def _by_kind(ours: list[Found], mage: list[Found] | None) -> str:
    lines = ["| kind | columns | ours | Mage AI | Mage AI: nearest |", "|---|---|---|---|---|"]
    for kind, number in Counter(each.label.kind for each in ours).most_common():
        mine = [each.right for each in ours if each.label.kind == kind]
        theirs = [each for each in mage or () if each.label.kind == kind]
        own = f"{sum(each.right for each in theirs)}" if kind in OWN and theirs else "-"
        wider = f"{sum(near(each.label, each.kind) for each in theirs)}" if theirs else "-"
        lines.append(f"| {kind} | {number} | {sum(mine)} | {own} | {wider} |")
    return "\n".join(lines)


def _confusion(found: list[Found]) -> str:
    wrong = Counter((each.label.kind, each.kind) for each in found if not each.right)
    lines = ["| is | ours found | columns |", "|---|---|---|"]
    lines += [f"| {kind} | {other} | {number} |" for (kind, other), number in wrong.most_common()]
    return "\n".join(lines)


def _wrong(found: list[Found], everything: bool) -> str:
    """Name what is wrong; of other tables only on request, as nobody is to tune on them."""
    wrong = [each for each in found if not each.right and (each.part == "tuned" or everything)]
    return "\n".join(
        f"{each.label.table}.{each.label.column}: {each.label.kind}, found {each.kind}"
        for each in wrong
    )
