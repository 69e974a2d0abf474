"""Inputs that several nodes have: the same name, words and place on all of them."""

from __future__ import annotations

from typing import Any

from kozmo_bridge.components.canvas import (
    DATA,
    FRAME,
    BoolInput,
    HandleInput,
    IntInput,
    MultilineInput,
)

_TEST_INFO = "Switch it on to try it; it goes back by itself. Status says what was found."


def rows(**more: Any) -> Any:
    """Return the input that takes the rows of other nodes."""
    return HandleInput(
        name="input_data",
        display_name="Rows",
        info="Data or a DataFrame, such as a loader gives. Several edges are put together.",
        input_types=[DATA, FRAME],
        **more,
    )


def test_connection(more: str = "") -> Any:
    """Return the push-button that tries the connection, and does *more*."""
    return BoolInput(
        name="test_connection",
        display_name="Test connection",
        info=" ".join(filter(None, (_TEST_INFO, more))),
        value=False,
        real_time_refresh=True,
    )


def row_limit(at_first: int) -> Any:
    """Return the input for how many rows are read."""
    return IntInput(
        name="limit",
        display_name="Row limit",
        info=f"The most rows of each stream that are read; {at_first:,} at first, 0 for all.",
        value=at_first,
        advanced=True,
    )


def text_template() -> Any:
    """Return the input for the text of each row."""
    return MultilineInput(
        name="text_template",
        display_name="Text template",
        info="The text of each row, such as {name}: {description}. If empty, Text is a table.",
        value="",
        advanced=True,
    )


def only_test(what: str) -> Any:
    """Return the toggle by which the outputs tell whether *what*, and nothing is read."""
    return BoolInput(
        name="test_connection_only",
        display_name="Only test",
        info=f"The outputs tell whether {what}, and no rows are read.",
        value=False,
        advanced=True,
    )
