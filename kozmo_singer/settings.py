"""Settings, declared once: the help, --about, the docs, meltano.yml and forms come from here."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kozmo_singer import secrets
from kozmo_singer.errors import ConfigError

Kind = Literal["string", "integer", "number", "boolean", "array", "object"]
MAPS = "Stream maps and flattening"
"""The heading of what the Singer SDK knows of that."""
_TRUE = {"true", "1", "yes", "on", "t"}
_FALSE = {"false", "0", "no", "off", "f"}


@dataclass(frozen=True)
class Setting:
    """One setting of a plug-in; *choices* closes its values, *secret* masks it everywhere."""

    name: str
    description: str
    kind: Kind = "string"
    default: Any = None
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    group: str = ""
    """The heading that it stands under where settings are shown; those under none come first."""

    def json_schema(self) -> dict[str, Any]:
        """Return the setting as a JSON Schema property, in the manner of the Singer SDK."""
        types: list[str] = [self.kind]
        if not self.required:
            types.append("null")
        schema: dict[str, Any] = {"type": types, "description": self.description}
        if self.default is not None:
            schema["default"] = self.default
        if self.choices:
            schema["enum"] = [*self.choices] if self.required else [*self.choices, None]
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        if self.secret:
            schema |= dict.fromkeys(("secret", "writeOnly"), True)
        return schema


def grouped(group: str, *settings: Setting) -> tuple[Setting, ...]:
    """Return *settings* under the heading *group*."""
    return tuple(replace(setting, group=group) for setting in settings)


def groups(settings: Iterable[Setting]) -> dict[str, list[Setting]]:
    """Return *settings* by their headings: those under none first, others as they are met."""
    found: dict[str, list[Setting]] = {"": []}
    for setting in settings:
        found.setdefault(setting.group, []).append(setting)
    return {group: each for group, each in found.items() if each}


def config_schema(settings: Sequence[Setting]) -> dict[str, Any]:
    """Return the JSON Schema of a whole configuration."""
    return {
        "type": "object",
        "properties": {s.name: s.json_schema() for s in settings},
        "required": [s.name for s in settings if s.required],
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }


def load_config(plugin: str, settings: Sequence[Setting], sources: Iterable[str]) -> dict[str, Any]:
    """Return the raw configuration merged from its sources, later ones winning.

    A source is a path of a JSON file, in which ${NAME} stands for a variable, or the word ENV for
    variables such as TAP_SQLITE_PATH. Commands are run and the keyring is asked, see `secrets`.
    """
    config: dict[str, Any] = {}
    for source in sources:
        if source == "ENV":
            config |= from_environment(plugin, settings, os.environ)
        else:
            config |= secrets.expand(read_json_object(source, "config"))
    by_command = commands(settings)
    found, _ = secrets.fetch(config, lambda name: name + secrets.COMMAND in by_command)
    return found


def commands(settings: Sequence[Setting]) -> list[str]:
    """Return the names NAME_command under which a command may be given for a setting of text."""
    names = {s.name for s in settings}
    texts = [s.name + secrets.COMMAND for s in settings if s.kind == "string" and not s.choices]
    return [name for name in texts if name not in names]


def from_environment(
    plugin: str, settings: Sequence[Setting], environ: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings that *environ* gives as <PLUGIN>_<SETTING> in upper case."""
    prefix = plugin.upper().replace("-", "_") + "_"
    names = {prefix + n.upper(): n for n in (*(s.name for s in settings), *commands(settings))}
    return {name: environ[variable] for variable, name in names.items() if variable in environ}


def read_json_object(path: str, what: str) -> dict[str, Any]:
    """Return the JSON object in the file *path*; ConfigError says why where it is none."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read {what} file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what} file {path} is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{what} file {path} is not JSON",
            f"line {error.lineno}, column {error.colno}: {error.msg}",
        ) from error
    if not isinstance(value, dict):
        raise ConfigError(f"{what} file {path} must hold a JSON object, not {json_type(value)}")
    return value


def resolve(plugin: str, settings: Sequence[Setting], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return *config* checked, converted and completed with defaults; every setting is a key.

    Unknown settings, missing ones and values of the wrong kind raise ConfigError.
    An empty string counts as absent where the setting has a kind other than string.
    """
    known = {s.name: s for s in settings}
    for name in config:
        if name not in known:
            hint = did_you_mean(name, [*known, *commands(settings)])
            raise ConfigError(f"{plugin} has no setting '{name}'", *hint)
    resolved: dict[str, Any] = {}
    for setting in settings:
        value = config.get(setting.name)
        if value == "" and setting.kind != "string":
            value = None
        if value is not None:
            value = _convert(plugin, setting, value)
        resolved[setting.name] = setting.default if value is None else value
        if setting.required and resolved[setting.name] in (None, ""):
            raise ConfigError(
                f"{plugin} needs the setting '{setting.name}'",
                setting.description,
                f"see: {plugin} --help",
            )
    return resolved


def did_you_mean(name: str, known: Iterable[str]) -> list[str]:
    """Return a hint line that names what *name* was probably meant to be, or no line."""
    names = list(known)
    close = [each for each in names if each.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return [f"did you mean '{close[0]}'?"] if close else []


def secrets_of(settings: Sequence[Setting], config: Mapping[str, Any]) -> list[str]:
    """Return the values that no output may show."""
    declared = [config.get(s.name) for s in settings if s.secret]
    inner = [value for each in declared if isinstance(each, dict) for value in each.values()]
    texts = [each for each in (*declared, *inner) if isinstance(each, str)]
    values = dict.fromkeys([*texts, *secrets.secrets_in(config)])
    return [v for v in values if isinstance(v, str) and v]


def json_type(value: Any) -> str:
    """Return the JSON name of the type of *value*."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return names.get(type(value), "null" if value is None else "a number")


def _convert(plugin: str, setting: Setting, value: Any) -> Any:
    converted = _CONVERT[setting.kind](value)
    if converted is None:
        shown = "" if setting.secret else f", got {json.dumps(value, default=str)[:80]}"
        raise ConfigError(
            f"{plugin}: setting '{setting.name}' must be of kind {setting.kind}{shown}"
        )
    if setting.choices and converted not in setting.choices:
        raise ConfigError(
            f"{plugin}: setting '{setting.name}' must be one of {', '.join(setting.choices)}; "
            f"got '{converted}'",
            *did_you_mean(str(converted), setting.choices),
        )
    if setting.minimum is not None and converted < setting.minimum:
        raise ConfigError(
            f"{plugin}: setting '{setting.name}' must be at least {setting.minimum}, "
            f"got {converted}"
        )
    return converted


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        number = int(str(value).strip())
    except ValueError:
        return None
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _json(value: Any, kind: type) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return value if isinstance(value, kind) else None


def _array(value: Any) -> list[Any] | None:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    found = _json(value, list)
    return found if found is None else list(found)


def _object(value: Any) -> dict[str, Any] | None:
    found = _json(value, dict)
    return found if found is None else dict(found)


_CONVERT: dict[str, Any] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
