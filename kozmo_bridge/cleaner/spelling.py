"""Values of a column that seem to mean the same: N.Y., NY, New York; Berlin, berlin, Berln."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

import polars as pl

_MOST = 5_000
"""Distinct values up to which a column is searched."""
_TYPO_LENGTH = 5
_TYPO_RATIO = 3
_CHANGED_RATIO = 10
"""How many times more frequent the right word is than one that lacks a letter, has one too many or
two turned round; and than one in which a letter is another: that may be another word."""


def folded(text: str) -> str:
    """Return *text* without case, accents, white space and signs."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


def spellings(values: pl.Series, cells: pl.Series) -> tuple[tuple[str, ...], ...]:
    """Return groups of *values* that seem to mean the same, the most frequent of each first."""
    if not 2 <= len(values) <= _MOST:
        return ()
    counts = dict(zip(values.to_list(), cells.to_list(), strict=True))
    groups: dict[str, list[str]] = defaultdict(list)
    for value in counts:
        groups[folded(value) or value].append(value)
    weights = {key: sum(counts[value] for value in group) for key, group in groups.items()}
    for wrong, right in [*_initials(groups, weights), *_typos(weights)]:
        if wrong in groups and right in groups and wrong != right:
            groups[right] += groups.pop(wrong)
    found = [
        tuple(sorted(group, key=lambda value: (-counts[value], value)))
        for group in groups.values()
        if len(group) > 1
    ]
    return tuple(sorted(found, key=lambda group: (-sum(counts[v] for v in group), group)))


def _initials(groups: dict[str, list[str]], weights: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield (ny, newyork) where capitals stand for one group of several words alone."""
    long: dict[str, set[str]] = defaultdict(set)
    for key, group in groups.items():
        words = re.findall(r"\w+", group[0])
        if 2 <= len(words) <= 5 and not any(word.isdigit() for word in words):
            long["".join(word[0] for word in words).casefold()].add(key)
    for key, group in groups.items():
        if 2 <= len(key) <= 5 and key in long and any(v.upper() == v for v in group):
            candidates = long[key] - {key}
            if len(candidates) == 1:
                yield key, candidates.pop()


def _typos(weights: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield (wrong, right) that differ by one letter left out, put in, changed or turned round."""
    without: dict[str, set[str]] = defaultdict(set)
    for key in weights:
        if len(key) >= _TYPO_LENGTH:
            for cut in {key, *(key[:i] + key[i + 1 :] for i in range(len(key)))}:
                without[cut].add(key)
    seen = set()
    for near in without.values():
        if len(near) < 2:
            continue
        right = max(sorted(near), key=lambda key: weights[key])
        for wrong in sorted(near - {right}):
            if wrong in seen or weights[wrong] * _TYPO_RATIO > weights[right]:
                continue
            turned = len(wrong) != len(right) or sorted(wrong) == sorted(right)
            if not turned and weights[wrong] * _CHANGED_RATIO > weights[right]:
                continue
            if _digits(wrong) == _digits(right) and _near(wrong, right):
                seen.add(wrong)
                yield wrong, right


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _near(left: str, right: str) -> bool:
    """Whether one edit makes *left* of *right*; the first letters must agree or be turned."""
    if abs(len(left) - len(right)) > 1:
        return False
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    a, b = left[start:], right[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
