"""ORC. It has no time of day and no decimal of more than 38 digits: those are text there."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.orc

from kozmo_singer.systems.formats.writers.typed import TableWriter, TypedFormat

_STRIPE_BYTES = 32 << 20
_CODECS = {"none": "uncompressed", "gzip": "zlib"}


class OrcFormat(TypedFormat):
    """Files whose moments are of the years 1678 to 2261, which is what readers can hold."""

    def instead(self, type: pa.DataType) -> pa.DataType:
        if pa.types.is_time(type) or pa.types.is_decimal256(type):
            return pa.string()
        return pa.timestamp("ns", type.tz) if pa.types.is_timestamp(type) else type

    def open(self, file: BinaryIO) -> TableWriter:
        packed = _CODECS.get(self.options.packed, self.options.packed)
        return TableWriter(
            self.schema,
            lambda _: pyarrow.orc.ORCWriter(file, compression=packed, stripe_size=_STRIPE_BYTES),
        )
