"""What was typed for the settings of a plug-in, as its configuration. Knows nothing of the host."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kozmo_bridge.components.plugin_settings import NOT_SET, Kind, PluginSetting
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import json_type

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def config_of(settings: Sequence[PluginSetting], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of what was typed, *values* by setting.

    A setting that is empty or left at its default is not in it: the plug-in knows best. ConfigError
    names the setting that cannot be read, without its value.
    """
    config = {}
    for setting in settings:
        value = _read(setting, values.get(setting.name))
        if value is not None and (setting.required or value != setting.default):
            config[setting.name] = value
    return config


def json_object(text: Any, what: str) -> dict[str, Any]:
    """Return the JSON object that was typed into a text input, {} where nothing was."""
    value = _json(text, what) if isinstance(text, str) and text.strip() else text or {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{what}: expected a JSON object, got {json_type(value)}")
    return dict(value)


def typed(value: str) -> str:
    """Return a text as it was typed: the host makes a newline of a backslash and an n.

    The lines of a key in PEM and of a JSON document are lines; elsewhere there are none.
    """
    text = value.strip()
    if "\n" not in text or "-----BEGIN" in text:
        return text
    if text.startswith("{"):
        try:
            return json.dumps(_loads(text))
        except ValueError:
            return text.replace("\n", "\\n")
    return value.strip("\n").replace("\n", "\\n").strip()


def _read(setting: PluginSetting, value: Any) -> Any:
    """The value of a setting in its own type, None where it is left to the plug-in."""
    if not isinstance(value, str | list | Mapping):
        value = getattr(value, "text", value)
    if isinstance(value, str):
        value = value if setting.kind in ("list", "json") else typed(value)
        if value.strip() in ("", NOT_SET):
            return None
    if value is None or value in ([], {}):
        return None
    return _READERS[setting.kind](setting, value)


def _text(setting: PluginSetting, value: Any) -> Any:
    if isinstance(value, str):
        return value
    return str(value) if setting.types <= {"string"} else value


def _integer(setting: PluginSetting, value: Any) -> int:
    try:
        number = float(value) if isinstance(value, float) else int(value)
    except (ValueError, TypeError):
        raise _unlike(setting, "a whole number") from None
    if number != int(number) or isinstance(value, bool):
        raise _unlike(setting, "a whole number")
    return int(number)


def _number(setting: PluginSetting, value: Any) -> float:
    if isinstance(value, bool):
        raise _unlike(setting, "a number")
    try:
        number = float(value)
    except (ValueError, TypeError):
        raise _unlike(setting, "a number") from None
    return int(number) if number.is_integer() else number


def _boolean(setting: PluginSetting, value: Any) -> bool:
    truth = _TRUTHS.get(str(value).lower())
    if truth is None:
        raise _unlike(setting, "true or false")
    return truth


def _choice(setting: PluginSetting, value: Any) -> Any:
    for choice in setting.choices:
        if str(choice) == str(value):
            return choice
    raise _unlike(setting, f"one of {', '.join(map(str, setting.choices))}")


def _list(setting: PluginSetting, value: Any) -> list[Any]:
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith("["):
            parts = [part for piece in typed(text).split(",") if (part := piece.strip())]
            return [_item(setting, part) for part in parts]
        value = _json(text, f"setting '{setting.name}'")
    if not isinstance(value, list):
        raise _unlike(setting, "a list")
    return value


def _item(setting: PluginSetting, text: str) -> Any:
    if "string" in setting.items or not setting.items:
        return text
    return (_integer if setting.items == {"integer"} else _number)(setting, text)


def _any_json(setting: PluginSetting, value: Any) -> Any:
    if isinstance(value, str):
        if "string" in setting.types and value.strip()[0] not in "{[":
            return typed(value)
        value = _json(value, f"setting '{setting.name}'")
    name = "object" if isinstance(value, Mapping) else "array" if isinstance(value, list) else ""
    if name not in setting.types:
        raise _unlike(setting, " or ".join(sorted(setting.types)))
    return value


def _unlike(setting: PluginSetting, wanted: str) -> ConfigError:
    return ConfigError(f"setting '{setting.name}': expected {wanted}")


def _json(text: str, what: str) -> Any:
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"{what} is no JSON: {error.msg} at {place}") from None


def _loads(text: str) -> Any:
    # No JSON has a newline after a backslash: the host made it of "\\n".
    return json.loads(text.replace("\\\n", "\\\\n"), strict=False)


_READERS: Mapping[Kind, Callable[[PluginSetting, Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "choice": _choice,
    "list": _list,
    "json": _any_json,
}
