"""A profile in a terminal: a line to a column, then what is remarkable and what could be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Profile, Suggestion
from kozmo_bridge.cleaner.report import charts, visible
from kozmo_bridge.cleaner.report.columns import SURE
from kozmo_bridge.cleaner.report.notes import notes, severity
from kozmo_runner import words

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, OverflowMethod
    from rich.table import Table
    from rich.text import Text

WIDE, WIDEST = 120, 150
"""Characters from which on there is room for everything."""
INSIGHTS, SUGGESTIONS = 10, 15
SHORT = {
    Kind.CATEGORY_HIGH_CARDINALITY: "categories",
    Kind.NUMBER_WITH_DECIMALS: "decimals",
    Kind.TRUE_OR_FALSE: "true/false",
}
"""Kinds whose names are long, for narrow terminals."""
STYLES = {
    "high": "red",
    "medium": "yellow",
    "low": "dim",
    "safe": "green",
    "lossy": "yellow",
    "destructive": "red",
}
_ASCII = str.maketrans("▁▂▃▄▅▆▇█…−≈×–", "_.,:-=+#.-~x-")


def show(profile: Profile, console: Console) -> None:
    """Print *profile*; never a character that the terminal would obey or could not show."""
    drawing = _Drawing(console)
    console.print(drawing.text(_head(profile), "bold"))
    if profile.columns:
        console.print()
        console.print(drawing.columns(profile))
    ordered = sorted(profile.insights, key=lambda insight: -insight.weight)
    if ordered:
        drawing.heading("Insights", len(ordered), INSIGHTS)
        shown = [(severity(i.weight), visible.sentence(i.text)) for i in ordered[:INSIGHTS]]
        console.print(drawing.list_of(shown))
    suggestions = profile.suggestions()
    if suggestions:
        drawing.heading("Suggestions", len(suggestions), SUGGESTIONS)
        console.print(drawing.list_of([_suggestion(s) for s in suggestions[:SUGGESTIONS]]))


def _head(profile: Profile) -> str:
    cells = sum(column.statistics.cells for column in profile.columns)
    missing = sum(column.statistics.missing for column in profile.columns)
    parts = [
        visible.counted(profile.rows, "row"),
        visible.counted(len(profile.columns), "column"),
        f"{visible.share(missing, cells)} missing",
    ]
    if profile.relations.duplicate_rows:
        parts.append(visible.counted(profile.relations.duplicate_rows, "duplicate row"))
    if profile.memory:
        parts.append(words.size(profile.memory))
    return f"{visible.line(profile.source, 60)}: {', '.join(parts)}"


def _suggestion(each: Suggestion) -> tuple[str, str]:
    """Return its risk, and in one line what it does, to how much, and why."""
    title = visible.action(each.rule.action)
    of = f" ({visible.joined(each.rule.columns)})" if each.rule.columns else ""
    amount = (
        visible.counted(each.cells, "cell") if each.cells else visible.counted(each.rows, "row")
    )
    about = "" if each.exact else "about "
    return each.risk, f"{title}{of}, {about}{amount}: {visible.sentence(each.why)}"


class _Drawing:
    """What is printed, for the width, the colours and the characters of one console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ascii = console.options.ascii_only
        self.wide = console.width >= WIDE

    def text(self, value: str, style: str = "") -> Text:
        """Return *value*, in the characters that the console has."""
        from rich.text import Text

        if self.ascii:
            value = value.replace("\u00a0", " ").translate(_ASCII)
            value = value.encode("ascii", "backslashreplace").decode()
        return Text(value, style=style, overflow="crop" if self.ascii else "ellipsis")

    def heading(self, name: str, amount: int, limit: int) -> None:
        """Print a heading, with how much is left out below it."""
        line = self.text(name, "bold")
        if amount > limit:
            line.append(f"  the first {limit} of {amount:,}", style="dim")
        self.console.print()
        self.console.print(line)

    def list_of(self, lines: Sequence[tuple[str, str]]) -> Table:
        """Return lines with their severity or risk before them, wrapped beside it."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for level, sentence in lines:
            grid.add_row(self.text(level, STYLES[level]), self.text(sentence))
        return grid

    def columns(self, profile: Profile) -> Table:
        """Return the table of columns; the notes have the room that the others leave."""
        from rich import box
        from rich.table import Table

        rows = [self._cells(column) for column in profile.columns]
        heads = ["column", "kind", "missing", "distinct", "values", *([""] if self.wide else [])]
        limits = self._limits()
        widths = [
            min(limit, max(len(head), *(row[i].cell_len for row in rows)))
            for i, (head, limit) in enumerate(zip(heads, limits, strict=True))
        ]
        drawn = Table(
            box=None if self.ascii else box.SIMPLE_HEAD, show_edge=False, pad_edge=False,
            header_style="dim", padding=(0, 2 if self.ascii else 1, 0, 0),
        )  # fmt: skip
        overflow: OverflowMethod = "crop" if self.ascii else "ellipsis"
        for head, width in zip(heads, widths, strict=True):
            side: JustifyMethod = "right" if head in ("missing", "distinct") else "left"
            drawn.add_column(head, no_wrap=True, width=width, justify=side, overflow=overflow)
        rest = max(8, self.console.width - sum(widths) - 2 * len(widths) - 1)
        drawn.add_column("notes", no_wrap=True, max_width=rest, overflow=overflow)
        for row in rows:
            drawn.add_row(*row)
        return drawn

    def _limits(self) -> tuple[int, ...]:
        """Return how wide each column but the notes may be."""
        if self.console.width >= WIDEST:
            return 28, 32, 7, 12, 14, 30
        return (20, 24, 7, 9, 12, 20) if self.wide else (14, 12, 7, 9, 10)

    def _cells(self, column: ColumnProfile) -> list[Text]:
        statistics = column.statistics
        missing = statistics.missing / statistics.cells if statistics.cells else 0.0
        about = "" if statistics.exact else "≈"
        cells = [
            self.text(visible.line(column.label, 60), "bold"),
            self._kind(column),
            self.text(visible.share(missing) if missing else "-", "" if missing else "dim"),
            self.text(f"{about}{statistics.distinct:,}"),
        ]
        counts = statistics.histogram.counts if statistics.histogram else ()
        drawn = self.text(charts.spark(counts, 14 if self.wide else 10), "cyan")
        if self.wide:
            cells += [drawn, self.text(_range(column))]
        else:
            cells.append(drawn or self.text(_range(column)))
        return [*cells, self._notes(column)]

    def _kind(self, column: ColumnProfile) -> Text:
        guess = column.guess
        name = visible.kind(guess.kind)
        text = self.text(name if self.wide else SHORT.get(guess.kind, name))
        detail = " ".join(visible.line(part, 20) for part in (guess.unit, guess.format) if part)
        if detail and self.wide:
            text.append_text(self.text(f" {detail}", "dim"))
        if guess.confidence < SURE:
            text.append_text(self.text(f" {visible.share(round(guess.confidence, 2))}", "yellow"))
        return text

    def _notes(self, column: ColumnProfile) -> Text:
        line = self.text("")
        for note in notes(column):
            if line:
                line.append(", ", style="dim")
            line.append_text(self.text(note.text, STYLES[note.level]))
        return line


def _range(column: ColumnProfile) -> str:
    """Return from where to where the values go, or which ones are most frequent."""
    statistics = column.statistics
    drawn = statistics.histogram
    if drawn and any(drawn.counts):
        return f"{charts.edge(drawn.edges[0])} … {charts.edge(drawn.edges[-1])}"
    if not statistics.top:
        return ""
    if statistics.mode_cells < 2:
        return visible.line(statistics.top[0][0], 30)
    return ", ".join(_top(value, cells, statistics.count) for value, cells in statistics.top[:3])


def _top(value: Any, cells: int, count: int) -> str:
    part = visible.share(round(cells / count, 2) if cells * 100 > count else cells / count)
    return f"{visible.line(value, 20) or 'blank'} {part}"
