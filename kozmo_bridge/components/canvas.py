"""What components are made of: the classes of the host that is here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from kozmo_bridge import _host

if TYPE_CHECKING:

    class Component:
        """What we use of the host's component."""

        inputs: ClassVar[list[Any]]
        outputs: ClassVar[list[Any]]
        display_name: ClassVar[str]
        description: str
        documentation: ClassVar[str]
        icon: ClassVar[str]
        name: ClassVar[str]
        status: Any
        graph: Any
        _id: str
        _vertex: Any
        _attributes: dict[str, Any]
        _inputs: dict[str, Any]

        def __init__(self, **values: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...
        def log(self, message: Any) -> None: ...
        def stop(self, output: str) -> None: ...
        def extract_data(self, result: Any) -> Any: ...
        def set(self, **values: Any) -> Any: ...
        async def to_toolkit(self) -> list[Any]: ...
        async def update_frontend_node(
            self, new_frontend_node: dict[str, Any], current_frontend_node: dict[str, Any]
        ) -> dict[str, Any]: ...
        async def _build_results(self) -> tuple[dict[str, Any], dict[str, Any]]: ...
        def _pre_run_setup(self) -> None: ...

    class Data:
        """A row of the host's."""

        data: dict[str, Any]

        def __init__(self, **values: Any) -> None: ...

    class DataFrame:
        """A table of the host's: a pandas DataFrame."""

        def __init__(self, data: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...

    class Message:
        """A text of the host's."""

        text: Any

        def __init__(self, **values: Any) -> None: ...
else:
    Data, DataFrame, Message = _host.host()
    Component = _host.module("custom").Component

DATA, FRAME, MESSAGE = (each.__name__ for each in (Data, DataFrame, Message))
"""What the host calls the types of inputs and outputs; Langflow has other names than KozmoAI."""
_io = _host.module("io")
BoolInput: Any = _io.BoolInput
DropdownInput: Any = _io.DropdownInput
FileInput: Any = _io.FileInput
FloatInput: Any = _io.FloatInput
HandleInput: Any = _io.HandleInput
IntInput: Any = _io.IntInput
MessageTextInput: Any = _io.MessageTextInput
MultilineInput: Any = _io.MultilineInput
MultilineSecretInput: Any = _io.MultilineSecretInput
MultiselectInput: Any = _io.MultiselectInput
# Langflow shows one output alone, to be chosen, where not told that all are wanted.
Output: Any = partial(_io.Output, group_outputs=True)
SecretStrInput: Any = _io.SecretStrInput
StrInput: Any = _io.StrInput
TableInput: Any = _io.TableInput
NUMBERS: dict[str, Any] = {"integer": IntInput, "number": FloatInput}
"""The inputs for numbers that may be left empty, by kind; where there is none a text does."""
if _host.name() == "lfx":
    # Langflow makes 0 of a number that is left empty, and has a port beside each table.
    NUMBERS = {}
    TableInput = partial(_io.TableInput, input_types=[])
