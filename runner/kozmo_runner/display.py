"""What a run shows: a live table on a terminal, now and then a line elsewhere, a summary."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from kozmo_runner import words
from kozmo_runner.progress import Progress, StreamProgress
from kozmo_runner.report import Report
from kozmo_runner.speech import level
from kozmo_singer.errors import show

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_PLAIN_SECONDS = 10.0
_RATE_SECONDS = 5.0
_SHOWN_STREAMS = 15


class Display(Protocol):
    """A watcher that is told of beginning and end as well."""

    def begin(self, title: str) -> None:
        """Show that the run begins."""

    def tick(self, progress: Progress) -> None:
        """Show how far it is."""

    def line(self, name: str, text: str) -> None:
        """Show a line that a plug-in wrote on stderr."""

    def end(self, report: Report) -> None:
        """Show how it went."""

    def close(self) -> None:
        """Leave the terminal as it was, where a run could not even begin."""


class Rate:
    """Rows a second over the last few seconds."""

    def __init__(self, began: float) -> None:
        self._points: deque[tuple[float, int]] = deque([(began, 0)])

    def at(self, now: float, rows: int) -> float:
        """Take a point and return the rate that it and its forerunners give."""
        self._points.append((now, rows))
        while len(self._points) > 2 and now - self._points[0][0] > _RATE_SECONDS:
            self._points.popleft()
        first, before = self._points[0]
        return (rows - before) / (now - first) if now > first else 0.0


class Lines:
    """Which lines of plug-ins are shown: all with *verbose*, else warnings and errors.

    All of them go to *log* if there is one.
    """

    def __init__(self, verbose: bool = False, log: TextIO | None = None) -> None:
        self._verbose, self._log = verbose, log

    def take(self, name: str, text: str) -> bool:
        """Log a line and tell whether it is to be shown."""
        if self._log is not None:
            self._log.write(f"{time.strftime('%H:%M:%S')} {name} | {text}\n")
            self._log.flush()
        return self._verbose or level(text) == "warning"


class Plain:
    """For logs and pipes: a line every ten seconds on stderr, a summary on stdout."""

    def __init__(self, lines: Lines, quiet: bool = False) -> None:
        self._lines, self._quiet = lines, quiet
        self._next = time.monotonic() + _PLAIN_SECONDS

    def begin(self, title: str) -> None:
        self._say(title)

    def tick(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _PLAIN_SECONDS
        rows = progress.rows
        if rows is None:
            self._say(f"{words.clock(progress.seconds)}  running")
            return
        rate = words.number(rows / max(progress.seconds, 0.001))
        named = f", now {progress.recent}" if progress.recent else ""
        self._say(f"{words.clock(progress.seconds)}  {words.number(rows)} rows ({rate}/s){named}")

    def line(self, name: str, text: str) -> None:
        if self._lines.take(name, text):
            self._say(f"{name} | {words.cell(text, 500)}")

    def end(self, report: Report) -> None:
        if not self._quiet:
            sys.stdout.write(summary(report) + "\n")
            sys.stdout.flush()
        _tell(report, sys.stderr)

    def close(self) -> None:
        return

    def _say(self, text: str) -> None:
        if not self._quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


class Terminal:
    """For people: a table that moves while the run does, and stands still at its end."""

    def __init__(self, lines: Lines) -> None:
        from rich.console import Console

        self._lines = lines
        self._console = Console(stderr=True, highlight=False)
        self._title = ""
        self._rate = Rate(time.monotonic())
        self._live: Live | None = None
        self._drawn = 0.0

    def begin(self, title: str) -> None:
        from rich.live import Live

        self._title = title
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def tick(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._live is not None and now - self._drawn >= 0.2:
            self._drawn = now
            self._live.update(self._running(progress, now), refresh=True)

    def line(self, name: str, text: str) -> None:
        if self._lines.take(name, text):
            from rich.text import Text

            shown = Text(f"{name} | ", style="dim").append(words.cell(text, 500), style="yellow")
            self._console.print(shown)

    def end(self, report: Report) -> None:
        from rich.console import Console
        from rich.text import Text

        self.close()
        console = Console(highlight=False)
        rows = _rows(report)
        if rows:
            console.print(_rich_table(rows))
        mark, style = _MARKS[report.status]
        verdict, *more = _verdict(report)
        console.print(Text(f"{mark} ", style=style).append(verdict, style="bold"))
        for line in more:
            console.print(Text(f"  {line}"))
        _tell(report, sys.stderr)

    def close(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _running(self, progress: Progress, now: float) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        head = Text(self._title, style="bold")
        head.append(f"   {words.clock(progress.seconds)}", style="cyan")
        if progress.rows is not None:
            rate = words.number(self._rate.at(now, progress.rows))
            head.append(f"   {words.number(progress.rows)} rows   {rate} rows/s", style="green")
        if progress.size is not None:
            head.append(f"   {words.size(progress.size)}", style="dim")
        parts: list[RenderableType] = [head]
        shown = _busiest(progress)
        if shown:
            rows = [_row(s.name, s.read, s.written, s.size, s.quarantined) for s in shown]
            parts.append(_rich_table(rows, progress.recent))
        more = len(progress.streams) - len(shown)
        if more > 0:
            parts.append(Text(f"  and {more} more streams", style="dim"))
        return Group(*parts)


def choose_display(lines: Lines, quiet: bool) -> Display:
    """Return the display that fits: a table on a terminal, lines elsewhere."""
    dumb = os.environ.get("TERM") == "dumb"
    if sys.stderr.isatty() and sys.stdout.isatty() and not quiet and not dumb:
        return Terminal(lines)
    return Plain(lines, quiet)


def summary(report: Report) -> str:
    """Return the table and the verdict of a run in plain text."""
    rows = _rows(report)
    text = [words.table(*_without_empty(rows))] if rows else []
    return "\n".join([*text, *_verdict(report)])


_HEADS = ("stream", "read", "written", "size", "set aside")
_MARKS = {"done": ("✓", "bold green"), "failed": ("✗", "bold red"),
          "interrupted": ("■", "bold yellow")}  # fmt: skip


def _row(
    name: str,
    read: int | None,
    written: int | None,
    size: int | None,
    quarantined: int | None,
) -> list[str]:
    counts = [words.number(read), words.number(written), words.size(size)]
    return [words.cell(name, 60), *counts, words.number(quarantined)]


def _rows(report: Report) -> list[list[str]]:
    """The counts of each stream and their total; nothing where no plug-in told any."""
    if report.rows is None:
        return []
    rows = [
        _row(s.name, s.rows_read, s.rows_written, s.bytes, s.quarantined) for s in report.streams
    ]
    if len(rows) > 1:
        total = report.rows_read, report.rows_written, report.bytes, report.quarantined
        rows.append(_row("total", *total))
    return rows


def _without_empty(
    rows: Sequence[Sequence[str]],
) -> tuple[list[str], list[list[str]], list[int]]:
    """Heads, rows and number columns without the columns that no plug-in told anything of."""
    kept = [i for i in range(len(_HEADS)) if i == 0 or any(row[i] != "-" for row in rows)]
    heads = [_HEADS[i] for i in kept]
    return heads, [[row[i] for i in kept] for row in rows], list(range(1, len(kept)))


def _rich_table(rows: Sequence[Sequence[str]], recent: str | None = None) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    heads, cells, numbers = _without_empty(rows)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for i, head in enumerate(heads):
        drawn.add_column(head, justify="right" if i in numbers else "left", no_wrap=True)
    for row in cells:
        style = "bold" if row[0] in (recent, "total") else ""
        drawn.add_row(*(Text(text, style=style) for text in row))
    return drawn


def _busiest(progress: Progress) -> list[StreamProgress]:
    """The streams to show while there is not room for all: those with rows, the latest last."""
    streams = list(progress.streams.values())
    if len(streams) <= _SHOWN_STREAMS:
        return streams
    moving = [s for s in streams if s.rows]
    recent = [s for s in streams if s.name == progress.recent]
    chosen = {s.name for s in (moving[-(_SHOWN_STREAMS - 1) :] + recent) or streams[:10]}
    return [s for s in streams if s.name in chosen]


def _verdict(report: Report) -> list[str]:
    first = f"{report.pipeline}: {report.status} in {words.span(report.seconds)}"
    if report.rows is not None:
        rate = words.number(report.rows / max(report.seconds, 0.001))
        nothing = report.rows == 0 and report.state_before and report.status == "done"
        first += ", nothing new" if nothing else f", {words.number(report.rows)} rows ({rate}/s)"
    if report.quarantined:
        first += f", {words.number(report.quarantined)} bad set aside"
    lines = [first]
    if report.state_after is not None:
        same = report.state_after == report.state_before
        lines.append(f"state {'unchanged' if same else 'saved'} as {report.state_id}")
    if report.verified is not None:
        equal = sum(each.equal for each in report.verified)
        lines.append(f"verified: {equal} of {len(report.verified)} streams are equal")
    return lines


def _tell(report: Report, err: TextIO) -> None:
    """Write the warnings, and what went wrong."""
    for warning in report.warnings:
        err.write(f"Warning: {warning}\n")
    if report.error is not None and report.status != "interrupted":
        err.write(show(report.error.error) + "\n")
    err.flush()
