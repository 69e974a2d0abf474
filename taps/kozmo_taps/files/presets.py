"""Taps of one format: the engine, with the settings that the format has."""

from __future__ import annotations

from kozmo_singer.settings import Setting
from kozmo_taps.files import settings as s
from kozmo_taps.files.engine import TapFiles


def _settings(*own: Setting) -> tuple[Setting, ...]:
    """What all formats have, and between it what is *own* to one."""
    places, more = (*s.PLACES[:2], s.KEYS), (s.PLACES[2], *s.READING, *s.COMMON)
    return (*places, *own, *s.PACKED, *more)


def _examples(name: str, path: str) -> tuple[str, ...]:
    return (
        f'echo \'{{"path": "{path}"}}\' > files.json',
        f"{name} --config files.json --check",
        f"{name} --config files.json --discover > catalog.json",
        f"{name} --config files.json --catalog catalog.json --limit 5",
        f"{name} --config files.json | target-jsonl --config out.json",
    )


class TapAvro(TapFiles):
    """Reads Avro."""

    name = "tap-avro"
    summary = "Avro files"
    settings = _settings()
    format = "avro"
    examples = _examples(name, "data/*.avro")


class TapCsv(TapFiles):
    """Reads CSV and TSV."""

    name = "tap-csv"
    summary = "CSV and TSV files"
    settings = _settings(*s.TEXT, *s.CSV, *s.ROWS)
    format = "csv"
    examples = _examples(name, "data/*.csv")


class TapExcel(TapFiles):
    """Reads the sheets of workbooks."""

    name = "tap-excel"
    summary = "Workbooks of Excel and OpenDocument"
    settings = _settings(*s.EXCEL, s.COLUMNS)
    format = "excel"
    examples = _examples(name, "data/*.xlsx")


class TapFixedWidth(TapFiles):
    """Reads lines whose cells stand at the same places."""

    name = "tap-fixed-width"
    summary = "Text files with columns of fixed widths"
    settings = _settings(*s.TEXT, *s.FIXED_WIDTH, *s.ROWS)
    format = "fixed-width"
    examples = _examples(name, "data/*.txt")


class TapJson(TapFiles):
    """Reads JSON documents."""

    name = "tap-json"
    summary = "JSON documents"
    settings = _settings(*s.JSON, s.ENCODING, *s.ROWS)
    format = "json"
    examples = _examples(name, "data/*.json")


class TapJsonl(TapFiles):
    """Reads JSON Lines."""

    name = "tap-jsonl"
    summary = "JSON Lines files"
    settings = _settings(*s.ROWS)
    format = "jsonl"
    examples = _examples(name, "data/*.jsonl")


class TapOrc(TapFiles):
    """Reads ORC."""

    name = "tap-orc"
    summary = "ORC files"
    settings = _settings()
    format = "orc"
    examples = _examples(name, "data/*.orc")


class TapParquet(TapFiles):
    """Reads Parquet."""

    name = "tap-parquet"
    summary = "Parquet files"
    settings = _settings()
    format = "parquet"
    examples = _examples(name, "data/*.parquet")


class TapXml(TapFiles):
    """Reads XML."""

    name = "tap-xml"
    summary = "XML files"
    settings = _settings(*s.XML, s.ENCODING, s.DECIMAL, s.THOUSANDS, *s.ROWS)
    format = "xml"
    examples = _examples(name, "data/*.xml")
