"""`kozmo doctor --kozmoai`: would KozmoAI show our components, and would they work?

The host drops a component file that it cannot load without a word; here each is loaded by the
host's own template builder, and what it says is told.
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

PATHS = "KOZMOAI_COMPONENTS_PATH"


class Finding(NamedTuple):
    """One thing looked at; *fault* says that it has to be put right."""

    what: str
    found: str
    fault: bool = False


def examine() -> Iterator[Finding]:
    """Yield what there is to say about KozmoAI in this environment."""
    yield _switch()
    yield _paths()
    yield from _databases()
    try:
        host = _host.name()
    except KozmoError as error:
        yield Finding("KozmoAI", error.message, True)
        return
    with tempfile.TemporaryDirectory(prefix="kozmo-doctor-") as folder:
        _quiet(folder)
        try:
            utils = _host.module("custom.utils")
            component = _host.module("custom.custom_component.component").Component
        except KozmoError as error:
            yield Finding("KozmoAI", str(error), True)
            return
        yield Finding("KozmoAI", _version(host))
        for file in _files():
            yield _loaded(file, utils, component)


def _switch() -> Finding:
    how = "on" if enabled() else f"off here; set {SWITCH}=true where KozmoAI is started"
    return Finding("data integration", how)


def _paths() -> Finding:
    folders = [Path(text) for text in os.environ.get(PATHS, "").split(",") if text.strip()]
    if any(folder.resolve() == FOLDER.resolve() for folder in folders):
        return Finding(PATHS, "holds our components")
    return Finding(PATHS, f"lacks our components here; set {PATHS}=$(kozmo components-path)")


def _databases() -> Iterator[Finding]:
    from kozmo_bridge.components.databases import available

    yield Finding("databases to read", ", ".join(available("tap")) or "none")
    yield Finding("databases to write", ", ".join(available("target")) or "none")


def _version(host: str) -> str:
    package = {"kozmoai": "kozmoai-base"}.get(host, host)
    note = "; its own data integration goes before ours" if host_has_its_own() else ""
    return f"{package} {version(package) or ''}{note}"


def _files() -> list[Path]:
    """Our stubs, and what else KozmoAI is told to load."""
    folders = [Path(text.strip()) for text in os.environ.get(PATHS, "").split(",") if text.strip()]
    others = [folder for folder in folders if folder.resolve() != FOLDER.resolve()]
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
    os.environ.setdefault("KOZMOAI_LOG_LEVEL", "critical")
    os.environ.setdefault("KOZMOAI_CONFIG_DIR", folder)
    os.environ.setdefault("KOZMOAI_DATABASE_URL", f"sqlite:///{folder}/kozmoai.db")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    if find_spec("loguru") is not None:
        from loguru import logger

        logger.remove()
        logger.disable("kozmoai")
