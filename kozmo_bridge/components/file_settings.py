"""The settings of stores and of formats as inputs of a node, as their own taps tell them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kozmo_bridge.components.canvas import MultilineSecretInput
from kozmo_bridge.components.plugin_settings import PluginSetting, setting_name, settings_of
from kozmo_bridge.components.settings_form import described, input_of
from kozmo_bridge.components.stores import FORMATS, LOCAL, Store
from kozmo_bridge.components.typed_settings import config_of
from kozmo_runner.plugins import registered

_PLAIN = "tap-parquet"
"""A tap whose format needs no settings."""
_UNLIKE = ("tap-ftp", "tap-sftp")
"""Taps of two stores that have no setting of a store in common."""
_FIRST = ("delimiter", "encoding", "sheet", "json_path", "record_path", "widths")
"""The chief settings of formats."""
_ALWAYS = ("metadata_columns", "members")
"""Settings that are there for all formats and stores."""
_UNFIT = (
    *("columns", "max_row_bytes", "on_bad_row", "bucket", "container"),
    *("aws_access_key_id", "aws_secret_access_key"),
)
"""What has inputs of its own here, or fails a run at its end, when its rows are there."""
_SEVERAL_LINES = ("ssh_private_key", "google_credentials")
"""Secrets that are pasted, of which one line would keep the first alone."""
_OPTIONS = 200
"""The number of the first option of a format; the login of a store stands before them."""
_LETTERS = {"\\t": "\t", "tab": "\t", "space": " ", "\t": "\t", " ": " "}
"""Letters that cannot be typed into one line, or not be seen there."""
_ONE_LETTER = ("delimiter", "quote_char", "thousands")


async def fields(store: Store, words: Sequence[str], *, chosen: bool) -> list[Any]:
    """Return the inputs for the settings of *store*, of the formats *words*, and of all files.

    Of a format that was *chosen* the chief ones are shown; one that was detected needs none.
    """
    taps = [each.tap for each in FORMATS if each.word in words and each.tap in registered("tap")]
    whole, login, *options = await asyncio.gather(
        described(LOCAL.tap), _login(store), *(_own(tap, _PLAIN) for tap in taps)
    )
    places = list(whole["settings"]["properties"])
    first = _FIRST if chosen else ()
    found = {each.name: replace(each, shown=each.name in store.first) for each in login}
    numbers = {name: places.index(name) for name in found if name in places}
    for each in (each for own in options for each in own):
        found[each.name] = replace(each, shown=each.name in first)
    for each in settings_of(whole):
        if each.name in _ALWAYS:
            found[each.name] = replace(each, shown=False)
    return [
        _input(numbers.get(name, _OPTIONS + places.index(name)), each)
        for name, each in found.items()
        if name not in _UNFIT and name in places
    ]


def _input(number: int, setting: PluginSetting) -> Any:
    made = input_of(number, setting)
    if setting.name not in _SEVERAL_LINES:
        return made
    same = {"display_name": made.display_name, "info": made.info, "advanced": made.advanced}
    return MultilineSecretInput(name=made.name, **same, value="")


async def format_names() -> set[str]:
    """Return the names of the settings of all formats: those that every store has."""
    told = await asyncio.gather(*map(described, _UNLIKE))
    return set.intersection(*(set(each["settings"]["properties"]) for each in told))


async def options(store: Store, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the tap of *store* that the inputs *values* give."""
    told = {setting_name(name) or name: value for name, value in values.items()}
    known = settings_of(await described(store.tap))
    config = config_of([each for each in known if each.name in _typed(values)], told)
    for name in _ONE_LETTER:
        letter = _LETTERS.get(str(told.get(name) or "").lower())
        if letter is not None and name in _typed(values):
            config[name] = letter
    return config


def _typed(values: Mapping[str, Any]) -> set[str]:
    """The settings for which there are inputs, the two of S3 that have names of old among them."""
    found = {told for name in values if (told := setting_name(name)) is not None}
    return found | {"aws_access_key_id", "aws_secret_access_key"}


async def _login(store: Store) -> list[PluginSetting]:
    if store is LOCAL:
        return []
    return await _own(store.tap, next(tap for tap in _UNLIKE if tap != store.tap))


async def _own(tap: str, other: str) -> list[PluginSetting]:
    """The settings that *tap* has and *other* has not."""
    mine, theirs = await asyncio.gather(described(tap), described(other))
    names = theirs["settings"]["properties"]
    return [each for each in settings_of(mine) if each.name not in names]
