"""The settings of taps that read files, and what they say of each stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import Setting, did_you_mean, grouped, json_type, resolve
from kozmo_singer.systems.formats import FORMATS, Options
from kozmo_singer.systems.formats.excel_area import Area
from kozmo_singer.systems.formats.json_path import parsed_path
from kozmo_singer.systems.stores.settings import BUCKET, CONTAINER, STORES, address
from kozmo_singer.wire.types import NAMES, LogicalType
from kozmo_taps import tap

PLACES: tuple[Setting, ...] = (
    Setting(
        "path",
        "The files: one, a folder with all below it, or a glob as data/**/*.csv; each name of a "
        "file, without its ending, is a stream",
    ),
    Setting("stream", "The one stream that all files of path belong to"),
    Setting(
        "files",
        "Several streams: a list of objects with path, stream, and any of the settings that say "
        "where files are and how they are read, for that stream alone",
        "array",
    ),
)
FORMAT = Setting(
    "format",
    "The format of files, where their names do not tell",
    choices=tuple(FORMATS),
)
KEYS = Setting("key_properties", "The columns that tell rows apart", "array")
ENCODING, DECIMAL, THOUSANDS = grouped(
    "Text",
    Setting("encoding", "What text is written in, as cp1252; detected where it is not given"),
    Setting(
        "decimal",
        "What stands before the fraction of a number; with a comma 1,5 is a number, and 1.5 is "
        "text",
        default=".",
        choices=(".", ","),
    ),
    Setting(
        "thousands",
        "What stands between groups of three digits, as in 1.234,50; nothing by default",
    ),
)
TEXT = grouped(
    "Text",
    ENCODING,
    Setting(
        "header",
        "Whether the first row names the columns; detected where it is not given",
        "boolean",
    ),
    Setting("column_names", "The names of the columns, in place of a header", "array"),
    DECIMAL,
    THOUSANDS,
)
"""What CSV and text of fixed widths have in common."""
CSV = grouped(
    "CSV",
    Setting("delimiter", "What stands between cells; detected where it is not given"),
    Setting("quote_char", "What cells with a delimiter in them stand between", default='"'),
    Setting(
        "null_values",
        "Cells that are null; empty ones without quotes, unless others are given",
        "array",
    ),
    Setting("comment", "What lines begin with that are left out, as #"),
    Setting(
        "skip_rows", "How many lines at the start are left out", "integer", default=0, minimum=0
    ),
    Setting(
        "on_bad_row",
        "What a row does that has more or fewer cells than there are columns: fail ends the "
        "reading of its file, skip leaves the row out and fails at the end",
        default="fail",
        choices=("fail", "skip"),
    ),
)
FIXED_WIDTH = grouped(
    "Fixed widths",
    Setting(
        "widths",
        "How many letters wide each column of a file of fixed widths is; told by the blanks "
        "between columns where it is not given",
        "array",
    ),
)
JSON = grouped(
    "JSON",
    Setting(
        "json_path",
        "Where records stand in a JSON document, as data.items or $.pages[*].items; the document "
        "itself, or the elements of its array, where it is not given",
    ),
)
XML = grouped(
    "XML",
    Setting(
        "record_path",
        "Which elements of XML are records, as orders/order from the root on, or .//order "
        "anywhere; those below the root where it is not given",
    ),
)
EXCEL = grouped(
    "Excel",
    Setting(
        "sheet",
        "The sheet of a workbook, by its name or its number from 1; each one is a stream where "
        "it is not given",
    ),
    Setting(
        "header_row",
        "The row of a sheet that names the columns, 0 for none; the first that is not empty where "
        "it is not given",
        "integer",
        minimum=0,
    ),
    Setting("cell_range", "The part of a sheet that is read, as B3:F100 or B:F"),
)
COLUMNS = Setting(
    "columns",
    "Types of columns, where the inferred ones do not suit, by name: string, integer, "
    'float, decimal(12,2), date, timestamptz and so on, as {"zip": "string"}',
    "object",
)
ROWS: tuple[Setting, ...] = (
    COLUMNS,
    Setting(
        "max_row_bytes",
        "The longest row that is read, which bounds the memory",
        "integer",
        default=16 << 20,
        minimum=1024,
    ),
)
PACKED = grouped(
    "Packed files and archives",
    Setting("members", "Which members of zip and tar files are read, as orders/*.csv"),
    Setting(
        "max_unpacked_ratio",
        "How many times its size a packed file may unpack to, where that is more than a GB; 0 for "
        "any, which a small file can use to keep a run busy for days",
        "integer",
        default=500,
        minimum=0,
    ),
)
READING: tuple[Setting, ...] = (
    Setting(
        "replication_method",
        "FULL_TABLE reads all files each time, INCREMENTAL those that are new or changed",
        default="FULL_TABLE",
        choices=("FULL_TABLE", "INCREMENTAL"),
    ),
    Setting(
        "metadata_columns",
        "Columns that say where a row comes from: _file, _row (its number in the file, from 1), "
        "_modified (of the file)",
        "array",
    ),
    Setting(
        "on_bad_file",
        "What a file does that cannot be read: fail ends the run, skip goes on with the others "
        "and fails at the end",
        default="fail",
        choices=("fail", "skip"),
    ),
)
_LEFT_OUT = ("start_date",)
COMMON = tuple(setting for setting in tap.SETTINGS if setting.name not in _LEFT_OUT)
"""What files have in common with other sources; no date says where they start."""
_OWN = (
    *(*PLACES[:2], BUCKET, CONTAINER, FORMAT, KEYS, *TEXT, *CSV, *FIXED_WIDTH, *JSON, *XML, *EXCEL),
    *(*ROWS, *PACKED, *STORES),
)
"""What may differ from stream to stream."""
METADATA = {
    "_file": LogicalType("string"),
    "_row": LogicalType("integer", bits=64),
    "_modified": LogicalType("timestamptz"),
}
_TYPE = re.compile(r"([a-z]+)(?:\((\d+)(?:,\s*(\d+))?\))?")


@dataclass(frozen=True)
class Spec:
    """What the configuration says of some files: which, of which stream, and how to read them."""

    path: str
    stream: str | None
    format: str | None
    members: str | None
    keys: tuple[str, ...]
    options: Options
    place: Mapping[str, Any]
    """What the store needs to be told, credentials above all."""


def specs(
    plugin: str, settings: tuple[Setting, ...], config: Mapping[str, Any], scheme: str | None
) -> list[Spec]:
    """Return what *config* asks to be read; ConfigError says what is wrong with it.

    With *scheme* paths are those of its store, where they do not say so themselves.
    """
    whole = not config["files"] and (config.get(BUCKET.name) or config.get(CONTAINER.name))
    if bool(config["path"] or whole) == bool(config["files"]):
        raise ConfigError(
            f"{plugin} needs either the setting 'path' or the setting 'files'",
            f'for example {{"path": "data/*.{plugin.partition("-")[2]}"}}; see: {plugin} --help',
        )
    for name in config["metadata_columns"] or ():
        if name not in METADATA:
            raise ConfigError(
                f"{plugin}: there is no column '{name}' for metadata_columns",
                *did_you_mean(str(name), METADATA) or [f"there are {', '.join(METADATA)}"],
            )
    own = [s for s in settings if s in _OWN]
    given = {s.name: config[s.name] for s in own}
    if not config["files"]:
        return [_spec(plugin, given, scheme)]
    found = []
    for item in config["files"]:
        if not isinstance(item, Mapping):
            raise ConfigError(f"{plugin}: in files, each must be an object, not {json_type(item)}")
        made = resolve(f"{plugin}: an object in files", own, {**given, **item})
        if not made["path"]:
            raise ConfigError(f"{plugin}: each object in files needs a path")
        found.append(_spec(plugin, made, scheme))
    return found


def _spec(plugin: str, given: Mapping[str, Any], scheme: str | None) -> Spec:
    nulls = given.get("null_values")
    try:
        options = Options(
            types={n: _type(plugin, n, t) for n, t in (given.get("columns") or {}).items()},
            header=given.get("header"),
            names=given.get("column_names"),
            encoding=_encoding(plugin, given.get("encoding")),
            nulls=("",) if nulls is None else tuple(map(str, nulls)),
            row_bytes=given.get("max_row_bytes") or Options.row_bytes,
            comment=given.get("comment") or "",
            skip_rows=given.get("skip_rows") or 0,
            skip_bad_rows=given.get("on_bad_row") == "skip",
            json_path=parsed_path(given.get("json_path") or ""),
            record_path=given.get("record_path") or "",
            sheet=given.get("sheet"),
            header_row=given.get("header_row"),
            cell_range=Area.of(given["cell_range"]) if given.get("cell_range") else None,
            widths=_widths(given.get("widths")),
            ratio=given.get("max_unpacked_ratio", Options.ratio),
            **_letters(given),
        )
    except ValueError as error:
        raise ConfigError(f"{plugin}: {error}") from error
    return Spec(
        path=address(plugin, scheme, given),
        stream=given["stream"],
        format=given.get("format"),
        members=given.get("members"),
        keys=tuple(given["key_properties"] or ()),
        options=options,
        place={s.name: given[s.name] for s in STORES if s.name in given},
    )


def _letters(given: Mapping[str, Any]) -> dict[str, Any]:
    """The letters by which cells and numbers are written; ValueError for those that are none."""
    delimiter, quote = given.get("delimiter"), given.get("quote_char") or '"'
    for name, letter in (("delimiter", delimiter or ","), ("quote_char", quote)):
        if len(letter) != 1 or not letter.isascii():
            raise ValueError(f"{name} must be one letter of ASCII, got {letter!r}")
    decimal, thousands = given.get("decimal") or ".", given.get("thousands") or ""
    if len(thousands) > 1 or thousands.isalnum() or thousands in ("-", decimal):
        raise ValueError(
            f"thousands must be one letter, no digit and not that of decimal, got {thousands!r}"
        )
    return {"delimiter": delimiter, "quote": quote, "decimal": decimal, "thousands": thousands}


def _widths(given: list[Any] | None) -> tuple[int, ...] | None:
    if not given:
        return None
    if not all(str(width).isdigit() and int(width) > 0 for width in given):
        raise ValueError(f"widths must be numbers of letters, got {given}")
    return tuple(map(int, given))


def _encoding(plugin: str, name: str | None) -> str | None:
    import codecs

    try:
        return codecs.lookup(name).name if name else None
    except LookupError as error:
        raise ConfigError(f"{plugin}: there is no encoding '{name}'") from error


def _type(plugin: str, column: str, text: Any) -> LogicalType:
    match = _TYPE.fullmatch(str(text))
    if not match or match[1] not in NAMES or (match[2] and match[1] != "decimal"):
        raise ConfigError(
            f"{plugin}: in columns, '{column}' has no type that is known: {text}",
            *did_you_mean(str(text), NAMES) or [f"there are {', '.join(NAMES)}"],
        )
    if match[2]:
        return LogicalType("decimal", int(match[2]), int(match[3] or 0))
    return LogicalType(match[1])
