"""What files are called: a template, folders of partitions, and which names are a stream's."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import quote

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean
from kozmo_targets.files.lines import file_name

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
MOST_BYTES = 200
"""The longest name of a partition's folder."""
_FIELD = re.compile(r"\{([^{}]*)\}")
# Each is of one width, so that no name can be that of two streams.
_FORMS = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "time": r"\d{6}",
    "timestamp": r"\d{8}T\d{6}Z",
    "run": r"[0-9a-f]{8}",
    "number": r"\d{6}",
}
FIELDS = ("stream", *_FORMS, "ext")
_FOLDERS = r"(?:[^/=]+=[^/]*/)*"
_PACKED = r"(?:\.(?:gz|bz2|xz|zst))?"


@dataclass(frozen=True)
class Run:
    """When a run began, and a name for it."""

    began: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def fields(self) -> dict[str, str]:
        """Return the fields of a name that are the same for all files of the run."""
        began = self.began
        return {
            "date": f"{began:%Y-%m-%d}",
            "time": f"{began:%H%M%S}",
            "timestamp": f"{began:%Y%m%dT%H%M%SZ}",
            "run": self.name,
        }


class Template:
    """The setting file_name: `{stream}/{timestamp}-{number}.{ext}`."""

    def __init__(self, plugin: str, text: str, ending: str, run: Run) -> None:
        _check(plugin, text)
        self._ending = ending
        if "{number}" not in text:
            # Only the first file can do without; a tilde is in no name of a stream but a cut one.
            head, dot, tail = text.partition(".{ext}")
            text = head + "{more}" + dot + tail
        self.counts = "{more}" not in text
        self._folder, _, self._name = text.rpartition("/")
        self._fields = run.fields

    def path(self, stream: str, folders: str, number: int) -> str:
        """Return the name of a stream's file below the path of the target."""
        more = "" if number == 1 else f"~{number:06}"
        fields = {**self._fields, "stream": own_name(stream), "number": f"{number:06}",
                  "more": more, "ext": self._ending}  # fmt: skip
        parts = (self._folder.format_map(fields), folders, self._name.format_map(fields))
        return "/".join(part for part in parts if part)

    def folder(self, stream: str) -> str:
        """Return the folder below which all files of *stream* are, "" for that of the target."""
        known: list[str] = []
        for part in self._folder.split("/"):
            if set(_FIELD.findall(part)) - {"stream"}:
                break
            known.append(part.format(stream=own_name(stream)))
        return "/".join(known)

    def is_of(self, stream: str) -> re.Pattern[str]:
        """Return what the names of all files of *stream* match, of this and of other runs."""
        forms = {name: f"(?:{form})" for name, form in _FORMS.items()}
        ending = re.escape(self._ending.partition(".")[0]) + _PACKED
        forms |= {"stream": re.escape(own_name(stream)), "more": r"(?:~\d{6})?", "ext": ending}
        folder = _matching(self._folder, forms) + "/" if self._folder else ""
        return re.compile(folder + _FOLDERS + _matching(self._name, forms))


def own_name(stream: str) -> str:
    """Return how *stream* is called in names of files: never hidden, never another folder."""
    # What begins with _ is hidden from readers.
    name = file_name(stream)
    return "%5F" + name[1:] if name.startswith("_") else name


def partition_folder(column: str, value: str | None) -> str | None:
    """Return the folder of the rows in which *column* is *value*; None where it is too long."""
    name = quote(column, safe="", errors="surrogatepass")
    text = NO_VALUE if value is None else quote(value, safe="")
    if value == NO_VALUE:
        text = "%5F" + text[1:]
    folder = f"{'%5F' + name[1:] if name.startswith('_') else name}={text}"
    return folder if len(folder) <= MOST_BYTES else None


def _matching(text: str, forms: Mapping[str, str]) -> str:
    """Return the regular expression of a part of a template."""
    pieces: Sequence[str] = _FIELD.split(text)
    return "".join(forms[p] if i % 2 else re.escape(p) for i, p in enumerate(pieces))


def _check(plugin: str, text: str) -> None:
    where = f"{plugin}: file_name '{text}'"
    for name in _FIELD.findall(text):
        if name not in FIELDS:
            raise ConfigError(
                f"{where} has a field {{{name}}} that is not known",
                *did_you_mean(name, FIELDS) or [f"there are {', '.join(FIELDS)}"],
            )
    if text.count("{stream}") != 1:
        raise ConfigError(f"{where} must have {{stream}} in it, once")
    if re.search(r"[{}\\*?\[\]\x00-\x1f]", _FIELD.sub("", text)):
        raise ConfigError(f"{where} has letters in it that no name of a file should have")
    if any(not part or part[0] in "._" for part in text.split("/")):
        raise ConfigError(f"{where}: no part of it may be empty, or begin with a dot or _")
