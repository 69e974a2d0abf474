"""KozmoAI's door to Singer: rows of any tap as Data objects, and Data objects into any target.

    import kozmo_bridge as kozmo

    for batch in kozmo.read("tap-postgres", config, streams=["public-orders"], state="orders"):
        rows = batch.to_data("{name}: {description}")
    kozmo.write("target-sqlite", {"path": "copy.db"}, rows, stream="orders")

Every function that waits has a twin for event loops: aread, adiscover, acheck, apreview, acount,
awrite. Importing this package imports nothing else; KozmoAI, pandas and pyarrow are imported where
they are first needed.
"""

from typing import TYPE_CHECKING, Any

_HOME = {
    "acheck": "kozmo_runner.api",
    "acount": "kozmo_runner.api",
    "adiscover": "kozmo_runner.api",
    "apreview": "kozmo_bridge.calls",
    "aread": "kozmo_bridge.calls",
    "awrite": "kozmo_bridge.calls",
    "Batch": "kozmo_bridge.batch",
    "check": "kozmo_runner.api",
    "count": "kozmo_runner.api",
    "discover": "kozmo_runner.api",
    "kozmo_data_to_df": "kozmo_bridge.convert",
    "mage_df_to_kozmo_data": "kozmo_bridge.convert",
    "mage_df_to_kozmo_dataframe": "kozmo_bridge.convert",
    "native": "kozmo_bridge.values",
    "preview": "kozmo_bridge.calls",
    "read": "kozmo_bridge.calls",
    "singer_record_to_kozmo_data": "kozmo_bridge.convert",
    "write": "kozmo_bridge.writing",
}
__all__ = sorted(_HOME)

if TYPE_CHECKING:
    from kozmo_bridge.batch import Batch as Batch
    from kozmo_bridge.calls import apreview as apreview
    from kozmo_bridge.calls import aread as aread
    from kozmo_bridge.calls import awrite as awrite
    from kozmo_bridge.calls import preview as preview
    from kozmo_bridge.calls import read as read
    from kozmo_bridge.convert import kozmo_data_to_df as kozmo_data_to_df
    from kozmo_bridge.convert import mage_df_to_kozmo_data as mage_df_to_kozmo_data
    from kozmo_bridge.convert import mage_df_to_kozmo_dataframe as mage_df_to_kozmo_dataframe
    from kozmo_bridge.convert import singer_record_to_kozmo_data as singer_record_to_kozmo_data
    from kozmo_bridge.values import native as native
    from kozmo_bridge.writing import write as write
    from kozmo_runner.api import acheck as acheck
    from kozmo_runner.api import acount as acount
    from kozmo_runner.api import adiscover as adiscover
    from kozmo_runner.api import check as check
    from kozmo_runner.api import count as count
    from kozmo_runner.api import discover as discover


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
