"""How a node is told of a database: its inputs, which of them are shown, and what they say."""

from __future__ import annotations

from typing import Any

from kozmo_bridge.components.base import KozmoComponent, literal
from kozmo_bridge.components.canvas import DropdownInput, IntInput, SecretStrInput, StrInput
from kozmo_bridge.components.databases import DATABASES, Database, Side, available, database
from kozmo_bridge.components.forms import Form

BY_FIELDS, BY_STRING = "Host and login", "Connection string"
SSL_MODES = ("", "disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SECRETS = ("connection_string", "password")
_FIELDS = ("host", "port", "username", "password", "database", "database_file", "sslmode")
_RARE = ("port", "sslmode")


def login_inputs(side: Side) -> list[Any]:
    """Return the inputs of a login; databases whose *side* is installed are offered first.

    Those that are not shown at first are advanced, not hidden: the host passes no hidden value on,
    and flows that are made by programs have theirs.
    """
    here = available(side)
    labels = [*here, *(each.label for each in DATABASES if each.label not in here)]
    return [
        DropdownInput(
            name="database_type",
            display_name="Database",
            info="The kind of database.",
            options=labels,
            options_metadata=[_note(label in here) for label in labels],
            value="PostgreSQL",
            real_time_refresh=True,
        ),
        DropdownInput(
            name="connect_by",
            display_name="Connect by",
            info="How the database is told: by fields, or by a URL with everything in it.",
            options=[BY_FIELDS, BY_STRING],
            value=BY_FIELDS,
            real_time_refresh=True,
        ),
        SecretStrInput(
            name="connection_string",
            display_name="Connection string",
            info="For example postgresql://user:password@host:5432/shop; special characters in "
            "the password are written as %40 and the like. It goes before the fields.",
            value="",
            advanced=True,
        ),
        *_server_inputs(),
        StrInput(
            name="database_file",
            display_name="Database file",
            info="Path of the SQLite file on the machine where KozmoAI runs.",
            value="",
            advanced=True,
        ),
        DropdownInput(
            name="sslmode",
            display_name="TLS",
            info="How the connection is encrypted; if empty, verify-full for other machines.",
            options=list(SSL_MODES),
            value="",
            advanced=True,
        ),
    ]


def _server_inputs() -> list[Any]:
    """The inputs of a database that is a server."""
    return [
        StrInput(
            name="host",
            display_name="Host",
            info="Name or address of the server; localhost if empty.",
            value="",
            placeholder="localhost",
        ),
        IntInput(
            name="port",
            display_name="Port",
            info="Port of the server; 0 is the usual one, for PostgreSQL 5432.",
            value=0,
            advanced=True,
        ),
        StrInput(
            name="username", display_name="User", info="Who logs in to the database.", value=""
        ),
        SecretStrInput(
            name="password",
            display_name="Password",
            info="As it is, or a global variable that holds it.",
            value="",
        ),
        StrInput(
            name="database",
            display_name="Database name",
            info="The database on that server; if empty, the one called as the user.",
            value="",
        ),
    ]


def show_login(component: KozmoComponent, form: Form, chosen: Database, changed: str = "") -> None:
    """Show what *chosen* can be told, and hide the rest, after the input *changed* has changed."""
    string = component.text("connection_string") if form.shown("connection_string") else ""
    by_string = _by_string(form, chosen, string, changed)
    form.set("connect_by", BY_STRING if by_string else BY_FIELDS)
    form.place("connect_by", "host" in chosen.settings)
    form.place("connection_string", by_string)
    for name in _FIELDS:
        form.place(name, name in chosen.settings and not by_string, rare=name in _RARE)


def login(component: KozmoComponent, form: Form | None = None) -> dict[str, Any]:
    """Return the settings that say where the database is, without references to variables.

    Of a *form* the inputs that are hidden do not count, as at run.
    """
    chosen = database(component.text("database_type"))
    given: dict[str, Any] = {name: component.text(name) for name in (*_FIELDS, *SECRETS)}
    given["password"] = component.text("password", spaces=True)
    given["port"] = component.number("port")
    if form is not None:
        given |= {name: "" for name in given if not form.shown(name)}
    return chosen.config(given, given["connection_string"])


def settings(component: KozmoComponent, form: Form | None = None) -> dict[str, Any]:
    """As `login`, for a plug-in: what was typed is text, not the name of a variable."""
    return literal(login(component, form))


def _by_string(form: Form, chosen: Database, string: str, changed: str) -> bool:
    if not chosen.settings or form.value("connect_by") == BY_STRING and "host" in chosen.settings:
        return True
    # Flows of the first integration have a connection string, and no choice.
    return bool(string) and chosen.takes(string) and changed != "connect_by"


def _note(here: bool) -> dict[str, Any]:
    return {"icon": "Database"} if here else {"icon": "Unplug", "installed": "not"}
