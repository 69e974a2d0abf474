"""Our targets as classes of Meltano's SDK: for its test suites, and for code that expects them.

The SDK brings the command line and the checks of the configuration; rows go through our engine.
"""

from __future__ import annotations

import importlib
import io
import sys
from collections import Counter
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from kozmo_singer.errors import RecordError
from kozmo_singer.settings import config_schema
from kozmo_targets.registry import TARGETS

if TYPE_CHECKING:
    import singer_sdk

    from kozmo_singer.wire.messages import Schema
    from kozmo_targets.target import LoadMethod, Target, Writer


def sdk_target(name: str) -> type[singer_sdk.Target]:
    """Return the target *name* of our registry as a class of singer_sdk.Target."""
    from singer_sdk import Target as SdkTarget
    from singer_sdk.singerlib.encoding.simple import SimpleSingerReader as SingerReader

    module, _, attribute = TARGETS[name].target.partition(":")
    engine: type[Target] = getattr(importlib.import_module(module), attribute)

    class Reader(SingerReader):
        """Hands the lines to our engine instead of parsing them."""

        def __init__(self, config: Mapping[str, Any]) -> None:
            super().__init__()
            self._config = config

        def process_lines(self, file_input: IO[str] | None, callbacks: Any) -> Counter[str]:
            """Load *file_input* to its end."""
            _run(engine, dict(self._config), file_input or sys.stdin)
            return Counter()

    class Facade(SdkTarget):
        """Reads and writes with our engine."""

        config_jsonschema = config_schema(engine.settings)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.message_reader = Reader(self.config)

    Facade.name = name
    Facade.__name__ = Facade.__qualname__ = engine.__name__
    return Facade


def _run(engine: type[Target], config: dict[str, Any], file: IO[str]) -> None:
    from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException

    keys: dict[str, list[str]] = {}

    class Watched(engine):  # type: ignore[misc, valid-type]  # a class made at run time
        """Remembers the keys, for the SDK's word for a record that lacks one."""

        def writer(self, schema: Schema, method: LoadMethod) -> Writer:
            keys[schema.stream] = schema.key_properties
            made: Writer = super().writer(schema, method)
            return made

    # The SDK adds settings of its own to what was configured.
    known = {s.name: config[s.name] for s in engine.settings if config.get(s.name) is not None}
    source = io.BytesIO(file.read().encode())
    out = io.BytesIO()
    try:
        Watched(known).run(source, out)
    except RecordError as error:
        field = (error.path or "").removeprefix("$.")
        if "before the SCHEMA" in error.reason:
            raise RecordsWithoutSchemaException(str(error)) from error
        if error.reason.endswith("got nothing") and field in keys.get(error.stream or "", ()):
            raise MissingKeyPropertiesError(str(error)) from error
        raise
    finally:
        sys.stdout.write(out.getvalue().decode())
