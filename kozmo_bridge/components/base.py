"""What all our components do: switch, time limit, errors in words, work that outputs share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, TypeVar

from kozmo_bridge.availability import TIMEOUT, require_enabled, timeout_seconds
from kozmo_bridge.components import verdicts
from kozmo_bridge.components.canvas import Component, Message
from kozmo_bridge.components.forms import Form
from kozmo_singer.errors import ConfigError, KozmoError, show
from kozmo_singer.secrets import forms, plain, secrets_in

PREVIEW_ROWS = 100
"""What a node's preview shows; the host would serialise all rows to show a thousand of them."""

C = TypeVar("C", bound="KozmoComponent")
T = TypeVar("T")


class Problem(Exception):
    """What went wrong, in words for the canvas, without secrets."""


@dataclass(frozen=True)
class _Call:
    """An output while it is made: the inputs as they were when it was asked for.

    An Agent calls a tool several times at once, and sets the inputs of one component for each.
    """

    component: Component
    inputs: Mapping[str, Any]
    shared: dict[str, Any]


_CALL: ContextVar[_Call | None] = ContextVar("kozmo_call", default=None)


class KozmoComponent(Component):
    """A component whose outputs are made by plug-ins."""

    secret_inputs: ClassVar[Sequence[str]] = ()
    """Inputs whose values must never be shown."""
    verdict: ClassVar[str] = ""
    """The input that tells the user how a refresh of the form went."""
    buttons: ClassVar[Sequence[str]] = ()
    """Toggles that do something when they are switched on, and are off again right after that."""
    commits_bookmarks: ClassVar[bool] = False
    """Whether it commits what the nodes before it have read, once its rows are written."""

    def _pre_run_setup(self) -> None:
        self._forget()

    def set(self, **values: Any) -> Any:
        """As of the host; what was read with other values is forgotten."""
        self._forget()
        return super().set(**values)

    def _forget(self) -> None:
        self.__dict__["_kozmo_shared"] = {}

    async def update_build_config(
        self, build_config: dict[str, Any], field_value: Any, field_name: str | None = None
    ) -> dict[str, Any]:
        """Return the form after the user has changed an input; a fault is told in the form."""
        form = Form(build_config)
        if field_name and field_name in self.buttons:
            form.set(field_name, False)
            # The host asks so for each toggle of a flow that is being opened.
            if not flag(field_value):
                return build_config
        elif field_name and field_name in form:
            form.set(field_name, field_value)
            self._attributes[field_name] = field_value
        try:
            require_enabled()
            await within(self.refresh(form, field_name or ""))
        except KozmoError as error:
            if not self.verdict:
                raise self.problem(error) from None
            self.tell(form, "\n".join(self._words(error)), good=False)
        return build_config

    async def update_frontend_node(
        self, new_frontend_node: dict[str, Any], current_frontend_node: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the node after Update: as of the host; inputs take what they took before.

        The canvas takes away an edge where the types of an input are not those it was drawn to.
        """
        made = await super().update_frontend_node(new_frontend_node, current_frontend_node)
        before = current_frontend_node["template"]
        for name, field in made["template"].items():
            types = (before.get(name) or {}).get("input_types") if isinstance(field, dict) else None
            if types and set(types) < set(field.get("input_types") or ()):
                field["input_types"] = types
        return made

    def tell(self, form: Form, words: str, good: bool = True) -> None:
        """Show *words*, a line a fact, in the input named by `verdict`; hide it without words."""
        verdicts.tell(form, self.verdict, words, good)

    async def refresh(self, form: Form, changed: str) -> None:
        """Bring the form up to date after the input *changed* has changed."""

    async def once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Return what *work* gives, doing it once for all outputs of a run."""
        call = self._call()
        shared = self._shared() if call is None else call.shared
        if name not in shared:
            shared[name] = await work()
        found: T = shared[name]
        return found

    def given(self, name: str) -> Any:
        """Return the value of an input, of a message its text.

        While an output is made it is the value as it was when that began.
        """
        call = self._call()
        inputs: Mapping[str, Any] = {} if call is None else call.inputs
        value = inputs[name] if name in inputs else getattr(self, name, None)
        return value.text if isinstance(value, Message) else value

    def _call(self) -> _Call | None:
        call = _CALL.get()
        return call if call is not None and call.component is self else None

    def _shared(self) -> dict[str, Any]:
        found: dict[str, Any] = self.__dict__.setdefault("_kozmo_shared", {})
        return found

    def secrets(self) -> list[str]:
        """Return the secrets that the inputs hold, in the forms in which they may leak."""
        values = {name: self.text(name, spaces=True) for name in self.secret_inputs}
        # Of a connection string only the password is one.
        told = {n: v for n, v in values.items() if n != "connection_string"}
        url = values.get("connection_string", "")
        return forms([*filter(None, told.values()), *secrets_in({"url": url})])

    def text(self, name: str, spaces: bool = False) -> str:
        """Return the value of a single-line input as the user typed it.

        The host makes a newline of a backslash and an n, in Windows paths and passwords too.
        *spaces*: those around it are part of it.
        """
        value = self.given(name)
        text = "" if value is None else str(value).strip("\n").replace("\n", "\\n")
        return text if spaces else text.strip()

    def number(self, name: str) -> int | None:
        """Return the value of an integer input; 0, less and nothing are None."""
        try:
            value = int(self.given(name) or 0)
        except (ValueError, TypeError, OverflowError):
            raise ConfigError(f"{name} is to be a whole number") from None
        return value if value > 0 else None

    def show(self, rows: Sequence[Any]) -> None:
        """Make *rows* (Data objects) the preview of the node."""
        self.status = list(rows[:PREVIEW_ROWS])

    def problem(self, error: BaseException) -> Problem:
        """Return *error* for the canvas: what, where, what to do, without secrets."""
        # The host's message is Markdown, which makes one paragraph of lines.
        return Problem("\n\n".join(self._words(error)))

    def _words(self, error: BaseException) -> list[str]:
        lines = show(error, self.secrets()).removeprefix("Error: ").splitlines()
        return [line.strip() for line in lines]


def output(
    method: Callable[[C], Awaitable[T]],
) -> Callable[[C], Awaitable[T]]:
    """Make *method* an output: only where we are switched on, in time, with errors in words.

    When the user presses Stop the task is cancelled, and so is the plug-in that it waits for.
    """

    @wraps(method)
    async def run(self: C) -> T:
        inputs = {name: getattr(self, name, None) for name in self._inputs}
        before = _CALL.set(_Call(self, inputs, self._shared()))
        try:
            require_enabled()
            return await within(method(self))
        except KozmoError as error:
            raise self.problem(error) from None
        finally:
            _CALL.reset(before)

    return run


async def within(work: Awaitable[T]) -> T:
    """Return what *work* gives; KozmoError if it takes longer than MAGE_INTEGRATION_TIMEOUT."""
    seconds = timeout_seconds()
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:
        raise KozmoError(
            f"not done within {seconds:g} s",
            f"set {TIMEOUT} to more seconds, or to 0 for no limit, or read less at a time",
        ) from None


class Stopwatch:
    """Seconds since it was made, in words."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds, to the millisecond."""
        return round(time.monotonic() - self._start, 3)

    def __str__(self) -> str:
        seconds = time.monotonic() - self._start
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def literal(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they were typed, without those that have no value.

    The runner takes a mapping as it is, so ${NAME} in it is text, not a variable of the server;
    and so is keyring:SERVICE/USER after this. There are no NAME_command among *config*.
    """
    return {name: plain(value) for name, value in config.items() if value not in (None, "")}


def flag(value: Any) -> bool:
    """Return a cell of a table input as a boolean; the host gives them as words."""
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false", "no", "0", "off")
    return bool(value)


def names_in(value: Any) -> list[str]:
    """Return the names in a text with commas between them, or in a list."""
    parts: Iterable[Any] = value.split(",") if isinstance(value, str) else value or ()
    return [name for part in parts if (name := str(part).strip())]
