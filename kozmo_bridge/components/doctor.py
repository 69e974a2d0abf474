"""`kozmo doctor --kozmoai`: would the host show our components, and would they work?

The host is KozmoAI, or Langflow in an environment that has it instead. It drops a component file
that it cannot load without a word; here each is loaded by the host's own template builder, and
what it says is told.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from kozmo_bridge import _host
from kozmo_bridge.availability import SWITCH, enabled
from kozmo_bridge.components.reference import host_has_its_own
from kozmo_bridge.components.stubs import FOLDER, stubs
from kozmo_runner.installed import version
from kozmo_singer.errors import KozmoError

_PATHS = "COMPONENTS_PATH"
_PACKAGES = {"kozmoai": ("kozmoai-base",), "lfx": ("langflow", "langflow-base", "lfx")}
"""The distributions of each host; the first one that is installed tells the version."""


class Finding(NamedTuple):
    """One thing looked at; *fault* says that it has to be put right."""

    what: str
    found: str
    fault: bool = False


def examine() -> Iterator[Finding]:
    """Yield what there is to say about the host in this environment."""
    yield _switch()
    yield _paths()
    yield from _databases()
    try:
        _host.name()
    except KozmoError as error:
        yield Finding(_host.product(), error.message, True)
        return
    with tempfile.TemporaryDirectory(prefix="kozmo-doctor-") as folder:
        _quiet(folder)
        try:
            utils = _host.module("custom.utils")
            component = _host.module("custom.custom_component.component").Component
        except KozmoError as error:
            yield Finding(_host.product(), str(error), True)
            return
        yield Finding(_host.product(), _version())
        for file in _files():
            yield _loaded(file, utils, component)


def _switch() -> Finding:
    how = "on" if enabled() else f"off here; set {SWITCH}=true where {_host.product()} is started"
    return Finding("data integration", how)


def _paths() -> Finding:
    name = _host.variable(_PATHS)
    if any(folder.resolve() == FOLDER.resolve() for folder in _folders()):
        return Finding(name, "holds our components")
    return Finding(name, f"lacks our components here; set {name}=$(kozmo components-path)")


def _folders() -> list[Path]:
    told = os.environ.get(_host.variable(_PATHS), "")
    return [Path(text.strip()) for text in told.split(",") if text.strip()]


def _databases() -> Iterator[Finding]:
    from kozmo_bridge.components.databases import available

    yield Finding("databases to read", ", ".join(available("tap")) or "none")
    yield Finding("databases to write", ", ".join(available("target")) or "none")


def _version() -> str:
    found = next((p, v) for p in _PACKAGES[_host.name()] if (v := version(p)) is not None)
    note = "; its own data integration goes before ours" if host_has_its_own() else ""
    return f"{' '.join(found)}{note}"


def _files() -> list[Path]:
    """Our stubs, and what else the host is told to load."""
    others = [folder for folder in _folders() if folder.resolve() != FOLDER.resolve()]
    return [file for folder in (FOLDER, *others) for file in stubs(folder)]


def _loaded(file: Path, utils: Any, component: Any) -> Finding:
    what = f"{file.parent.name}/{file.name}"
    try:
        code = file.read_text("utf-8")
        node, _ = utils.build_custom_component_template(component(_code=code))
    except Exception as error:  # noqa: BLE001 - whatever the file does wrong, this is to tell
        return Finding(what, _reason(error), True)
    outputs = [output["display_name"] for output in node["outputs"]]
    if not outputs:
        return Finding(what, "has no outputs", True)
    return Finding(what, f"{node['display_name']}: {', '.join(outputs)}")


def _reason(error: BaseException) -> str:
    """The first cause, since the host wraps it in others that say nothing."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return " ".join(f"{type(error).__name__}: {error}".split())


def _quiet(folder: str) -> None:
    """Keep the host from logging, and from putting files beside its own code."""
    os.environ.setdefault(_host.variable("LOG_LEVEL"), "critical")
    os.environ.setdefault(_host.variable("CONFIG_DIR"), folder)
    os.environ.setdefault(_host.variable("DATABASE_URL"), f"sqlite:///{folder}/host.db")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    if find_spec("loguru") is not None:
        from loguru import logger

        logger.remove()
        logger.disable("kozmoai")
