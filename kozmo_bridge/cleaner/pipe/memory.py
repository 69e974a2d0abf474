"""What was learned of streams, kept where each run finds it: in the state, and in a file.

A mapper has no state of its own. What it learned of a stream travels in the STATE messages that
pass it, under KEY in the stream's own bookmark, so that whatever keeps or resets the bookmarks does
the same with it. Taps leave unknown words of a bookmark alone, and need not hand them back.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kozmo_bridge.cleaner.rules import Rules
from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.settings import read_json_object

KEY = "kozmo_clean"
"""The word in a stream's bookmark that holds the rules learned of it."""


class Memory:
    """The rules learned of each stream; those of the state count before those of the file."""

    def __init__(self, state: Mapping[str, Any], path: str | None = None) -> None:
        self._path = None if path is None else Path(path).expanduser()
        self._known: dict[str, dict[str, Any]] = {}
        if self._path is not None and self._path.exists():
            self._known |= read_json_object(str(self._path), "learned_path")
        self._take(state)
        self._unsaid: set[str] = set()

    def recall(self, stream: str, mark: str) -> Rules | None:
        """Return what was learned of *stream* under the settings of *mark*, None if nothing."""
        found = self._known.get(stream)
        if not isinstance(found, Mapping) or found.get("of") != mark:
            return None
        return Rules.of({"rules": found.get("rules") or [], "expects": found.get("expects") or {}})

    def learn(self, stream: str, mark: str, rules: Rules) -> None:
        """Keep *rules*, in the file at once and in each state from now on."""
        entry: dict[str, Any] = {"of": mark, "rules": [rule.to_dict() for rule in rules]}
        if rules.expects:
            entry["expects"] = dict(rules.expects)
        self._known[stream] = entry
        self._unsaid.add(stream)
        if self._path is not None:
            self._write(self._path)

    @property
    def unsaid(self) -> bool:
        """Whether something was learned that no state has told yet."""
        return bool(self._unsaid)

    def said(self, text: bytes) -> bytes:
        """Return the value of a STATE with what is known of its streams in it.

        A state that is no object, or has bookmarks of another shape, stays as it is.
        """
        if not self._known:
            return text
        value = msgspec.json.decode(text)
        marks = value.get("bookmarks", {}) if isinstance(value, dict) else None
        if not isinstance(marks, dict):
            return text
        for stream, entry in self._known.items():
            mark = marks.get(stream, {})
            if isinstance(mark, dict):
                marks[stream] = {**mark, KEY: entry}
        value["bookmarks"] = marks
        self._unsaid.clear()
        return msgspec.json.encode(value)

    def hear(self, text: bytes) -> None:
        """Take what a tap hands back in a STATE, unless something newer is known."""
        if KEY.encode() not in text:
            return
        value = msgspec.json.decode(text)
        if isinstance(value, dict):
            known = dict(self._known)
            self._take(value)
            self._known |= known

    def _take(self, state: Mapping[str, Any]) -> None:
        marks = state.get("bookmarks")
        for stream, mark in marks.items() if isinstance(marks, Mapping) else ():
            if isinstance(mark, Mapping) and isinstance(mark.get(KEY), dict):
                self._known[stream] = mark[KEY]

    def _write(self, path: Path) -> None:
        text = json.dumps(self._known, indent=2, ensure_ascii=False)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(text + "\n", encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise WriteError(
                f"cannot keep what was learned in {path}: {error.strerror}",
                "check the setting learned_path",
            ) from error


def write_log(path: str, log: Mapping[str, Any]) -> None:
    """Write what was done to the streams as JSON."""
    text = json.dumps(log, indent=2, ensure_ascii=False)
    try:
        Path(path).expanduser().write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise WriteError(
            f"cannot write the log {path}: {error.strerror}", "check the setting log_path"
        ) from error


def mark_of(settings: Any) -> str:
    """Return a short mark of *settings*: what was learned under others does not count."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def rules_in(path: str) -> Rules:
    """Return the rules in a file, as `kozmo clean --save-rules` and Rules.to_json() write them."""
    try:
        given = json.loads(Path(path).expanduser().read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read the rules in {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"the rules in {path} are not JSON", str(error)) from error
    return Rules.of(given)
