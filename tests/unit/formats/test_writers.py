"""Numbers as the decimals of files: each is the same number, or is refused."""

from __future__ import annotations

import random
from decimal import Context, Decimal

import pyarrow as pa
import pytest

from kozmo_singer.systems.formats.writers import WriteOptions
from kozmo_singer.systems.formats.writers.json import JsonLinesFormat
from kozmo_singer.systems.formats.writers.typed import candidates, cast
from kozmo_singer.wire.types import Column, LogicalType

WIDE = Context(prec=200)
TYPES = (
    pa.decimal128(38, 0),
    pa.decimal128(38, 9),
    pa.decimal128(38, 18),
    pa.decimal128(12, 2),
    pa.decimal256(76, 0),
    pa.decimal256(76, 38),
)


def texts() -> list[str]:
    """Return numbers of many lengths, with fractions, exponents and zeros at either end."""
    noise = random.Random(7)
    found = ["0", "-0", "0.0", "0e500", "1e5", "1E+30", "12345e35", "1e-9", "1.50", "1e400", "-1"]
    for digits in range(1, 90):
        number = "".join(noise.choice("0123456789") for _ in range(digits)).lstrip("0") or "7"
        place = noise.randrange(len(number) + 1)
        found += [
            number,
            "-" + number,
            f"{number[:place] or 0}.{number[place:] or 0}",
            f"{number}e{noise.randrange(-40, 40)}",
            f"0.{'0' * digits}1",
            f"1{'0' * digits}",
            f"1.{'0' * digits}",
        ]
    return found


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_a_number_is_itself_or_refused(type: pa.DataType) -> None:
    """One by one, and all that fit at once; what has room is not refused."""
    kept = []
    for text in texts():
        made = cast(pa.array([text]), type, lambda: pa.nulls(1))
        number = Decimal(text)
        whole = number.adjusted() + 1 if number else 0
        fits = whole <= type.precision - type.scale
        fits = fits and (WIDE.remainder(WIDE.scaleb(number, type.scale), 1) == 0)
        assert (made is not None) == fits, text
        if made is not None:
            assert made[0].as_py() == number, text
            kept.append(text)
    together = cast(pa.array([*kept, None]), type, lambda: pa.nulls(1))
    assert together is not None
    assert together.to_pylist() == [*map(Decimal, kept), None]
    for word in ("NaN", "Infinity", "", "x"):
        assert cast(pa.array(["1", word]), type, lambda: pa.nulls(2)) is None


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_a_decimal_of_another_type_is_itself_or_refused(type: pa.DataType) -> None:
    """Arrow alone would make another number of some."""
    for digits in range(1, 39):
        number = Decimal("123456789" * 5).scaleb(digits - 45).to_integral_value()
        made = cast(pa.array([number], pa.decimal128(38, 0)), type, lambda: pa.nulls(1))
        assert (made is not None) == (digits <= type.precision - type.scale)
        assert made is None or made[0].as_py() == number


def test_the_widest_type_holds_everything() -> None:
    """Text is the last resort of every type but binary and float."""
    for name in ("integer", "decimal", "date", "time", "timestamp", "timestamptz", "uuid", "json"):
        assert candidates(LogicalType(name))[-1] == pa.string()


def test_json_of_either_lane_is_the_same() -> None:
    """Digits are a number though they come as text, and a local moment gets no zone."""
    columns = [Column("n", LogicalType("decimal")), Column("at", LogicalType("timestamp"))]
    format = JsonLinesFormat(columns, WriteOptions())
    moments = pa.array([0, None], pa.timestamp("us"))
    batch = pa.RecordBatch.from_arrays([pa.array(["1.50", "1e400"]), moments], names=["n", "at"])
    lines = format.of_columns(batch).to_pylist()
    assert lines == [b'{"n":1.50,"at":"1970-01-01T00:00:00"}\n', b'{"n":1e400,"at":null}\n']
    words = pa.RecordBatch.from_arrays([pa.array(["NaN"]), moments[:1]], names=["n", "at"])
    assert format.of_columns(words) is None
