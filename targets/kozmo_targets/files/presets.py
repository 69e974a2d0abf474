"""Targets of one format, or of one store: the engine, with the settings that these have."""

from __future__ import annotations

from kozmo_targets.files import settings as s
from kozmo_targets.files.engine import TargetFiles


def _examples(name: str) -> tuple[str, ...]:
    return (
        'echo \'{"path": "out"}\' > files.json',
        f"{name} --config files.json --check",
        f"tap-postgres --config shop.json | {name} --config files.json",
    )


class TargetArrow(TargetFiles):
    """Writes Arrow IPC."""

    name = "target-arrow"
    summary = "Arrow IPC files, which are Feather files too"
    format = "arrow"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetAvro(TargetFiles):
    """Writes Avro."""

    name = "target-avro"
    summary = "Avro files"
    format = "avro"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetCsv(TargetFiles):
    """Writes CSV and TSV."""

    name = "target-csv"
    summary = "CSV and TSV files"
    format = "csv"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.CSV, *s.TEXT, *s.COMMON)
    examples = _examples(name)


class TargetExcel(TargetFiles):
    """Writes Excel workbooks."""

    name = "target-excel"
    summary = "Excel workbooks"
    format = "excel"
    settings = (s.PATH, *s.NAMES, s.HEADER, s.ILLEGAL, *s.COMMON)
    examples = _examples(name)


class TargetFixedWidth(TargetFiles):
    """Writes text of fixed width."""

    name = "target-fixed-width"
    summary = "Files of text in which each column has a width"
    format = "fixed"
    settings = (s.PATH, s.WIDTHS, *s.NAMES, s.compression(format), *s.TEXT, *s.COMMON)
    examples = (
        'echo \'{"path": "out", "widths": {"id": 8, "name": 40}}\' > files.json',
        *_examples(name)[1:],
    )


class TargetJson(TargetFiles):
    """Writes arrays of JSON."""

    name = "target-json"
    summary = "Files that are an array of JSON objects"
    format = "json"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetOrc(TargetFiles):
    """Writes ORC."""

    name = "target-orc"
    summary = "ORC files"
    format = "orc"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetParquet(TargetFiles):
    """Writes Parquet."""

    name = "target-parquet"
    summary = "Parquet files"
    format = "parquet"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetXml(TargetFiles):
    """Writes XML."""

    name = "target-xml"
    summary = "XML files"
    format = "xml"
    settings = (s.PATH, *s.NAMES, s.compression(format), s.ILLEGAL, *s.COMMON)
    examples = _examples(name)
