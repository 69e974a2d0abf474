"""What every target is: settings, the seam that a new target fills in, and the run itself.

A target gives one Writer a stream. The engine (kozmo_targets.load) decides when to flush, which
STATE is safe and what happens at the end; a Writer only knows how rows get to where they belong.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Literal, NamedTuple

from kozmo_singer.errors import ConfigError, ReadError, RecordError
from kozmo_singer.plugin import Plugin, asks_for_maps, without_cycles
from kozmo_singer.settings import MAPS, Setting, grouped
from kozmo_singer.wire import lane
from kozmo_singer.wire.committed import Committed, RunNote
from kozmo_targets import quarantine
from kozmo_targets.load import Load, Mark

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.wire.catalog import Catalog
    from kozmo_singer.wire.messages import Batch, Schema
    from kozmo_singer.wire.rows import Rows
    from kozmo_targets.load import Aside

LoadMethod = Literal["append-only", "upsert", "overwrite", "create"]


class Counts(NamedTuple):
    """Rows that were new, and rows that took the place of others with their key."""

    inserted: int = 0
    updated: int = 0


IDLE_SECONDS = 0.5
"""How long a read may wait before batches that grew old, and signals, are looked after."""


def load_method_setting(*methods: LoadMethod) -> Setting:
    """Return the setting load_method for a target that knows *methods*."""
    upsert = "upsert where the stream has a key, else " if "upsert" in methods else ""
    create = ". create: the table must not be there yet" if "create" in methods else ""
    return Setting(
        "load_method",
        "How rows are added to what is there already. auto: "
        f"{upsert}overwrite for a full table whose tap says so, else append-only{create}",
        default="auto",
        choices=("auto", *methods),
    )


BATCH_SETTINGS = (
    Setting(
        "batch_size_bytes",
        "Make rows durable at the latest when so many bytes of input wait",
        kind="integer",
        default=32 << 20,
        minimum=1,
    ),
    Setting(
        "batch_size_rows",
        "Make rows durable at the latest when so many rows wait",
        kind="integer",
        default=100_000,
        minimum=1,
    ),
    Setting(
        "batch_wait_seconds",
        "Make rows durable at the latest when the oldest has waited so long",
        kind="number",
        default=5.0,
    ),
)
MAPPING_SETTINGS = grouped(
    MAPS,
    Setting("stream_maps", "Inline stream maps, as in Meltano's SDK", kind="object"),
    Setting("stream_map_config", "Values for use in stream maps", kind="object"),
    Setting("faker_config", "Seed and locale of the fake values in stream maps", kind="object"),
    Setting(
        "flattening_enabled",
        "Turn nested objects into columns of their own",
        kind="boolean",
        default=False,
    ),
    Setting("flattening_max_depth", "How many levels to flatten", kind="integer", minimum=0),
    Setting(
        "flattening_max_key_length",
        "Shorten names of flattened columns to this",
        kind="integer",
        minimum=1,
    ),
    Setting("flattening_separator", "Joins the names of flattened columns", default="__"),
)
COMMON_SETTINGS = (*BATCH_SETTINGS, *quarantine.SETTINGS, *MAPPING_SETTINGS)
CAPABILITIES = ("about", "stream-maps", "schema-flattening", "batch")


class Writer(ABC):
    """Puts the rows of one stream where they belong.

    The engine calls open; then write any number of times and flush, in turn; open again, right
    after a flush, where the stream's schema changes; and at last finish, if the input came to
    its end in good order, or abort.
    """

    aside: Aside | None = None
    """Where records go that turn out bad after `write` has taken them; None if that is an error."""

    @abstractmethod
    def open(self, schema: Schema) -> None:
        """Get ready for rows of *schema*: the first one, or one that changed in the stream."""

    @abstractmethod
    def write(self, rows: Rows) -> None:
        """Take rows, or none of them: RecordError names the first that cannot be stored."""

    def write_columns(self, rows: pa.RecordBatch, batch: Batch) -> bool:
        """Take rows as they came in *batch*; False where they are wanted by `write` instead."""
        return False

    @abstractmethod
    def flush(self) -> bool:
        """Hand over all rows taken so far, so that Target.commit makes them durable.

        False if they stay hidden until finish, as with overwrite: their STATE then waits too.
        """

    def counted(self) -> Counts | None:
        """Return what became of the rows since the last call; None where that is not known.

        Called after each commit; of rows that stay hidden until finish, after that only.
        """
        return None

    def activate_version(self, version: int) -> None:
        """Remove rows of an older version; called between the last flush and finish."""
        return

    @abstractmethod
    def finish(self) -> None:
        """The stream is complete: hand over what was hidden, so that Target.complete shows it."""

    def abort(self) -> None:
        """The stream is not complete: leave nothing behind of what was not flushed or hidden.

        Must not raise for a connection that is gone.
        """
        return


class Target(Plugin, ABC):
    """A Singer target: reads messages, writes STATE once the rows before it are durable."""

    load_methods: ClassVar[tuple[LoadMethod, ...]] = ("append-only", "overwrite")
    note = RunNote()
    """What the runner tells about the run, if one does."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.quarantine = quarantine.chosen(self.name, self.config)

    @abstractmethod
    def writer(self, schema: Schema, method: LoadMethod) -> Writer:
        """Return the writer of a stream that is new in this run; the engine opens it."""

    @property
    def keeps_state(self) -> bool:
        """Whether commit and complete make the state that they get durable with the rows."""
        return False

    def committed(self, state_id: str) -> list[Committed]:
        """Return the states that were committed under *state_id*, by the last run or earlier."""
        return []

    def commit(self, mark: Mark | None = None) -> None:
        """Make durable what the writers flushed since the last commit, and *mark* with it."""

    def commit_updates(self) -> None:
        """Of what was flushed make durable what may come a second time, as updates may.

        Called in the place of commit while no state covers the rows that were appended.
        """

    def complete(self, mark: Mark | None = None) -> None:
        """Make durable and visible what the writers handed over in finish, and *mark* with it."""
        self.commit(mark)

    def close(self) -> None:
        """Let go of connections and files; what was not committed is undone."""

    def expect_columns(self) -> None:
        """Get ready for batches of the Arrow lane, for example load libraries."""
        return

    def read_back(self, catalog: Catalog, out: BinaryIO) -> None:
        """Write to *out* what is there of the selected streams; see kozmo_targets.readback."""
        raise ConfigError(f"{self.name} cannot read back what it wrote")

    def load_method(self, schema: Schema) -> LoadMethod:
        """Return how rows of this stream are added: the setting, or what auto means for it."""
        chosen: LoadMethod | Literal["auto"] = self.config["load_method"]
        if chosen == "auto":
            if schema.key_properties and "upsert" in self.load_methods:
                return "upsert"
            return "overwrite" if schema.replication_method == "FULL_TABLE" else "append-only"
        # Without a key there is nothing to update by.
        return "append-only" if chosen == "upsert" and not schema.key_properties else chosen

    def run(self, source: int | BinaryIO, out: BinaryIO) -> None:
        """Load the messages of *source* to its end and write the values of safe states to *out*.

        On any error, on a signal and where the runner says that the tap failed, rows received so
        far are made durable where that is possible, their state is told, and nothing is swapped
        or deleted.
        """
        if lane.descriptor() is not None:
            self.expect_columns()
        load = Load(self, out)
        try:
            with without_cycles(), self._input(source) as (prepared, expect_end):
                whole = load.consume(prepared, IDLE_SECONDS, expect_end)
            if whole:
                load.complete()
            else:
                load.drain()
                load.abort()
        except BaseException as error:
            load.abort()
            load.tell()
            if isinstance(error, RecordError) and error.of_record:
                error.details += (quarantine.REMEDY,)
            raise
        finally:
            load.close()
            self.close()
        if load.aborted is not None:
            loaded = (
                "nothing is" if self.config.get("all_or_nothing") else "rows that came before are"
            )
            raise ReadError(
                "the tap failed, so its streams are incomplete",
                load.aborted,
                f"{loaded} loaded; nothing was replaced or deleted",
            )

    @contextmanager
    def _input(self, source: int | BinaryIO) -> Iterator[tuple[int | BinaryIO, Callable[[], None]]]:
        """Give what to read, and what to call at its end to hear of faults on the way there."""
        if asks_for_maps(self.config):
            from kozmo_targets.mapping import mapped

            with mapped(self.name, self.config, source) as prepared:
                yield prepared
        else:
            yield source, lambda: None
