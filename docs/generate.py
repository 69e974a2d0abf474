"""Writes what follows from the registry and the settings: reference pages, tables, meltano.yml.

make docs                              write
python docs/generate.py --check        say what would change; exit 1 if anything would
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from kozmo_bridge.cleaner import expressions
from kozmo_bridge.cleaner.actions import FAMILIES, Action, action_of, type_names
from kozmo_bridge.cleaner.expressions import FUNCTIONS
from kozmo_bridge.cleaner.pipe.registry import MAPPERS
from kozmo_singer.plugin import Plugin, about_text
from kozmo_singer.scripts import Entry
from kozmo_singer.settings import Setting
from kozmo_singer.systems.sql import postgres, sqlite
from kozmo_singer.wire.types import NAMES, LogicalType, to_schema
from kozmo_taps.registry import TAPS
from kozmo_targets.registry import TARGETS

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
MADE = "Made by `make docs` from the settings in the code; changes belong there."
# What Meltano's own schema of meltano.yml knows; anything else is refused by it.
BOTH = {
    "about",
    "stream-maps",
    "activate-version",
    "batch",
    "schema-flattening",
    "structured-logging",
}
EXTRACTOR = {"properties", "catalog", "discover", "state", "test", "log-based", *BOTH}
LOADER = {"soft-delete", "hard-delete", "datatype-failsafe", *BOTH}
KINDS = {"number": "decimal"}
EVERY = {**TAPS, **MAPPERS, **TARGETS}

ACTIONS = """A rule names an action, the columns that it is for, and its parameters:

```json
{"action": "trim_whitespace", "columns": ["name"], "side": "left"}
```

Without columns it is for all those of which it makes sense. Mage AI's own form (`action_type`,
`action_arguments`, `action_options`) is read too. What an action sees tells whether batches give
what the whole gives: a cell, a row, and the rows before it do; the whole table does not. Where
`learned` is a parameter, `Cleaner.fit` finds out what has to be known of the whole.

A value that an action cannot read is a fault of its column: the column is left as it was, and
the result says so. `on_error: "null"` makes such values null instead, and the log counts them.
"""
TYPES = (
    LogicalType("boolean"),
    LogicalType("integer", bits=16),
    LogicalType("integer", bits=32),
    LogicalType("integer", bits=64),
    LogicalType("integer"),
    LogicalType("float", bits=32),
    LogicalType("float", bits=64),
    LogicalType("decimal", precision=18, scale=4),
    LogicalType("decimal"),
    LogicalType("string", length=40),
    *(LogicalType(name) for name in NAMES[NAMES.index("string") :]),
)


def main() -> int:
    """Write the pages, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = pages()
    stale = sorted(set(REFERENCE.glob("*.md")) - set(wanted))
    changed = [path for path, text in wanted.items() if _read(path) != text]
    for path in [*stale, *changed]:
        print(path.relative_to(ROOT))
    if check:
        return 1 if stale or changed else 0
    for path in stale:
        path.unlink()
    for path in changed:
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted[path])
    return 0


def pages() -> dict[Path, str]:
    """Return every generated file with the text that it should have."""
    plugins = {name: load(entry) for name, entry in EVERY.items()}
    made = {REFERENCE / f"{name}.md": reference(plugin) for name, plugin in plugins.items()}
    made[ROOT / "meltano.yml"] = meltano(plugins)
    made[REFERENCE / "cleaning-actions.md"] = cleaning_actions()
    readme = ROOT / "README.md"
    made[readme] = between(_read(readme), "systems", systems())
    parts = (
        ("README", "reference", contents()),
        ("types", "types", types()),
        ("bad-data", "bad data", bad_data()),
    )
    for name, part, text in parts:
        page = ROOT / "docs" / f"{name}.md"
        made[page] = between(_read(page), part, text)
    return made


def load(entry: Entry) -> type[Plugin]:
    """Return the class that *entry* names."""
    module, _, attribute = entry.target.partition(":")
    plugin: type[Plugin] = getattr(import_module(module), attribute)
    return plugin


def reference(plugin: type[Plugin]) -> str:
    """Return the page of one plug-in: what --about says, how to install it, what to try."""
    extra = EVERY[plugin.name].extra
    install = ["", "## Install", "", "```", f"pip install 'kozmo-singer[{extra}]'", "```"]
    examples = ["", "## Try", "", "```", *plugin.examples, "```"] if plugin.examples else []
    text = about_text(plugin, "markdown").rstrip()
    return "\n".join([f"<!-- {MADE} -->", text, *install, *examples, ""])


def cleaning_actions() -> str:
    """Return the page of what rules of the cleaner can do: a table for each family of actions."""
    lines = [f"<!-- {MADE} -->", "# Actions of the cleaner", "", *ACTIONS.splitlines()]
    for family, names in FAMILIES.items():
        found = {action_of(name).name: action_of(name) for name in names.split()}
        lines += [
            "",
            f"## {family.capitalize()}",
            "",
            "| action | sees | what it does | parameters |",
        ]
        lines.append("|---|---|---|---|")
        lines += [_row(action) for action in found.values()]
    names = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    lines += ["", "## Conditions", "", expressions.__doc__ or "", f"The functions: {names}."]
    return "\n".join([*lines, ""])


def _row(action: Action) -> str:
    also = f" (also {', '.join(f'`{name}`' for name in action.aliases)})" if action.aliases else ""
    parameters = []
    for name, each in action.parameters.items():
        about = [", ".join(f"`{choice}`" for choice in each.choices) or type_names(each)]
        if each.required:
            about.append("required")
        elif each.default is not None:
            about.append(f"`{json.dumps(each.default, ensure_ascii=False)}` if not given")
        parameters.append(f"`{name}`: {each.help} ({'; '.join(about)})")
    sees = f"{action.scope} or less" if action.scope_of else action.scope
    cells = (f"`{action.name}`{also}", sees, action.summary, "<br>".join(parameters))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def systems() -> str:
    """Return the table of README.md, in which a system is a row."""
    found: dict[str, list[tuple[str, Entry]]] = {}
    for name, entry in {**TAPS, **TARGETS}.items():
        found.setdefault(name.partition("-")[2], []).append((name, entry))
    rows = ["| system | tap | target | extra |", "|---|---|---|---|"]
    for _, plugins in sorted(found.items()):
        links = {n.partition("-")[0]: f"[`{n}`](docs/reference/{n}.md)" for n, _ in plugins}
        extras = ", ".join(dict.fromkeys(f"`{entry.extra}`" for _, entry in plugins))
        cells = (plugins[0][1].summary, links.get("tap", ""), links.get("target", ""), extras)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def contents() -> str:
    """Return the list of reference pages in the index of the docs."""
    lines = [f"- [`{name}`](reference/{name}.md): {entry.summary}" for name, entry in EVERY.items()]
    return "\n".join([*lines, "- [actions of the cleaner](reference/cleaning-actions.md)"])


def types() -> str:
    """Return the table of the logical types: on the wire, and as columns that targets make."""
    rows = ["| type | JSON Schema | PostgreSQL | SQLite |", "|---|---|---|---|"]
    for each in TYPES:
        schema = json.dumps(to_schema(each, nullable=False))
        rows.append(f"| {each.name} | `{schema}` | {postgres.ddl(each)} | {sqlite.ddl(each)} |")
    return "\n".join(rows)


def bad_data() -> str:
    """Return what becomes of bad data in each target, from the table that the tests run."""
    sys.path.insert(0, str(ROOT / "tests"))
    made: str = import_module("bad_data").tables()
    return made.rstrip()


def between(text: str, name: str, made: str) -> str:
    """Return *text* with what stands between the markers <!-- name --> replaced by *made*."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"the markers <!-- {name} --> and <!-- /{name} --> are missing")
    return pattern.sub(lambda match: f"{match[1]}{made}\n{match[2]}", text)


def meltano(plugins: Mapping[str, type[Plugin]]) -> str:
    """Return meltano.yml: every plug-in as a command on PATH, with each of its settings."""
    declared: dict[str, list[dict[str, Any]]] = {"extractors": [], "mappers": [], "loaders": []}
    for name, plugin in plugins.items():
        if name in MAPPERS:
            declared["mappers"].append(meltano_mapper(plugin))
            continue
        declared["extractors" if name in TAPS else "loaders"].append(meltano_plugin(plugin))
    project = {
        "requires_meltano": ">=4,<5",
        "send_anonymous_usage_stats": False,
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "plugins": declared,
    }
    text = yaml.dump(project, Dumper=_Indented, sort_keys=False, width=100, allow_unicode=True)
    return f"# {MADE}\n{text}"


def meltano_plugin(plugin: type[Plugin]) -> dict[str, Any]:
    """Return one plug-in as Meltano declares it; no pip_url, so Meltano installs nothing."""
    known = EXTRACTOR if plugin.name in TAPS else LOADER
    required = [setting.name for setting in plugin.settings if setting.required]
    made = {
        "name": plugin.name,
        "namespace": plugin.name.replace("-", "_"),
        "label": plugin.summary,
        "executable": plugin.name,
        "capabilities": [each for each in plugin.capabilities if each in known],
        "settings": [meltano_setting(setting) for setting in plugin.settings],
    }
    return {**made, "settings_group_validation": [required]} if required else made


def meltano_mapper(plugin: type[Plugin]) -> dict[str, Any]:
    """Return a mapper as Meltano declares it, which is run by the name of one of its mappings."""
    made = meltano_plugin(plugin)
    del made["capabilities"]
    name = plugin.name.rpartition("-")[2]
    config = {"auto": True, "learned_path": f"{plugin.name}.json"}
    return {**made, "mappings": [{"name": name, "config": config}]}


def meltano_setting(setting: Setting) -> dict[str, Any]:
    """Return one setting as Meltano declares it."""
    made: dict[str, Any] = {
        "name": setting.name,
        "kind": "options" if setting.choices else KINDS.get(setting.kind, setting.kind),
        "description": setting.description,
    }
    if setting.choices:
        made["options"] = [{"label": choice, "value": choice} for choice in setting.choices]
    if setting.default is not None:
        made["value"] = setting.default
    if setting.secret:
        made["sensitive"] = True
    return made


class _Indented(yaml.SafeDumper):
    """Lists stand indented under their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
