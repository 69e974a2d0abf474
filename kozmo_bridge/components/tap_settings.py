"""Settings of a tap as inputs of a node: made from its --about, so that none is listed twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kozmo_bridge.components.base import flag, names_in
from kozmo_bridge.components.canvas import (
    BoolInput,
    DropdownInput,
    IntInput,
    MultilineSecretInput,
    SecretStrInput,
    StrInput,
)
from kozmo_runner import api
from kozmo_singer.errors import ConfigError

UNSET = "Detected"
"""The choice of a dropdown that leaves a setting to the tap."""
_YES_NO = (UNSET, "Yes", "No")
_SEVERAL_LINES = ("google_credentials", "ssh_private_key")
"""Secrets whose text has several lines, or is a file."""
_SPELT = {
    name.lower(): name
    for name in ("AWS", "FTP", "GCS", "HTTP", "ID", "JSON", "SAS", "SSH", "TLS", "URL")
}
_LETTERS = {"\\t": "\t", "tab": "\t", "space": " ", "semicolon": ";", "comma": ",", "pipe": "|"}
"""Letters that an input of one line cannot take, or that are easier to read by name."""
_known: dict[str, dict[str, Setting]] = {}


class Setting(NamedTuple):
    """A setting as the tap describes it."""

    name: str
    kind: str
    info: str
    default: Any
    choices: Sequence[str]
    secret: bool

    @property
    def label(self) -> str:
        """Its name in words, as AWS region."""
        words = [_SPELT.get(word, word) for word in self.name.split("_")]
        return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


async def settings_of(tap: str) -> dict[str, Setting]:
    """Return the settings of *tap* by name, which is asked for them once."""
    if tap not in _known:
        told = (await api.aabout(tap)).get("settings", {}).get("properties", {})
        _known[tap] = {name: _setting(name, schema) for name, schema in told.items()}
    return _known[tap]


async def own(tap: str, other: str) -> list[Setting]:
    """Return the settings that *tap* has and *other* has not."""
    mine, theirs = await asyncio.gather(settings_of(tap), settings_of(other))
    return [each for name, each in mine.items() if name not in theirs]


def is_secret(name: str) -> bool:
    """Return whether a tap that was asked before has said that the setting *name* is a secret."""
    return any(name in each and each[name].secret for each in _known.values())


def _setting(name: str, schema: Mapping[str, Any]) -> Setting:
    kinds = [kind for kind in schema.get("type", ()) if kind != "null"]
    choices = [choice for choice in schema.get("enum", ()) if choice is not None]
    text = str(schema.get("description", ""))
    return Setting(
        name,
        kinds[0] if kinds else "string",
        text,
        schema.get("default"),
        choices,
        bool(schema.get("secret")),
    )


def field(setting: Setting, *, advanced: bool) -> Any:
    """Return the input for *setting*."""
    common = {
        "name": setting.name,
        "display_name": setting.label,
        "info": _info(setting),
        "advanced": advanced,
        # What the class does not declare itself is told apart by it.
        "dynamic": True,
    }
    if setting.secret:
        several = setting.name in _SEVERAL_LINES
        return (MultilineSecretInput if several else SecretStrInput)(**common)
    if setting.choices:
        first = [] if setting.default in setting.choices else [UNSET]
        options = [*first, *setting.choices]
        return DropdownInput(**common, options=options, value=setting.default or UNSET)
    if setting.kind == "boolean" and setting.default is None:
        return DropdownInput(**common, options=list(_YES_NO), value=UNSET)
    if setting.kind == "boolean":
        return BoolInput(**common, value=bool(setting.default))
    if setting.kind == "integer" and setting.default is not None:
        return IntInput(**common, value=setting.default)
    return StrInput(**common, placeholder="" if setting.default is None else str(setting.default))


def _info(setting: Setting) -> str:
    how = {"array": "Several with commas between them.", "object": "As JSON."}.get(setting.kind)
    default = "" if setting.default in (None, False, "") else f"Default: {setting.default}."
    return " ".join(filter(None, [f"{setting.info}.", how, default]))


def value(setting: Setting, typed: Any) -> Any:
    """Return what the user put into the input of *setting* as the tap wants it, None for nothing.

    ConfigError says what is wrong with it.
    """
    text = "" if typed is None else str(typed)
    if text.strip(" ") == "" or typed == UNSET:
        return None
    if setting.kind == "boolean":
        return flag(typed)
    if setting.kind == "integer":
        return _whole(setting, text)
    if setting.kind == "object" or setting.kind == "array" and text.lstrip().startswith("["):
        return _json(setting, text)
    if setting.kind == "array":
        return names_in(text)
    return _text(setting, text)


def _whole(setting: Setting, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{setting.label} must be a whole number, got '{text[:40]}'") from None


def _json(setting: Setting, text: str) -> Any:
    try:
        # The host makes line breaks of what stands for them within the texts.
        found = json.loads(text, strict=False)
    except ValueError as error:
        raise ConfigError(f"{setting.label} is no JSON: {error}") from None
    if not isinstance(found, dict if setting.kind == "object" else list):
        raise ConfigError(f"{setting.label} must be a JSON {setting.kind}")
    return found


def _text(setting: Setting, text: str) -> str:
    if text.lstrip().startswith("{") and setting.secret:
        return json.dumps(_json(setting._replace(kind="object"), text))
    if text.lstrip().startswith("-----BEGIN"):
        return text.strip().replace("\\n", "\n") + "\n"
    if text.lower() in _LETTERS:
        return _LETTERS[text.lower()]
    return text if text.isspace() else text.strip("\n").replace("\n", "\\n").strip()
