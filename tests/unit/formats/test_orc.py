"""ORC: as pyarrow writes it, stripe by stripe."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import orc

from kozmo_singer.errors import ReadError
from reading import read


def made(table: pa.Table, **options: int) -> bytes:
    """A file of *table*."""
    out = io.BytesIO()
    orc.write_table(table, out, **options)
    return out.getvalue()


def test_types_and_values() -> None:
    """Are those that the file declares."""
    moment = datetime(2024, 1, 1, 1, 2, 3, 456789)
    table = pa.table(
        {
            "whole": pa.array([1, None], pa.int32()),
            "text": ["00123", ""],
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
            "at": pa.array([moment, None], pa.timestamp("ns")),
            "zoned": pa.array([moment, None], pa.timestamp("ns", "UTC")),
            "day": pa.array([date(2024, 2, 29), None]),
            "bytes": [b"\x00", b""],
            "float": pa.array([0.1, None], pa.float32()),
            "list": [[1], []],
            "inner": [{"a": 1}, None],
        }
    )
    found = read("orc", made(table))
    kinds = "integer string decimal timestamp timestamptz date binary float json json"
    assert list(found.types.values()) == kinds.split()
    assert found.look.rows == 2
    stamp = "2024-01-01T01:02:03.456789Z"
    assert [list(record.values()) for record in found.records] == [
        [1, "00123", 1.5, stamp, stamp, "2024-02-29", "00", 0.1, [1], {"a": 1}],
        [None, "", None, None, None, None, "", None, [], None],
    ]


def test_stripes_are_read_from_any_row_on() -> None:
    """Of as many rows as there are."""
    numbers = list(range(200_000))
    content = made(pa.table({"id": numbers, "half": [n / 2 for n in numbers]}), stripe_size=65_536)
    assert orc.ORCFile(io.BytesIO(content)).nstripes > 1
    assert [r["id"] for r in read("orc", content).records] == numbers
    assert [r["id"] for r in read("orc", content, skip=199_997).records] == numbers[-3:]


WHOLE = made(pa.table({"id": list(range(1000))}))
BROKEN = [b"", b"ORC", b"ORC" + b"\xff" * 100, b"id\n1\n", WHOLE[:-20], WHOLE[:-9] + b"\xff" * 9]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_orc_is_told(content: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(ReadError, match=r"cannot read t\.orc"):
        read("orc", content)
