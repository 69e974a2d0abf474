"""target-kozmo: rows as KozmoAI Data, in a folder of JSON Lines or handed to a running flow."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.plugin import stopping
from kozmo_singer.settings import Setting
from kozmo_singer.systems.kozmoai.forms import RecordWriter
from kozmo_singer.systems.kozmoai.template import TextTemplate
from kozmo_singer.wire.encode import dumps
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
    from kozmo_singer.systems.kozmoai.flow import Flow
    from kozmo_singer.wire.catalog import Catalog
    from kozmo_singer.wire.messages import Schema
    from kozmo_singer.wire.rows import Rows

FLOW_BATCHES = {"batch_size_rows": 1_000, "batch_size_bytes": 4 << 20}
"""What a flow is given at once where the user does not say: the host takes 3,000 rows a second."""


class TargetKozmo(Target):
    """Writes what the constructor of KozmoAI's Data takes back: text_key, data, default_value."""

    name = "target-kozmo"
    summary = "KozmoAI Data: a folder, or a running flow"
    settings = (
        Setting(
            "output",
            "Folder for the files, one STREAM.jsonl a stream, each line a Data object",
            default="kozmo-data",
        ),
        Setting(
            "flow_url",
            "Instead of the folder: the flow that gets the rows, by the URL of its run endpoint "
            "(http://127.0.0.1:7860/api/v1/run/FLOW) or of its page; batches are then of at most "
            "1,000 rows and 4 MiB, unless their settings say otherwise",
        ),
        Setting("api_key", "API key of KozmoAI, for flow_url", secret=True),
        Setting(
            "input_component",
            "Component of the flow that gets the rows, by id or name; by default its Webhook",
        ),
        Setting(
            "input_field",
            "Input of that component; by default data of a Webhook, else input_value",
        ),
        Setting(
            "timeout",
            "Seconds that one run of the flow may take",
            kind="number",
            default=300.0,
        ),
        Setting(
            "max_retries",
            "How often a run that failed for now (429, 5xx, no connection) is tried again",
            kind="integer",
            default=4,
            minimum=0,
        ),
        Setting("text_key", "Where a Data object has its text", default="text"),
        Setting(
            "text_template",
            "Text for each Data, made of columns: '{name}: {description}'. A NULL is left empty",
        ),
        Setting(
            "text_templates",
            "Text templates of single streams, which go before text_template: "
            '{"orders": "{id}: {status}"}',
            kind="object",
        ),
        load_method_setting("append-only", "overwrite"),
        *COMMON_SETTINGS,
    )
    capabilities = (*CAPABILITIES, readback.CAPABILITY)
    examples = (
        "tap-sqlite --config shop.json | target-kozmo --config folder.json",
        "kozmo run tap-sqlite target-kozmo --tap-config path=shop.db --target-config output=data",
    )

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        if self.config["flow_url"]:
            _check_for_flow(config)
            given = {name for name, value in config.items() if value not in (None, "")}
            self.config |= {k: v for k, v in FLOW_BATCHES.items() if k not in given}
        elif config.get("api_key"):
            raise ConfigError("target-kozmo: api_key is for a flow", "set flow_url as well")
        self._folder = Path(self.config["output"]).expanduser()
        self._streams: dict[tuple[int, int], str] = {}
        self._templates = {
            name: TextTemplate(str(template))
            for name, template in (self.config["text_templates"] or {}).items()
        }
        template = self.config["text_template"]
        self._template = TextTemplate(template) if template else None
        self._flow: Flow | None = self._make_flow() if self.config["flow_url"] else None
        self._batches = 0
        self._run = uuid.uuid4().hex

    def check(self) -> str:
        """Reach the flow and find its input, or make sure that the folder can be written to."""
        if self.config["flow_url"]:
            flow = self._make_flow(retries=0)
            try:
                return flow.describe()
            finally:
                flow.close()
        prepare_folder(self._folder, "output")
        files = sum(1 for path in self._folder.iterdir() if path.suffix == ".jsonl")
        return f"{self._folder} can be written to; {files} files of Data are there"

    def load_method(self, schema: Schema) -> LoadMethod:
        """As of every target; a flow is only ever given more rows."""
        return super().load_method(schema) if self._flow is None else "append-only"

    def writer(self, schema: Schema, method: LoadMethod) -> Writer:
        """Return the writer of a stream."""
        template = self._templates.get(schema.stream, self._template)
        if self._flow is not None:
            return FlowWriter(self, self._flow, template)
        prepare_folder(self._folder, "output")
        path = self._path(schema.stream)
        file = LinesFile(path, replace=method == "overwrite")
        rival = self._streams.setdefault(file.identity, schema.stream)
        if rival != schema.stream:
            file.abort()
            raise WriteError(
                f"streams {rival} and {schema.stream} would share the file {path}",
                "their names differ in what this file system does not tell apart",
            )
        return FolderWriter(file, template, self.config["text_key"], shown=method != "overwrite")

    def read_back(self, catalog: Catalog, out: BinaryIO) -> None:
        """Write the rows in the files of Data as records; a flow gives nothing back."""
        if self._flow is not None:
            raise ConfigError("target-kozmo cannot read back what it gave to a flow")
        for stream in catalog.selected():
            readback.write_data(out, stream, self._path(stream.stream))

    def _path(self, stream: str) -> Path:
        return self._folder / f"{file_name(stream)}.jsonl"

    def close(self) -> None:
        """Close the connection to KozmoAI."""
        if self._flow is not None:
            self._flow.close()

    def next_batch(self) -> str:
        """Return an id for one run of the flow; it stays the same when the run is tried again."""
        self._batches += 1
        return f"{self._run}-{self._batches}"

    def _make_flow(self, retries: int | None = None) -> Flow:
        from kozmo_singer.systems.kozmoai.flow import Flow

        config = self.config
        return Flow(
            config["flow_url"],
            config["api_key"],
            component=config["input_component"],
            field=config["input_field"],
            timeout=config["timeout"],
            retries=config["max_retries"] if retries is None else retries,
            stopped=lambda: stopping.requested,
        )


class FolderWriter(Writer):
    """A line a row: the JSON of Data.model_dump(), which Data(**json.loads(line)) takes back."""

    def __init__(
        self, file: LinesFile, template: TextTemplate | None, text_key: str, *, shown: bool
    ) -> None:
        self._file, self._template, self._text_key, self._shown = file, template, text_key, shown
        self._head = b'{"text_key":' + dumps(text_key) + b',"data":'
        self._tail = b',"default_value":""}\n'

    def open(self, schema: Schema) -> None:
        self._records = _records(schema, self._template, self._text_key)

    def write(self, rows: Rows) -> None:
        records = self._records.records(rows)
        if records:
            body = (self._tail + self._head).join(records)
            self._file.write(b"".join((self._head, body, self._tail)))

    def flush(self) -> bool:
        self._file.flush()
        return self._shown

    def finish(self) -> None:
        self._file.finish()

    def abort(self) -> None:
        self._file.abort()


class FlowWriter(Writer):
    """Runs the flow with each batch; rows count as durable once the run has ended well."""

    def __init__(self, target: TargetKozmo, flow: Flow, template: TextTemplate | None) -> None:
        self._target, self._flow, self._template = target, flow, template
        self._waiting: list[bytes] = []

    def open(self, schema: Schema) -> None:
        config = self._target.config
        self._records = _records(schema, self._template, config["text_key"])
        self._head = (
            b'{"stream":' + dumps(schema.stream)
            + b',"key_properties":' + dumps(schema.key_properties)
            + b',"text_key":' + dumps(config["text_key"])
            + b',"default_value":"","batch":'
        )  # fmt: skip

    def write(self, rows: Rows) -> None:
        self._waiting += self._records.records(rows)

    def flush(self) -> bool:
        records, self._waiting = self._waiting, []
        config = self._target.config
        for part in _parts(records, config["batch_size_rows"], config["batch_size_bytes"]):
            batch = dumps(self._target.next_batch())
            self._flow.run(self._head + batch + b',"records":[' + b",".join(part) + b"]}")
        return True

    def finish(self) -> None:
        return


def _check_for_flow(config: Mapping[str, Any]) -> None:
    if config.get("output"):
        raise ConfigError("target-kozmo writes to output or to flow_url, not to both")
    if config.get("load_method") == "overwrite":
        raise ConfigError(
            "target-kozmo: a flow cannot be overwritten", "load_method overwrite is for output"
        )


def _records(schema: Schema, template: TextTemplate | None, text_key: str) -> RecordWriter:
    if template is not None:
        template.check(schema.stream, [column.name for column in schema.columns], text_key)
    return RecordWriter(schema.columns, template, text_key)


def _parts(records: Sequence[bytes], rows: int, size: int) -> Iterator[Sequence[bytes]]:
    """Pieces of at most *rows* records and, unless a record alone has more, *size* bytes."""
    start = total = 0
    for i, record in enumerate(records):
        if i > start and (i - start >= rows or total + len(record) > size):
            yield records[start:i]
            start, total = i, 0
        total += len(record)
    if start < len(records):
        yield records[start:]
