"""The settings of taps that read files, and what they say of each stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import Setting, did_you_mean, json_type, resolve
from kozmo_singer.systems.formats import FORMATS, Options
from kozmo_singer.systems.stores import SCHEMES
from kozmo_singer.systems.stores.settings import STORES
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
BUCKET = Setting("bucket", "The bucket that path is in, where path does not begin with it")
CONTAINER = Setting("container", "The container that path is in, where path does not begin with it")
FORMAT = Setting(
    "format",
    "The format of files, where their names do not tell",
    choices=tuple(FORMATS),
)
KEYS = Setting("key_properties", "The columns that tell rows apart", "array")
CSV: tuple[Setting, ...] = (
    Setting("delimiter", "What stands between cells; detected where it is not given"),
    Setting("quote_char", "What cells with a delimiter in them stand between", default='"'),
    Setting(
        "header",
        "Whether the first row names the columns; detected where it is not given",
        "boolean",
    ),
    Setting("column_names", "The names of the columns, in place of a header", "array"),
    Setting("encoding", "What text is written in, as cp1252; detected where it is not given"),
    Setting(
        "null_values",
        "Cells that are null; empty ones without quotes, unless others are given",
        "array",
    ),
)
ROWS: tuple[Setting, ...] = (
    Setting(
        "max_row_bytes",
        "The longest row that is read, which bounds the memory",
        "integer",
        default=16 << 20,
        minimum=1024,
    ),
    Setting(
        "columns",
        "Types of columns, where the inferred ones do not suit, by name: string, integer, "
        'float, decimal(12,2), date, timestamptz and so on, as {"zip": "string"}',
        "object",
    ),
)
READING: tuple[Setting, ...] = (
    Setting(
        "metadata_columns",
        "Columns that say where a row comes from: _file, _row (its number in the file, from 1), "
        "_modified (of the file)",
        "array",
    ),
    Setting(
        "replication_method",
        "FULL_TABLE reads all files each time, INCREMENTAL those that are new or changed",
        default="FULL_TABLE",
        choices=("FULL_TABLE", "INCREMENTAL"),
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
    each = (*PLACES[:2], BUCKET, CONTAINER, FORMAT, KEYS, *CSV, *ROWS, *STORES)
    own = [s for s in settings if s in each]
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
    delimiter, quote = given.get("delimiter"), given.get("quote_char") or '"'
    for name, letter in (("delimiter", delimiter or ","), ("quote_char", quote)):
        if len(letter) != 1 or not letter.isascii():
            raise ConfigError(f"{plugin}: {name} must be one letter of ASCII, got {letter!r}")
    nulls = given.get("null_values")
    options = Options(
        types={n: _type(plugin, n, t) for n, t in (given.get("columns") or {}).items()},
        delimiter=delimiter,
        quote=quote,
        header=given.get("header"),
        names=given.get("column_names"),
        encoding=_encoding(plugin, given.get("encoding")),
        nulls=("",) if nulls is None else tuple(map(str, nulls)),
        row_bytes=given.get("max_row_bytes") or Options.row_bytes,
    )
    return Spec(
        path=given["path"] if scheme is None else _address(plugin, given, scheme),
        stream=given["stream"],
        format=given.get("format"),
        keys=tuple(given["key_properties"] or ()),
        options=options,
        place={s.name: given[s.name] for s in STORES if s.name in given},
    )


def _address(plugin: str, given: Mapping[str, Any], scheme: str) -> str:
    """The path as an address of the one store that a tap knows."""
    path = given["path"] or ""
    said, separator, _ = path.partition("://")
    if separator:
        if SCHEMES.get(said) != SCHEMES[scheme]:
            raise ConfigError(
                f"{plugin} reads {scheme}://, and not {said}://", "tap-files reads from all stores"
            )
        return str(path)
    if scheme in ("sftp", "ftp"):
        return f"{scheme}://{path}" if path.startswith("/") else f"{scheme}:///~/{path}"
    bucket = given.get(BUCKET.name) or given.get(CONTAINER.name)
    return f"{scheme}://{bucket}/{path.lstrip('/')}" if bucket else f"{scheme}://{path}"


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
