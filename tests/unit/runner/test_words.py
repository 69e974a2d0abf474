"""Numbers, spans and tables for people."""

import pytest

from kozmo_runner import words
from kozmo_singer.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("15m", 900), ("2h", 7200), ("1d", 86400)]
)
def test_spans_are_understood(text: str, seconds: float) -> None:
    """Plain seconds, or a number with its unit."""
    assert words.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5", "0", "5w", "1h30m"])
def test_other_spans_are_refused(text: str) -> None:
    """With an example of what can be written."""
    with pytest.raises(ConfigError, match="no time span"):
        words.duration(text)


def test_figures() -> None:
    """Thousands separated, bytes in decimal units, what is not known as a dash."""
    assert [words.number(None), words.number(0), words.number(1234567)] == ["-", "0", "1,234,567"]
    assert [words.size(n) for n in (None, 999, 12_345_678, 5 * 10**12)] == [
        "-", "999 B", "12.3 MB", "5.0 TB",
    ]  # fmt: skip
    assert [words.clock(n) for n in (5, 65, 3661)] == ["0:05", "1:05", "1:01:01"]
    assert [words.span(n) for n in (0.123, 12.34, 75)] == ["0.12 s", "12.3 s", "1:15"]


def test_cells_stay_on_their_line_and_command_no_terminal() -> None:
    """Newlines, escapes and marks that turn the writing round are shown, not obeyed."""
    assert words.cell("a\nb\x1b[31m\u202e") == "a\\nb\\x1b[31m\\u202e"
    assert words.cell("x" * 50, 10) == "x" * 9 + "…"
    assert [words.cell(v) for v in (None, True, {"a": "ä"}, b"\x00\xff", 1.5)] == [
        "", "true", '{"a": "ä"}', "00ff", "1.5",
    ]  # fmt: skip


def test_a_plain_table() -> None:
    """Columns aligned, numbers to the right, no spaces at the ends."""
    table = words.table(["stream", "rows"], [["a", "5"], ["orders", "1,000"]], right=[1])
    assert table.splitlines() == [
        "stream   rows",
        "------  -----",
        "a           5",
        "orders  1,000",
    ]
