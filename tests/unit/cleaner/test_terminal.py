"""A profile in a terminal: a line to a column, in what width and characters there are."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

import profiles
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess, Insight, Profile, Statistics, Suggestion
from kozmo_bridge.cleaner.report import charts, terminal
from kozmo_bridge.cleaner.rules import Rule

CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printed(profile: Profile, width: int = 140, **console: object) -> str:
    """Return what is printed."""
    out = io.StringIO()
    terminal(profile, Console(file=out, width=width, **console))  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_each_column_has_one_line_that_fits(width: int) -> None:
    """Nothing is wider than the terminal, wide characters counted as two."""
    profile = profiles.people()
    lines = printed(profile, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    for column in profile.columns:
        assert sum(line.startswith(column.label[:8]) for line in lines) >= 1


def test_what_is_wrong_is_said_in_few_words() -> None:
    """Kinds, gaps, a sparkline, the range, notes, insights, suggestions with their risk."""
    text = printed(profiles.people(), 180)
    for said in (
        "people.csv: 2,000 rows, 13 columns", "currency EUR decimal comma", "84\u00a0%",
        "50 invalid", "98\u00a0%", "yes 66\u00a0%, no 34\u00a0%", "2023-01-01 … 2023-12-29",
        "6 outliers", "seen in part", "destructive  drop columns (fax), 2,000 cells", "█",
        "lossy        unify spellings (country), about", "high    fax lacks a value",
    ):  # fmt: skip
        assert said in text


def test_cells_never_reach_the_terminal_as_commands() -> None:
    """Escape sequences, bells, marks of direction, line breaks and rich's own markup are text."""
    attack = "\x1b]0;owned\x07\x1b[2J\u202e\n[bold red]x[/] :smile: \ud800"
    statistics = Statistics(count=3, distinct=1, mode=attack, mode_cells=3, top=((attack, 3),))
    column = profiles.column(
        attack, guess=Guess(Kind.TEXT, 0.5, 1, attack, (), attack, attack), statistics=statistics
    )
    profile = profiles.HandMade(
        3, (column,), insights=(Insight(attack, 1.0, (attack,)),), source=attack,
        made=(Suggestion(Rule(attack, (attack,)), "safe", 1, 1, attack, 1.0),),
    )  # fmt: skip
    for width in (80, 200):
        text = printed(profile, width)
        assert CONTROL.findall(text) == []
        assert text.encode("utf-8")
    assert "[bold red]x[/] :smile:" in text


def test_without_colours_there_are_none() -> None:
    """With colours there are escape sequences of ours; without, not one."""
    profile = profiles.people()
    assert "\x1b[" in printed(profile, force_terminal=True, color_system="standard")
    plain = printed(profile, force_terminal=True, color_system=None, no_color=True)
    assert "\x1b" not in plain


def test_a_console_of_ascii_gets_ascii() -> None:
    """Where the encoding has no blocks, other characters stand for them."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    terminal(profiles.people(), Console(file=out, width=80))
    text = out.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert "#" in text
    assert "amount" in text


def test_wide_characters_keep_the_table_straight() -> None:
    """A label of Chinese characters takes two places for each."""
    long = profiles.column("列" * 60, statistics=profiles.of_words(["東京"] * 3 + ["大阪"]))
    lines = printed(profiles.HandMade(4, (long,)), 80).splitlines()
    assert max(map(cell_len, lines)) <= 80


def test_nothing_to_show_is_shown() -> None:
    """No columns, and columns without rows."""
    assert printed(profiles.HandMade(0, ())).startswith(
        "table: 0 rows, 0 columns, 0\u00a0% missing"
    )
    assert "empty" in printed(profiles.HandMade(0, (profiles.column("a", kind=Kind.EMPTY),)))


def test_many_insights_are_cut_and_counted() -> None:
    """The ten that weigh most are told; the heading says of how many."""
    many = tuple(Insight(f"insight {i}", i / 100) for i in range(50))
    text = printed(profiles.HandMade(0, (), insights=many))
    assert "the first 10 of 50" in text
    assert "insight 49" in text
    assert "insight 39" not in text


def test_sparklines_say_nothing_of_nothing() -> None:
    """Blocks grow with the counts; an empty range is left blank; the fullest has the full block."""
    assert charts.spark(()) == ""
    assert charts.spark((0, 0)) == ""
    assert charts.spark((0, 1, 100)) == " ▂█"
    assert len(charts.spark(tuple(range(50)), 10)) == 10
