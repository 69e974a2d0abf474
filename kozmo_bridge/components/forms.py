"""The form of a node while the user fills it in: the host's build_config, in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Form:
    """The inputs of a node as the host shows them; changes go into the mapping given."""

    def __init__(self, build_config: dict[str, Any]) -> None:
        self.fields = build_config

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def value(self, name: str) -> Any:
        """Return what the user has put into an input, None where there is no such input."""
        return self.fields.get(name, {}).get("value")

    def set(self, name: str, value: Any) -> None:
        """Put *value* into an input."""
        self._field(name)["value"] = value

    def show(self, names: Iterable[str], shown: bool = True) -> None:
        """Show or hide inputs. A hidden one is not passed on at run: its default counts."""
        for name in names:
            self._field(name)["show"] = shown

    def shown(self, name: str) -> bool:
        """Return whether the host passes an input on at run."""
        return bool(self.fields.get(name, {}).get("show", True))

    def place(self, name: str, shown: bool = True, rare: bool = False) -> None:
        """Show an input on the node, or among the advanced ones where it is *rare*; or hide it."""
        self.note(name, show=shown, advanced=rare)

    def note(self, name: str, **parts: Any) -> None:
        """Change how an input looks: its display_name, info, trigger_text and the like."""
        self._field(name).update(parts)

    def options(self, name: str) -> list[str]:
        """Return what a dropdown offers."""
        return list(self.fields.get(name, {}).get("options") or [])

    def offer(
        self, name: str, options: Sequence[str], notes: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Give a dropdown its options; *notes*, one for each, are shown below them."""
        self.note(name, options=list(options), options_metadata=[dict(note) for note in notes])

    def add(self, field: Any) -> None:
        """Add an input, which stands after all that the class declares, by its name; or replace it.

        What the user had put into it stays.
        """
        made = field.to_dict()
        before = self.fields.get(field.name)
        if before is not None and before.get("value") not in (None, ""):
            made["value"] = before["value"]
            if "load_from_db" in before:
                made["load_from_db"] = before["load_from_db"]
        self.fields[field.name] = made

    def remove(self, name: str) -> None:
        """Take an input out again."""
        self.fields.pop(name, None)

    def _field(self, name: str) -> dict[str, Any]:
        """An input; a node of an older flow may lack it, and then nobody sees what is done."""
        found: dict[str, Any] = self.fields.get(name, {})
        return found
