"""Database Loader: rows of a table or a query."""

from __future__ import annotations

from typing import Any, ClassVar

from kozmo_bridge.components.base import literal
from kozmo_bridge.components.canvas import (
    BoolInput,
    DropdownInput,
    IntInput,
    MessageTextInput,
    SecretStrInput,
)
from kozmo_bridge.components.databases import DATABASES, database
from kozmo_bridge.components.source import SourceComponent, Wanted
from kozmo_singer.errors import ConfigError


class DatabaseLoaderComponent(SourceComponent):
    """Reads a table or a query."""

    display_name = "Database Loader"
    description = "Rows of a table or a query, all of them or those that are new."
    icon = "Database"
    name = "DatabaseLoader"
    secret_inputs = ("connection_string", "password")

    inputs: ClassVar[list[Any]] = [
        DropdownInput(
            name="database_type",
            display_name="Database",
            options=[each.label for each in DATABASES],
            value="PostgreSQL",
        ),
        SecretStrInput(name="connection_string", display_name="Connection string"),
        MessageTextInput(name="query", display_name="Query", tool_mode=True),
        MessageTextInput(name="table_name", display_name="Table"),
        IntInput(name="limit", display_name="Row limit", value=10_000, advanced=True),
        BoolInput(name="test_connection_only", display_name="Test only", advanced=True),
    ]
    outputs: ClassVar[list[Any]] = SourceComponent.source_outputs

    async def wanted(self) -> Wanted:
        """Return the table that the inputs name."""
        chosen = database(self.text("database_type"))
        table = self.text("table_name")
        if not table:
            raise ConfigError("neither a table nor a query is named")
        config = literal(chosen.config({}, self.text("connection_string")))
        return Wanted(chosen.plugin("tap"), config, [table], limit=self.number("limit"))
