"""target-jsonl: a folder with a file of JSON Lines for each stream."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kozmo_singer.errors import WriteError
from kozmo_singer.settings import Setting
from kozmo_targets import readback
from kozmo_targets.files.lines import LinesFile, file_name, prepare_folder
from kozmo_targets.target import (
    CAPABILITIES,
    COMMON_SETTINGS,
    LoadMethod,
    Target,
    Writer,
    load_method_setting,
)

if TYPE_CHECKING:
    from kozmo_singer.wire.catalog import Catalog
    from kozmo_singer.wire.messages import Schema
    from kozmo_singer.wire.rows import Rows


class TargetJSONL(Target):
    """Writes each record as a line; a file that is overwritten is replaced when it is whole."""

    name = "target-jsonl"
    summary = "JSON Lines files in a folder"
    settings = (
        Setting("path", "Folder for the files, one a stream; made if need be", required=True),
        Setting(
            "compression",
            "none: STREAM.jsonl. gzip: STREAM.jsonl.gz",
            default="none",
            choices=("none", "gzip"),
        ),
        load_method_setting("append-only", "overwrite"),
        *COMMON_SETTINGS,
    )
    capabilities = (*CAPABILITIES, readback.CAPABILITY)
    examples = ("tap-postgres --config shop.json | target-jsonl --config folder.json",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._folder = Path(self.config["path"]).expanduser()
        self._streams: dict[tuple[int, int], str] = {}

    def check(self) -> str:
        """Make sure that the folder is there and can be written to."""
        prepare_folder(self._folder)
        files = sum(1 for path in self._folder.iterdir() if path.name.endswith(self._suffix))
        return f"{self._folder} can be written to; {files} files of ours are there"

    def writer(self, schema: Schema, method: LoadMethod) -> Writer:
        """Return the writer of a stream; two streams must not share a file."""
        prepare_folder(self._folder)
        path = self._path(schema.stream)
        compress = self.config["compression"] == "gzip"
        file = LinesFile(path, replace=method == "overwrite", compress=compress)
        rival = self._streams.setdefault(file.identity, schema.stream)
        if rival != schema.stream:
            file.abort()
            raise WriteError(
                f"streams {rival} and {schema.stream} would share the file {path}",
                "their names differ in what this file system does not tell apart",
            )
        return JsonLinesWriter(file, method)

    def read_back(self, catalog: Catalog, out: BinaryIO) -> None:
        """Write the lines of the files as records."""
        for stream in catalog.selected():
            readback.write_lines(out, stream, self._path(stream.stream))

    def _path(self, stream: str) -> Path:
        return self._folder / (file_name(stream) + self._suffix)

    @property
    def _suffix(self) -> str:
        return ".jsonl.gz" if self.config["compression"] == "gzip" else ".jsonl"


class JsonLinesWriter(Writer):
    """Each record as the tap wrote it, with every column of the schema as a key."""

    def __init__(self, file: LinesFile, method: LoadMethod) -> None:
        self._file = file
        self._shown = method != "overwrite"

    def open(self, schema: Schema) -> None:
        return

    def write(self, rows: Rows) -> None:
        self._file.write(b"\n".join([*rows.records(), b""]))

    def flush(self) -> bool:
        self._file.flush()
        return self._shown

    def finish(self) -> None:
        self._file.finish()

    def abort(self) -> None:
        self._file.abort()
