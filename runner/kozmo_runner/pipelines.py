"""Pipelines kept in a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kozmo_runner.configs import Config
from kozmo_runner.engine import Limits
from kozmo_runner.job import Job, Mapper, default_state_id
from kozmo_runner.plugins import ORDER, find
from kozmo_runner.retries import RETRIES
from kozmo_runner.words import duration
from kozmo_singer.errors import ConfigError
from kozmo_singer.secrets import expand
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Catalog

_KEYS: dict[str, type | tuple[type, ...]] = {
    "tap": str,
    "target": str,
    "mappers": (str, Mapping, list),
    "tap_config": (str, Mapping, list),
    "target_config": (str, Mapping, list),
    "streams": (str, list),
    "catalog": str,
    "full_refresh": bool,
    "state_id": str,
    "state_suffix": str,
    "state_store": str,
    "timeout": (str, int, float),
    "idle_timeout": (str, int, float),
    "jobs": int,
    "lane": str,
    "retries": int,
    "verify": bool,
}


def load(path: str, names: Sequence[str], overrides: Mapping[str, Any]) -> list[Job]:
    """Return the jobs of the pipelines *names* in the file *path*, all of them without names.

    `defaults` holds what every pipeline starts from, *overrides* what goes before their own words.
    ${NAME} and ${NAME:-default} stand for environment variables. Paths are relative to the file.
    """
    content = _read(path)
    pipelines = content.get("pipelines")
    if not isinstance(pipelines, Mapping) or not pipelines:
        raise ConfigError(f"{path} holds no pipelines", "see: kozmo run --help")
    unknown = [key for key in content if key not in ("pipelines", "defaults")]
    if unknown:
        hint = did_you_mean(str(unknown[0]), ["pipelines", "defaults"])
        raise ConfigError(f"{path} has an unknown key '{unknown[0]}'", *hint)
    for name in names:
        if name not in pipelines:
            known = [str(key) for key in pipelines]
            hint = did_you_mean(name, known) or [f"there are: {', '.join(known)}"]
            raise ConfigError(f"{path} has no pipeline '{name}'", *hint)
    folder = Path(path).absolute().parent
    defaults = content.get("defaults") or {}
    chosen = {str(name): pipelines[name] for name in (names or pipelines)}
    return [
        _pipeline(f"{path}, pipeline {name}", name, defaults, own, folder, overrides)
        for name, own in chosen.items()
    ]


def job(values: Mapping[str, Any]) -> Job:
    """Return the job that *values* describe, with the keys of a pipeline in a file."""
    tap, target = find(values["tap"], "tap"), find(values["target"], "target")
    catalog = values.get("catalog")
    return Job(
        tap,
        target,
        values.get("tap_config"),
        values.get("target_config"),
        Catalog.load(catalog) if catalog else None,
        values.get("streams") or (),
        bool(values.get("full_refresh")),
        values.get("state_id") or default_state_id(tap, target, values.get("state_suffix", "")),
        values.get("state_store"),
        Limits(values.get("timeout"), values.get("idle_timeout")),
        values.get("jobs", 1),
        lane=values.get("lane", "auto"),
        retries=values.get("retries", RETRIES),
        verify=bool(values.get("verify")),
        mappers=_mappers(values.get("mappers"), values.get("mapper_config") or ()),
    )


def _mappers(given: Any, configs: Sequence[str]) -> list[Mapper]:
    """The mappers, each with its own configuration and then what *configs* say of it."""
    entries = [_entry(each) for each in _listed(given)]
    plugs = [find(name, "mapper") for name, _ in entries]
    own: list[list[Any]] = [_listed(config) for _, config in entries]
    for source in configs:
        place, rest = _addressed(source, [plug.name for plug in plugs])
        own[place].append(rest)
    return [Mapper(plug, config or None) for plug, config in zip(plugs, own, strict=True)]


def _entry(given: Any) -> tuple[str, Config]:
    return (given, None) if isinstance(given, str) else (given["mapper"], given.get("config"))


def _addressed(source: str, names: Sequence[str]) -> tuple[int, str]:
    """Which mapper a source of --mapper-config is for, by what it begins with: MAPPER: or 1:.

    Of a single mapper it need not say so.
    """
    if not names:
        raise ConfigError(f"--mapper-config {source} has no mapper to go to", ORDER)
    head, colon, rest = source.partition(":")
    places = [i for i, name in enumerate(names) if head in (name, str(i + 1))]
    if colon and len(places) == 1 and not rest.startswith("="):
        return places[0], rest
    if len(names) == 1:
        return 0, source
    raise ConfigError(
        f"it is not clear which mapper --mapper-config {source} is for",
        f"begin it with one of: {', '.join(f'{name}:' for name in dict.fromkeys(names))}",
        *(["or with their number, 1: being the first"] if len({*names}) < len(names) else []),
    )


def _read(path: str) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{path} is not YAML", f"{place}{problem}") from error
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path} holds no pipelines", "see: kozmo run --help")
    return content


def _pipeline(
    where: str,
    name: str,
    defaults: Any,
    own: Any,
    folder: Path,
    overrides: Mapping[str, Any],
) -> Job:
    if not isinstance(own, Mapping) or not isinstance(defaults, Mapping):
        raise ConfigError(f"{where}: a pipeline is a map of settings")
    values = expand({**defaults, **own}, where)
    _check(where, values)
    values.setdefault("state_suffix", name)
    for key in ("tap_config", "target_config"):
        values[key] = _placed(values.get(key), folder)
    if isinstance(values.get("catalog"), str):
        values["catalog"] = str(folder / values["catalog"])
    if isinstance(values.get("streams"), str):
        values["streams"] = [values["streams"]]
    values["mappers"] = [_placed_mapper(each, folder) for each in _listed(values.get("mappers"))]
    for key in ("timeout", "idle_timeout"):
        if key in values:
            values[key] = duration(str(values[key]))
    configs = {
        key: [*_listed(values.get(key)), *overrides.get(key, ())]
        for key in ("tap_config", "target_config")
    }
    return job({**values, **overrides, **configs})


def _check(where: str, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}: unknown key '{key}'", *did_you_mean(str(key), _KEYS))
        if not isinstance(value, _KEYS[key]):
            raise ConfigError(f"{where}: '{key}' cannot be {value!r}")
    for mapper in _listed(values.get("mappers")):
        _check_mapper(where, mapper)
    missing = [key for key in ("tap", "target") if key not in values]
    if missing:
        raise ConfigError(f"{where}: the key '{missing[0]}' is missing")


def _check_mapper(where: str, mapper: Any) -> None:
    if isinstance(mapper, str):
        return
    if not isinstance(mapper, Mapping) or not isinstance(mapper.get("mapper"), str):
        raise ConfigError(
            f"{where}: a mapper cannot be {mapper!r}",
            "write its name, or {mapper: NAME, config: SETTINGS}",
        )
    for key in mapper:
        if key not in ("mapper", "config"):
            hint = did_you_mean(str(key), ["mapper", "config"])
            raise ConfigError(f"{where}: a mapper has no key '{key}'", *hint)


def _placed_mapper(mapper: Any, folder: Path) -> Any:
    name, config = _entry(mapper)
    return {"mapper": name, "config": _placed(config, folder)}


def _listed(config: Any) -> list[Any]:
    return config if isinstance(config, list) else [] if config is None else [config]


def _placed(config: Config, folder: Path) -> Config:
    """The sources of a configuration, files among them looked up beside the pipeline's file."""
    placed = []
    for source in _listed(config):
        beside = folder / source if isinstance(source, str) else None
        is_file = beside is not None and ("=" not in source or beside.exists())
        placed.append(str(beside) if is_file and source != "ENV" else source)
    return placed
