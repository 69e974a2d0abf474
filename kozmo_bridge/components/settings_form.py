"""The settings of a plug-in as inputs of its node, and the nodes that have such a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components import resetting, verdicts
from kozmo_bridge.components.base import KozmoComponent, literal
from kozmo_bridge.components.canvas import (
    NUMBERS,
    BoolInput,
    DropdownInput,
    MultilineInput,
    MultilineSecretInput,
    SecretStrInput,
    StrInput,
)
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.plugin_settings import (
    NOT_SET,
    PluginSetting,
    input_name,
    setting_name,
    settings_of,
)
from kozmo_bridge.components.typed_settings import config_of, json_object
from kozmo_runner.api import aabout, about
from kozmo_runner.plugins import Plug, find, on_path, registered
from kozmo_singer.errors import ConfigError, KozmoError
from kozmo_singer.secrets import COMMAND, forms, secrets_in

TEST_SECONDS = 60.0
"""How long a connection test waits for the plug-in."""
Side = Literal["tap", "target"]
_DESCRIPTIONS: dict[tuple[tuple[str, ...], int], dict[str, Any]] = {}

PLAIN_JSON = MultilineInput(
    name="settings_json",
    display_name="Settings (JSON)",
    info="Settings as a JSON object, laid over those above: for plug-ins that do not tell theirs.",
    value="",
    advanced=True,
)
SECRET_JSON = MultilineSecretInput(
    name="secret_settings_json",
    display_name="Secret settings (JSON)",
    info="As Settings (JSON), but never shown: passwords and tokens. Can be a global variable.",
    value="",
    advanced=True,
)
TEST = inputs_of.test_connection()
STATUS = verdicts.verdict("connection_status")


class PluginComponent(KozmoComponent):
    """A node that runs any plug-in of one side, with a form made of what the plug-in tells.

    A subclass that sets `tap` (or `target`) is for that plug-in alone: it has no picker, and its
    settings are inputs of the class.
    """

    side: ClassVar[Side]
    verdict = STATUS.name
    buttons = (TEST.name, resetting.BUTTON)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        fixed = getattr(cls, cls.side, "") if hasattr(cls, "side") else ""
        if fixed and not any(setting_name(each.name) for each in cls.inputs):
            own = [each for each in cls.inputs if each.name != f"{cls.side}_name"]
            cls.inputs = [*fields_of(_description_now(fixed)), *own]

    @property
    def picker(self) -> str:
        """The input that names the plug-in."""
        return f"{self.side}_name"

    def plugin(self) -> str:
        """Return what the user calls the plug-in; ConfigError where none is chosen."""
        name = getattr(type(self), self.side, "") or self.text(self.picker)
        if not name:
            raise ConfigError(f"no {self.side} is chosen", f"pick one in {self.side.title()}")
        find(name, self.side)
        return str(name)

    async def settings(self, plugin: str) -> dict[str, Any]:
        """Return the configuration that the inputs give; what is untouched is not in it."""
        known = settings_of(await described(plugin))
        values = self._values()
        hidden = json_object(self.given(SECRET_JSON.name), SECRET_JSON.display_name)
        secret = {each.name: values.get(each.name) for each in known if each.secret}
        self._hide([*_texts(hidden), *_texts(secret)])
        config = config_of(known, values)
        config |= json_object(self.given(PLAIN_JSON.name), PLAIN_JSON.display_name) | hidden
        self._hide(secrets_in(config))
        return config

    async def plugin_config(self, plugin: str) -> dict[str, Any]:
        """As `settings`, in the form that the runner takes for what it says."""
        config = await self.settings(plugin)
        plug = find(plugin, self.side)
        for name in config:
            if name.endswith(COMMAND) and plug.has_command(name.removesuffix(COMMAND)):
                raise ConfigError(
                    f"setting '{name}': commands are not run for what is typed on the canvas",
                    "use a global variable for the secret",
                )
        return literal(config)

    def secrets(self) -> list[str]:
        """Return the secrets among the settings, in the forms in which they may leak."""
        found = forms([*secrets_in(self._values()), *_texts(self.given(SECRET_JSON.name))])
        return [*super().secrets(), *found, *self.__dict__.get("_kozmo_hidden", ())]

    def _hide(self, secrets: Iterable[str]) -> None:
        hidden = self.__dict__.setdefault("_kozmo_hidden", set())
        for secret in secrets:
            # An error of several lines shows a secret of several lines indented.
            hidden.update(forms([secret, *secret.splitlines()]))

    def _values(self) -> dict[str, Any]:
        """What is in the inputs, by the settings that they are of."""
        names = dict.fromkeys((*self._attributes, *(each.name for each in self.inputs)))
        pairs = ((setting_name(name), self.given(name)) for name in names)
        return {setting: value for setting, value in pairs if setting is not None}

    async def choose(self, form: Form) -> None:
        """Give the form the settings of the plug-in that was picked, in place of another's."""
        before = {
            setting: form.fields[name]
            for name in list(form.fields)
            if (setting := setting_name(name)) is not None
        }
        for name in [name for name in form.fields if setting_name(name) is not None]:
            form.remove(name)
        form.offer(self.picker, offered(self.side))
        told = await described(self.plugin())
        fields = fields_of(told)
        for field in fields:
            form.add(field)
            _carry(form.fields[field.name], before.get(setting_name(field.name) or ""))
        form.note(PLAIN_JSON.name, advanced=bool(fields))
        form.note(SECRET_JSON.name, advanced=bool(fields))
        self.tell(form, _words(told, bool(fields)))
        form.note(self.verdict, trigger_icon="Unplug")


def offered(side: Side) -> list[str]:
    """Return the plug-ins of *side* that packages declare or that are on PATH."""
    others = [name for name in on_path() if name.startswith(f"{side}-")]
    return sorted({*registered(side), *others})


def picker(side: Side, info: str) -> Any:
    """Return the input that names a plug-in: one of those here, a path or a command line."""
    return DropdownInput(
        name=f"{side}_name",
        display_name=side.title(),
        info=info,
        options=offered(side),
        value="",
        combobox=True,
        real_time_refresh=True,
        required=True,
    )


async def described(plugin: str) -> dict[str, Any]:
    """Return the --about of a plug-in, asked once for each state of its program."""
    key = _key(find(plugin))
    if key not in _DESCRIPTIONS:
        _DESCRIPTIONS[key] = await aabout(plugin)
    return _DESCRIPTIONS[key]


def _description_now(plugin: str) -> Mapping[str, Any]:
    """As `described`, for a class that is being made; nothing of a plug-in that is not here."""
    try:
        key = _key(find(plugin))
        if key not in _DESCRIPTIONS:
            _DESCRIPTIONS[key] = about(plugin)
        return _DESCRIPTIONS[key]
    except KozmoError:
        return {}


def _key(plug: Plug) -> tuple[tuple[str, ...], int]:
    path = Path(plug.executable)
    return plug.command, path.stat().st_mtime_ns if path.exists() else 0


def fields_of(told: Mapping[str, Any]) -> list[Any]:
    """Return the inputs for the settings of an --about, in their order."""
    return [input_of(number, each) for number, each in enumerate(settings_of(told), 1)]


def input_of(number: int, setting: PluginSetting) -> Any:
    """Return the input for *setting* in the place *number*; its value says that it is untouched."""
    common: dict[str, Any] = {
        "name": input_name(number, setting.name),
        "display_name": setting.title,
        "info": setting.info,
        "required": setting.required,
        "advanced": not setting.shown,
    }
    if setting.secret and setting.kind == "json":
        return MultilineSecretInput(**common, value="")
    if setting.secret:
        return SecretStrInput(**common, value="", load_from_db=False)
    if setting.kind == "boolean" and isinstance(setting.default, bool):
        return BoolInput(**common, value=setting.default)
    if setting.kind in ("boolean", "choice"):
        choices = [str(each) for each in setting.choices] or ["true", "false"]
        value = NOT_SET if setting.default is None else str(setting.default)
        extra = [NOT_SET] if value == NOT_SET else []
        return DropdownInput(**common, options=[*extra, *choices], value=value)
    if setting.kind == "json":
        return MultilineInput(**common, value="")
    return NUMBERS.get(setting.kind, StrInput)(**common, placeholder=_placeholder(setting))


def _placeholder(setting: PluginSetting) -> str:
    if isinstance(setting.default, str | int | float):
        return str(setting.default)
    return ""


def _carry(field: dict[str, Any], before: Mapping[str, Any] | None) -> None:
    """Keep what was typed for a setting of the same name; a secret is for one plug-in only."""
    if before is None or before.get("password") or field.get("password"):
        return
    same = before.get("_input_type") == field.get("_input_type")
    options = field.get("options")
    if same and (not options or before.get("value") in options):
        field["value"] = before.get("value", field.get("value"))


def _words(told: Mapping[str, Any], has_settings: bool) -> str:
    name = f"{told.get('name')} {told.get('version') or ''}".strip()
    if not has_settings:
        return f"write {PLAIN_JSON.display_name}, then test\n{name} does not tell its settings"
    return f"fill in the settings, then test\n{name}: {told.get('description') or 'no description'}"


def _texts(value: Any) -> Sequence[str]:
    """All texts and numbers within *value*."""
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [str(value)] if value not in (None, "") and not isinstance(value, bool) else []
