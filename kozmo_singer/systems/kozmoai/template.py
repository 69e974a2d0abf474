"""Text made of a row, for the text of a Data object: `{name}: {description}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.encode import dumps

_PARTS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class TextTemplate:
    """A template of column names in braces; `{{` and `}}` are braces themselves.

    What stands between the braces is a column's whole name, so names may hold dots and blanks.
    """

    def __init__(self, template: str) -> None:
        self.template = template
        self._format, self.fields = _parse(template)

    def check(self, stream: str, columns: Sequence[str], text_key: str) -> None:
        """Raise ConfigError where *stream* has no such column, or already has one for the text."""
        for field in self.fields:
            if field not in columns:
                raise ConfigError(
                    f"text_template names '{field}', which stream {stream} does not have",
                    *did_you_mean(field, columns),
                    f"its columns: {', '.join(columns)}",
                )
        if text_key in columns:
            raise ConfigError(
                f"text_template would overwrite the column '{text_key}' of stream {stream}",
                "give the text another name by the setting text_key",
            )

    def texts(self, columns: Sequence[Sequence[Any]], rows: int) -> list[str]:
        """Return the text of each row; *columns* are those of `fields`, in that order.

        None becomes the empty text, true and false are written so, nested values as JSON.
        """
        if not self.fields:
            return [self._format % ()] * rows
        shown = [_shown(values) for values in columns]
        return list(map(self._format.__mod__, zip(*shown, strict=True)))


def _parse(template: str) -> tuple[str, list[str]]:
    """The template for the % operator, and the columns that it takes."""
    fields: list[str] = []
    pieces: list[str] = []
    end = 0
    for match in _PARTS.finditer(template):
        pieces.append(template[end : match.start()].replace("%", "%%"))
        end = match.end()
        found = match.group()
        if found in ("{{", "}}"):
            pieces.append(found[0])
        elif match.group(1):
            fields.append(match.group(1))
            pieces.append("%s")
        else:
            raise ConfigError(
                f"text_template has '{found}' at character {match.start() + 1}",
                "a column's name stands between braces; write {{ and }} for braces themselves",
            )
    pieces.append(template[end:].replace("%", "%%"))
    return "".join(pieces), fields


def _shown(values: Sequence[Any]) -> Sequence[Any]:
    kinds = set(map(type, values))
    if kinds == {str} or kinds == {int}:
        return values
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else dumps(value).decode()
