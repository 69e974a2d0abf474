"""Arrow IPC files, which are also Feather of version 2."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from kozmo_singer.systems.formats.writers.typed import TableWriter, TypedFormat


class ArrowFormat(TypedFormat):
    """Files that can be entered at any of their batches."""

    def open(self, file: BinaryIO) -> TableWriter:
        packed = None if self.options.packed == "none" else self.options.packed
        options = pa.ipc.IpcWriteOptions(compression=packed)
        schema = self.schema
        return ArrowWriter(schema, lambda _: pa.ipc.new_file(file, schema, options=options))


class ArrowWriter(TableWriter):
    """Writes batches of as many rows as a file waits for, so that who reads needs little memory."""

    def _add(self, table: pa.Table) -> None:
        self._writer.write_table(table.combine_chunks(), max_chunksize=ArrowFormat.group)
