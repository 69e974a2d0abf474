"""Rules applied to a file or stream: through the pipe, or in memory where a rule needs all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from kozmo_bridge.cleaner.cleaning import Cleaner
from kozmo_bridge.cleaner.commands.showing import progress
from kozmo_bridge.cleaner.commands.source import Source
from kozmo_bridge.cleaner.drift import expectations, lacking
from kozmo_bridge.cleaner.pipe.memory import rules_in
from kozmo_bridge.cleaner.pipe.policy import RISKS, is_learned
from kozmo_bridge.cleaner.plain import plain
from kozmo_bridge.cleaner.rules import Rules
from kozmo_singer.errors import ConfigError, KozmoError

if TYPE_CHECKING:
    from kozmo_bridge.cleaner.model import Suggestion
    from kozmo_runner.process import Cancel

_LEARNED = 1_000_000
"""Rows that rules learn from, the first ones."""
_FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".fwf": "fixed-width", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "json", ".xml": "xml", ".xlsx": "excel", ".parquet": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".avro": "avro", ".orc": "orc",
}  # fmt: skip
_PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}


class Applying:
    """What is to be done to a source; `rules` are known once suggestions or apply have run.

    missing: the columns that the rules are for and that the rows lack, once apply has run.
    """

    def __init__(self, source: Source, rules: str, risk: str | None, cancel: Cancel) -> None:
        self.source, self._risk, self._cancel = source, risk, cancel
        self.rules = Rules() if rules == "auto" else rules_in(rules)
        self._auto = rules == "auto"
        self.missing: list[str] = []

    def suggestions(self) -> list[Suggestion]:
        """Return what could be done, up to the risk that was named; `rules` are the safe ones."""
        from kozmo_bridge.cleaner.profiling import profile
        from kozmo_bridge.cleaner.suggesting import suggest

        with progress(f"reading {self.source.name}") as tell:
            frames = self.source.frames(self._cancel, tell=tell)
            seen = profile(frames, source=self.source.name)
        found = suggest(seen)
        chosen = Rules.of(_within(found, self._risk or "safe"))
        self.rules = Rules(chosen.rules, expectations(seen))
        return _within(found, self._risk or "destructive")

    def drift(self) -> Sequence[Any]:
        """Return where the rows are no longer what the rules were made for."""
        return Cleaner(self.rules).check(self._first())

    def target(self, output: str | None, in_place: bool) -> Path:
        """Return the file to write; ConfigError where that is not to be."""
        path = self.source.path
        if in_place and path is None:
            raise ConfigError("only a file of this machine can be replaced: --output FILE")
        found = path if in_place or output is None else Path(output)
        assert found is not None
        if not in_place and path is not None and found.exists() and found.samefile(path):
            raise ConfigError(f"{found} is what is read; to replace it: --in-place")
        _format_of(found)
        return found

    def apply(self, target: Path) -> dict[str, Any]:
        """Write the clean rows to *target* and return the log: rows, what changed, faults."""
        if self._auto:
            self.suggestions()
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.absolute().parent))
        try:
            if Cleaner(self.rules).batched[0]:
                log = self._through_the_pipe(target, folder)
            else:
                log = self._in_memory(target, folder)
            made = [path for path in folder.rglob("*") if path.is_file()]
            if len(made) != 1:
                raise KozmoError(f"cannot write {target}", f"{len(made)} files were made of it")
            if target.exists():
                shutil.copymode(target, made[0])
            os.replace(made[0], target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return log

    def _first(self) -> pl.DataFrame:
        """The first rows, as many as rules learn from."""
        return pl.concat(list(self.source.frames(self._cancel, _LEARNED)), how="vertical_relaxed")

    def _through_the_pipe(self, target: Path, folder: Path) -> dict[str, Any]:
        """As a run of the tap, the mapper and target-files: nothing but a batch is in memory."""
        from kozmo_runner import api

        columns = next(self.source.frames(self._cancel, 1)).clear()
        self.missing = lacking(self.rules, columns.columns)
        if not all(is_learned(rule, columns) for rule in self.rules):
            self.rules = Cleaner(self.rules).fit(self._first()).rules
        told = folder.parent / f"{folder.name}.log"
        mapper = {"rules": [rule.to_dict() for rule in self.rules], "log_path": str(told)}
        try:
            with progress(f"writing {target.name}") as tell:
                report = api.run(
                    self.source.tap,
                    "target-files",
                    tap_config=self.source.sources,
                    streams=[self.source.stream],
                    mappers=[("map-kozmo-clean", mapper)],
                    target_config=_target(target, folder),
                    state_id=f"kozmo-clean-{os.getpid()}",
                    state_store="none",
                    watcher=_Watcher(tell),
                    cancel=self._cancel,
                )
            report.raise_for_failure()
            logs = json.loads(told.read_text(encoding="utf-8"))
        finally:
            told.unlink(missing_ok=True)
        log: dict[str, Any] = next(iter(logs.values()), {"rows": 0, "log": [], "faults": []})
        return log

    def _in_memory(self, target: Path, folder: Path) -> dict[str, Any]:
        from kozmo_bridge.cleaner.commands.writing import write

        frames = self.source.frames(self._cancel)
        whole = pl.concat(list(chain(frames)), how="vertical_relaxed")
        self.missing = lacking(self.rules, whole.columns)
        cleaner = Cleaner(self.rules)
        made = cleaner.whole(whole)
        self.rules = cleaner.rules
        write(made, self.source.stream, self.source.columns, _target(target, folder))
        return {
            "rows": made.height,
            "log": plain(cleaner.log),
            "faults": plain(cleaner.faults),
        }


class _Watcher:
    def __init__(self, tell: Any) -> None:
        self._tell = tell

    def tick(self, progress: Any) -> None:
        self._tell(progress.rows or 0)

    def line(self, name: str, text: str) -> None:
        return


def _within(found: Sequence[Suggestion], risk: str) -> list[Suggestion]:
    allowed = RISKS[: RISKS.index(risk) + 1]
    return [each for each in found if each.risk in allowed]


def _format_of(path: Path) -> tuple[str, str | None]:
    """The format that the ending of *path* names, and how it is packed."""
    packed = _PACKED.get(path.suffix.lower())
    plain_path = path.with_suffix("") if packed else path
    format = _FORMATS.get(plain_path.suffix.lower())
    if format is None:
        raise ConfigError(
            f"the ending of {path} names no format", f"there are: {', '.join(_FORMATS)}"
        )
    return format, packed


def _target(path: Path, folder: Path) -> dict[str, Any]:
    format, packed = _format_of(path)
    config: dict[str, Any] = {
        "path": str(folder),
        "format": format,
        "load_method": "overwrite",
        "max_file_bytes": 1 << 50,
    }
    if packed is not None:
        config["compression"] = packed
    if format == "csv" and path.with_suffix("" if packed else path.suffix).suffix != ".csv":
        config["delimiter"] = "\t"
    return config
