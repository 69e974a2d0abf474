"""The settings of targets that write files, and what they say of each stream."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import Setting, did_you_mean, grouped
from kozmo_singer.systems.formats.writers import FORMATS, PACKED, WriteOptions
from kozmo_targets.target import COMMON_SETTINGS, load_method_setting

PATH = Setting(
    "path",
    "Where the files go: a folder, which is made if need be, or an address such as s3://bucket/raw",
    required=True,
)
FORMAT = Setting("format", "The format of the files", required=True, choices=tuple(FORMATS))
NAMES: tuple[Setting, ...] = (
    Setting(
        "file_name",
        "What files are called, below path. Fields: {stream}, {date}, {time} and {timestamp} of "
        "the begin of the run, {run} (eight letters that name it), {number}, {ext}",
        default="{stream}/{timestamp}-{number}.{ext}",
    ),
    Setting(
        "partition_by",
        "Columns whose values become folders such as year=2024 instead of standing in the files",
        "array",
    ),
    Setting(
        "max_file_bytes",
        "Begin another file when one has about so many bytes",
        "integer",
        default=256 << 20,
        minimum=1,
    ),
    Setting("max_file_rows", "Begin another file when one has so many rows", "integer", minimum=1),
)


def compression(format: str | None = None) -> Setting:
    """Return the setting compression, with what *format* can be packed in."""
    choices = PACKED if format is None else FORMATS[format].packed
    default = None if format is None else choices[0]
    said = " unless something else is said: zstd for Parquet and ORC, gzip for Avro, else none"
    return Setting(
        "compression",
        "How files are packed" + ("" if format else said),
        default=default,
        choices=choices,
    )


TEXT = grouped(
    "Text",
    Setting("encoding", "What text is written in, as cp1252", default="utf-8"),
    Setting("null_value", "What stands for null, never in quotes", default=""),
    Setting("header", "Whether the first row names the columns", "boolean", default=True),
)
HEADER = replace(TEXT[2], group="")
CSV = grouped(
    "CSV",
    Setting("delimiter", "What stands between cells", default=","),
    Setting("quote_char", "What cells stand between that need it", default='"'),
    Setting(
        "quoting",
        "Which cells are quoted. needed: those with a delimiter, a quote or a line break in them, "
        "empty texts, and texts that are written as null is; text: all but numbers, true and false",
        default="needed",
        choices=("needed", "text", "all"),
    ),
    Setting(
        "byte_order_mark",
        "Begin files with the mark by which Excel knows UTF-8",
        "boolean",
        default=False,
    ),
    Setting(
        "escape_formulas",
        "Put a ' before text that begins with =, +, -, @, a tab or a return, which a spreadsheet "
        "might calculate; such text does not come back as it was",
        "boolean",
        default=False,
    ),
)
WIDTHS = Setting("widths", 'Fixed width: the letters of each column, as {"id": 8}', "object")
ILLEGAL = Setting(
    "illegal_characters",
    "What becomes of control characters, which XML and Excel lack. fail: the record is refused; "
    "replace: U+FFFD takes their place",
    default="fail",
    choices=("fail", "replace"),
)
_DUE: dict[str, tuple[str, Any]] = {
    "batch_size_bytes": (
        "Show files, and tell the state, at the latest when so many bytes of input wait",
        1 << 30,
    ),
    "batch_size_rows": ("The same when so many rows wait", 10_000_000),
    "batch_wait_seconds": ("The same when the oldest row has waited so long", 300.0),
}
COMMON: tuple[Setting, ...] = (
    load_method_setting("append-only", "overwrite"),
    *(
        replace(s, description=_DUE[s.name][0], default=_DUE[s.name][1]) if s.name in _DUE else s
        for s in COMMON_SETTINGS
    ),
)
ALL = (
    *(compression(), *CSV, *TEXT),
    *grouped("Fixed widths", WIDTHS),
    *grouped("XML and Excel", ILLEGAL),
)
"""The settings of all formats."""


def chosen(plugin: str, format: str, config: Mapping[str, Any]) -> WriteOptions:
    """Return what *config* says of files of *format*; ConfigError says what is wrong with it."""
    packed = config.get("compression") or FORMATS[format].packed[0]
    if packed not in FORMATS[format].packed:
        raise ConfigError(
            f"{plugin}: {format} cannot be packed as {packed}",
            f"compression can be {', '.join(FORMATS[format].packed)}",
        )
    delimiter, quote = config.get("delimiter") or ",", config.get("quote_char") or '"'
    for name, letter in (("delimiter", delimiter), ("quote_char", quote)):
        if len(letter) != 1 or not letter.isascii() or letter in "\r\n":
            raise ConfigError(f"{plugin}: {name} must be one letter of ASCII, got {letter!r}")
    null = config.get("null_value") or ""
    if delimiter == quote or any(letter in null for letter in (delimiter, quote, "\r", "\n")):
        raise ConfigError(f"{plugin}: delimiter, quote_char and null_value must differ")
    encoding = _encoding(plugin, config.get("encoding") or "utf-8")
    mark = bool(config.get("byte_order_mark"))
    return WriteOptions(
        packed=packed,
        delimiter=delimiter,
        quote=quote,
        quoting=config.get("quoting") or "needed",
        header=config.get("header") is not False,
        # Two encodings that need the mark would write one before each block.
        encoding={"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding),
        mark=mark or encoding in ("utf-16", "utf-32"),
        null=null,
        escape_formulas=bool(config.get("escape_formulas")),
        replace_illegal=config.get("illegal_characters") == "replace",
        widths={n: _width(plugin, n, w) for n, w in (config.get("widths") or {}).items()},
    )


def partition_columns(stream: str, names: list[str], there: list[str]) -> list[str]:
    """Return *names*; ConfigError where the stream has no column of such a name."""
    for name in names:
        if name not in there:
            raise ConfigError(
                f"stream {stream} has no column '{name}' for partition_by",
                *did_you_mean(name, there),
            )
    return names


def _encoding(plugin: str, name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ConfigError(f"{plugin}: there is no encoding '{name}'") from error


def _width(plugin: str, name: str, width: Any) -> int:
    if not isinstance(width, int) or isinstance(width, bool) or width < 1:
        raise ConfigError(f"{plugin}: in widths, '{name}' must have a number of letters")
    return width
