"""What all source adapters do: a tap is spawned for each call, and its rows become Data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kozmo_bridge.calls import read
from kozmo_bridge.reading import Reading
from kozmo_runner import api
from kozmo_singer.errors import ConfigError, KozmoError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.types import columns

if TYPE_CHECKING:
    from typing_extensions import Self

BATCH_SIZE = 1000


class Connected:
    """What sources and destinations have in common; *config* are the settings of the plug-in.

    Also a context manager. Only `connect` answers with Python's ConnectionError; everything else
    raises kozmo_singer.errors, which say what is wrong and what to do.
    """

    def __init__(self, **config: Any) -> None:
        self.config: dict[str, Any] = config
        self.problem: str | None = None
        """Why the last `test_connection` failed."""

    @property
    @abstractmethod
    def plugin(self) -> str:
        """The tap or target that does the work."""

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration of the plug-in."""
        return {name: value for name, value in self.config.items() if value is not None}

    def connect(self) -> bool:
        """Return True if the system can be reached; ConnectionError says why it cannot."""
        try:
            api.check(self.plugin, self.settings())
        except KozmoError as error:
            raise ConnectionError(str(error)) from error
        return True

    @abstractmethod
    def disconnect(self) -> None:
        """Stop what is still at work."""

    def test_connection(self) -> bool:
        """Return whether the system can be reached; `problem` tells why it cannot."""
        try:
            self.connect()
        except ConnectionError as error:
            self.problem = str(error)
            return False
        self.problem = None
        return True


class BaseSourceAdapter(Connected):
    """A source that a tap reads."""

    tap: str

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._catalog: Catalog | None = None
        self._readings: list[Generator[list[Any], None, None]] = []

    @property
    def plugin(self) -> str:
        """The tap."""
        return self.tap

    def disconnect(self) -> None:
        """Stop the taps that still read."""
        while self._readings:
            self._readings.pop().close()

    def discover_streams(self) -> list[str]:
        """Return the names of the streams."""
        return [stream.tap_stream_id for stream in self._found().streams]

    def get_schema(self, stream: str | None = None) -> dict[str, str]:
        """Return the columns of *stream* with their types; of the only one where it is not said."""
        found = self._stream(stream)
        return {column.name: column.type.name for column in columns(found.schema)}

    def load_data(
        self,
        stream: str | None = None,
        query: str | None = None,
        limit: int | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> Generator[list[Any], None, None]:
        """Yield the rows of *stream*, or of all, as lists of at most *batch_size* Data objects.

        *limit* is the most rows of all together. Memory holds a batch at a time.
        """
        if query:
            raise ConfigError(f"{self.plugin} takes no query")
        chosen = [self._stream(stream).tap_stream_id] if stream else None
        return self._opened(chosen, self.settings(), self._catalog, limit, batch_size)

    def _opened(
        self,
        streams: list[str] | None,
        settings: Mapping[str, Any],
        catalog: Catalog | None,
        limit: int | None,
        batch_size: int,
    ) -> Generator[list[Any], None, None]:
        """The rows of *streams*, which `disconnect` stops."""
        options: dict[str, Any] = {"batch_rows": batch_size, "catalog": catalog}
        rows = _rows(read(self.plugin, settings, streams, limit=limit, **options), limit)
        self._readings.append(rows)
        return rows

    def _found(self) -> Catalog:
        if self._catalog is None:
            self._catalog = api.discover(self.plugin, self.settings())
        return self._catalog

    def _stream(self, name: str | None) -> Stream:
        streams = {stream.tap_stream_id: stream for stream in self._found().streams}
        if name is None and len(streams) == 1:
            return next(iter(streams.values()))
        if name is None or name not in streams:
            what = "several streams; name one" if name is None else f"no stream '{name}'"
            raise ConfigError(
                f"{self.plugin} found {what}",
                *(did_you_mean(name, streams) if name else ()),
                f"there are {', '.join(streams)}",
            )
        return streams[name]


def _rows(reading: Reading, limit: int | None) -> Generator[list[Any], None, None]:
    room = limit
    with closing(reading):
        if room != 0:
            for batch in reading:
                data = batch.to_data()[:room]
                if data:
                    yield data
                if room is not None:
                    room -= len(data)
                    if room <= 0:
                        return
