"""What plug-ins say on stderr: metrics in three dialects, logs, and the reason of a failure."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from typing import Any, NamedTuple

_METRIC = re.compile(r"METRIC: (\{.*\})\s*$")
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b")
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"[\w.]*(?:Error|Exception|Exit|Interrupt|Warning|[A-Z]\w*)\b(?::|$)")
_PREFIX = re.compile(
    r"^\s*(?:[\d\-/:.,TZ+ ]{8,35}\s*[|\-]?\s*)?"
    r"(?:(?:INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b\s*[|:\-]?\s*)"
    r"(?:[\w.\-]+\s*\|\s*)?",
)
REASON_LINES = 4
_LOGGED_LINES = 3


class Metric(NamedTuple):
    """One point: of a counter the value counts on top of those before.

    *file* is where the records that it counts were set aside.
    """

    type: str
    metric: str
    value: float
    stream: str | None
    file: str | None = None


def metric(line: str) -> Metric | None:
    """Return the metric that *line* carries, or None.

    singer-python prints `INFO METRIC: {}`, the SDK `... | METRIC: {}` or, with structured logs, a
    JSON object with the key metric_info.
    """
    if "METRIC: " in line:
        found = _METRIC.search(line)
        return _point(_loads(found[1])) if found else None
    if line.startswith("{") and '"metric_info"' in line:
        value = _loads(line)
        return _point(value.get("metric_info")) if isinstance(value, dict) else None
    return None


def level(line: str) -> str:
    """Return the level of a log line: debug, info, warning, error; info where it says none."""
    if line.startswith("{"):
        value = _loads(line)
        said = str(value.get("level", "")) if isinstance(value, dict) else ""
        found = _LEVEL.search(said.upper())
    elif line.startswith(("Error:", "Warning:")):
        return line.partition(":")[0].lower()
    else:
        found = _LEVEL.search(line[:120])
    name = found[1].lower() if found else "info"
    return {"warn": "warning", "critical": "error", "fatal": "error"}.get(name, name)


def reason(tail: Sequence[str]) -> list[str]:
    """Return at most four lines of *tail* that say why the process failed; no traceback.

    An "Error:" with its indented lines is best, then the last exception of a traceback, then what
    was last logged as an error, then the last lines.
    """
    lines = [_message(line) for line in tail if metric(line) is None]
    levels = [level(line) for line in tail if metric(line) is None]
    starts = [i for i, line in enumerate(lines) if line.startswith("Error: ")]
    if starts:
        return _block(lines, starts[-1])
    if any(_TRACEBACK in line for line in lines):
        return _raised(lines)
    errors = [line for line, grade in zip(lines, levels, strict=True) if grade == "error"]
    said = [_PREFIX.sub("", line) for line in (errors[-_LOGGED_LINES:] or lines[-2:])]
    return list(dict.fromkeys(said))


def exit_words(code: int) -> str:
    """Return how a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hints: dict[int, str] = {
        signal.SIGKILL: ": kill -9, or the system was out of memory",
        signal.SIGSEGV: ": it crashed",
        signal.SIGPIPE: ": nobody read its output any more",
    }
    return f"killed by {name}" + hints.get(-code, "")


def broken_pipe(code: int, tail: Sequence[str]) -> bool:
    """Whether a process ended only because the one that it writes to had ended."""
    words = ("BrokenPipe", "Broken pipe", "EPIPE", "the program it writes to has ended")
    return code == -signal.SIGPIPE or any(w in line for line in tail[-12:] for w in words)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _point(value: Any) -> Metric | None:
    if not isinstance(value, dict) or not isinstance(value.get("metric"), str):
        return None
    number, tags = value.get("value"), value.get("tags")
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    tags = tags if isinstance(tags, dict) else {}
    file = tags.get("file")
    file = file if isinstance(file, str) else None
    return Metric(str(value.get("type")), value["metric"], number, tags.get("stream"), file)


def _message(line: str) -> str:
    """The words of a structured log line; any other line as it is."""
    value = _loads(line) if line.startswith("{") else None
    if not isinstance(value, dict):
        return line
    said = value.get("message") or value.get("event") or value.get("msg") or line
    raised = value.get("exception")
    if isinstance(raised, dict) and raised.get("message"):
        return f"{said}: {raised['message']}"
    return str(said)


def _block(lines: Sequence[str], start: int) -> list[str]:
    block = [lines[start].removeprefix("Error: ")]
    for line in lines[start + 1 : start + REASON_LINES]:
        if not line.startswith(" "):
            break
        block.append(line)
    return block


def _raised(lines: Sequence[str]) -> list[str]:
    """The exception that ends the last traceback, with the lines of its message."""
    start = max(i for i, line in enumerate(lines) if _TRACEBACK in line)
    for i in range(start + 1, len(lines)):
        if not lines[i].startswith(" ") and _RAISED.match(lines[i].lstrip("| ")):
            return [line.strip() for line in lines[i : i + 2]]
    return [lines[-1].strip()]
