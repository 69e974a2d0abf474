"""Singer messages: lines to rows and back, their types, catalogs, states, and when a state is safe.

The names below are loaded when first used, so that a part costs only what it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kozmo_singer.wire.catalog import Catalog, Stream, select
    from kozmo_singer.wire.decode import Reader
    from kozmo_singer.wire.encode import (
        RecordEncoder,
        abort_line,
        activate_version_line,
        dumps,
        schema_line,
        state_line,
    )
    from kozmo_singer.wire.messages import Aborted, ActivateVersion, Batch, Message, Schema, State
    from kozmo_singer.wire.rows import Rows
    from kozmo_singer.wire.types import Column, LogicalType, columns, from_schema, to_schema
    from kozmo_singer.wire.watermark import Watermark

_HOME = {
    "catalog": ("Catalog", "Stream", "select"),
    "decode": ("Reader",),
    "encode": (
        "RecordEncoder",
        "abort_line",
        "activate_version_line",
        "dumps",
        "schema_line",
        "state_line",
    ),
    "messages": ("Aborted", "ActivateVersion", "Batch", "Message", "Schema", "State"),
    "rows": ("Rows",),
    "types": ("Column", "LogicalType", "columns", "from_schema", "to_schema"),
    "watermark": ("Watermark",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
__all__ = [
    "Aborted",
    "ActivateVersion",
    "Batch",
    "Catalog",
    "Column",
    "LogicalType",
    "Message",
    "Reader",
    "RecordEncoder",
    "Rows",
    "Schema",
    "State",
    "Stream",
    "Watermark",
    "abort_line",
    "activate_version_line",
    "columns",
    "dumps",
    "from_schema",
    "schema_line",
    "select",
    "state_line",
    "to_schema",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
