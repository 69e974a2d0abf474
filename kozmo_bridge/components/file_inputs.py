"""The inputs of the File Loader that are there for every source and format."""

from __future__ import annotations

from typing import Any

from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components import resetting, verdicts
from kozmo_bridge.components.canvas import (
    DATA,
    BoolInput,
    DropdownInput,
    FileInput,
    HandleInput,
    MessageTextInput,
    MultiselectInput,
    SecretStrInput,
    StrInput,
    TableInput,
)
from kozmo_bridge.components.stores import DETECT, ENDINGS, FORMATS, LOCAL, STORES

MODES = ("All files", "New or changed files")


def _column(name: str, title: str, *, edit: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "display_name": title,
        "type": "text",
        "edit_mode": "inline",
        "disable_edit": not edit,
    }


INPUTS: list[Any] = [
    DropdownInput(
        name="source_type",
        display_name="Source",
        info="Where the files are; fields for its login follow.",
        options=[each.label for each in STORES],
        value=LOCAL.label,
        real_time_refresh=True,
    ),
    FileInput(
        name="upload",
        display_name="Upload",
        info="A file of yours, or an archive of several; read where no path is given.",
        file_types=list(ENDINGS),
    ),
    MessageTextInput(
        name="file_path",
        display_name="Path or address",
        info="A file, a folder, a glob as data/**/*.csv, or an address as s3://bucket/key, "
        "gs://, az://, sftp://, ftp://, https://. Paths are those of the machine that runs "
        "KozmoAI.",
        value="",
    ),
    HandleInput(
        name="files_from",
        display_name="Paths of a component",
        info="Data with a file_path, as Directory and File give them; they go before the path.",
        input_types=[DATA],
        advanced=True,
    ),
    StrInput(
        name="s3_bucket",
        display_name="S3 bucket",
        info="The bucket, where the path does not begin with it.",
        value="",
        advanced=True,
    ),
    SecretStrInput(
        name="aws_access_key_id",
        display_name="AWS access key ID",
        info="The key of an account. If empty the usual chain decides: environment, profile, role.",
        advanced=True,
    ),
    SecretStrInput(
        name="aws_secret_access_key",
        display_name="AWS secret access key",
        info="The secret of that key.",
        advanced=True,
    ),
    DropdownInput(
        name="file_format",
        display_name="Format",
        info="Told by the names of the files; fields for its options follow.",
        options=[DETECT, *(each.label for each in FORMATS)],
        value=DETECT,
        real_time_refresh=True,
    ),
    BoolInput(
        name="preview",
        display_name="Test and preview",
        info="Switch it on to look at the files; it goes back by itself, and Status says what was "
        "found.",
        value=False,
        real_time_refresh=True,
    ),
    verdicts.verdict("preview_verdict"),
    MultiselectInput(
        name="streams",
        display_name="Streams",
        info="The files, or sheets, that are read; all if none is chosen.",
        options=[],
        value=[],
        advanced=True,
    ),
    TableInput(
        name="column_choice",
        display_name="Columns",
        info="Write no under Read to leave a column out; Read as gives it another type, as string.",
        table_options={"block_add": True, "block_delete": True},
        table_schema=[
            _column("column", "Column"),
            _column("read", "Read", edit=True),
            _column("type", "Type"),
            _column("read_as", "Read as", edit=True),
            _column("sample", "Sample"),
            _column("stream", "Stream"),
        ],
        trigger_text="Columns",
        value=[],
        advanced=True,
    ),
    DropdownInput(
        name="mode",
        display_name="Read mode",
        info="All files at each run, or only those that are new or have changed since the last.",
        options=list(MODES),
        value=MODES[0],
        advanced=True,
    ),
    *resetting.inputs(),
    inputs_of.row_limit(0),
    inputs_of.text_template(),
    inputs_of.only_test("the files can be read"),
]
