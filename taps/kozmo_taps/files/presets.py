"""Taps of one format: the engine, with the settings that the format has."""

from __future__ import annotations

from kozmo_taps.files import settings as s
from kozmo_taps.files.engine import TapFiles


def _examples(name: str, path: str) -> tuple[str, ...]:
    return (
        f'echo \'{{"path": "{path}"}}\' > files.json',
        f"{name} --config files.json --check",
        f"{name} --config files.json --discover > catalog.json",
        f"{name} --config files.json --catalog catalog.json --limit 5",
        f"{name} --config files.json | target-jsonl --config out.json",
    )


class TapCsv(TapFiles):
    """Reads CSV and TSV."""

    name = "tap-csv"
    summary = "CSV and TSV files"
    settings = (*s.PLACES[:2], s.KEYS, *s.CSV, *s.ROWS, s.PLACES[2], *s.READING, *s.COMMON)
    format = "csv"
    examples = _examples(name, "data/*.csv")


class TapJsonl(TapFiles):
    """Reads JSON Lines."""

    name = "tap-jsonl"
    summary = "JSON Lines files"
    settings = (*s.PLACES[:2], s.KEYS, *s.ROWS, s.PLACES[2], *s.READING, *s.COMMON)
    format = "jsonl"
    examples = _examples(name, "data/*.jsonl")


class TapParquet(TapFiles):
    """Reads Parquet."""

    name = "tap-parquet"
    summary = "Parquet files"
    settings = (*s.PLACES[:2], s.KEYS, s.PLACES[2], *s.READING, *s.COMMON)
    format = "parquet"
    examples = _examples(name, "data/*.parquet")
