"""Which type holds all that two types hold."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.encode import RecordEncoder
from kozmo_singer.wire.rows import StreamDecoder
from kozmo_singer.wire.types import NAMES, Column, LogicalType
from kozmo_targets.sql.fit import Fit
from kozmo_targets.sql.widen import TEXT, widened


def integer(bits: int | None = None) -> LogicalType:
    """An integer of so many bits."""
    return LogicalType("integer", bits=bits)


def floating(bits: int) -> LogicalType:
    """A float of so many bits."""
    return LogicalType("float", bits=bits)


def decimal(precision: int | None = None, scale: int | None = None) -> LogicalType:
    """A decimal with or without limits."""
    return LogicalType("decimal", precision, scale)


@st.composite
def logical_types(draw: st.DrawFn) -> LogicalType:
    """Any logical type."""
    name = draw(st.sampled_from(NAMES))
    if name == "integer":
        return LogicalType(name, bits=draw(st.sampled_from([16, 32, 64, None])))
    if name == "float":
        return LogicalType(name, bits=draw(st.sampled_from([32, 64])))
    if name == "decimal" and draw(st.booleans()):
        precision = draw(st.integers(1, 40))
        return LogicalType(name, precision, draw(st.integers(0, precision)))
    if name == "string":
        return LogicalType(name, length=draw(st.none() | st.integers(1, 100)))
    return LogicalType(name)


@given(have=logical_types(), want=logical_types())
def test_a_wider_type_needs_no_further_widening(have: LogicalType, want: LogicalType) -> None:
    """It holds what was there and what comes, whichever comes again."""
    found = widened(have, want)
    assert widened(found, want) == found
    assert widened(found, have) == found or found.name in ("timestamptz", "json", "string")
    assert widened(have, have) == have


@given(
    have=st.integers(1, 20),
    scale=st.integers(0, 20),
    want=st.integers(1, 20),
    more=st.integers(0, 9),
)
def test_a_wider_decimal_has_room_on_both_sides(
    have: int, scale: int, want: int, more: int
) -> None:
    """As many digits before the point as either has, and as many after it."""
    one, other = (
        LogicalType("decimal", have + scale, scale),
        LogicalType("decimal", want + more, more),
    )
    found = widened(one, other)
    assert found.precision is not None
    assert found.scale is not None
    assert found.scale == max(scale, more)
    assert found.precision - found.scale == max(have, want)


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (integer(16), integer(), integer(64)),
        (integer(64), integer(), integer(64)),
        (integer(32), decimal(4, 2), decimal(12, 2)),
        (decimal(4, 2), integer(16), decimal(7, 2)),
        (floating(64), integer(32), floating(64)),
        (floating(32), integer(32), floating(64)),
        (floating(64), integer(64), decimal()),
        (decimal(9, 2), floating(64), decimal()),
        (LogicalType("json"), integer(), LogicalType("json")),
        (LogicalType("json"), LogicalType("string"), TEXT),
        (LogicalType("boolean"), integer(), TEXT),
        (LogicalType("time"), LogicalType("date"), TEXT),
        (LogicalType("timestamptz"), LogicalType("timestamp"), LogicalType("timestamptz")),
        (LogicalType("string", length=5), LogicalType("uuid"), TEXT),
    ],
)
def test_what_becomes_of_a_column(
    have: LogicalType, want: LogicalType, expected: LogicalType
) -> None:
    """The table of the docs."""
    assert widened(have, want) == expected


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False),
    precision=st.integers(1, 38),
    scale=st.integers(0, 38),
)
def test_a_decimal_fits_if_no_digit_of_it_would_be_lost(
    value: Decimal, precision: int, scale: int
) -> None:
    """Exactly when the value with *scale* places equals it and has at most *precision* digits."""
    scale = min(scale, precision)
    column = Column("v", LogicalType("decimal", precision, scale))
    shifted = value * Decimal(10) ** scale if abs(value) < 10**60 else Decimal("NaN")
    fraction = value.as_tuple()
    exponent = fraction.exponent
    assert isinstance(exponent, int)
    digits = str(abs(int("".join(map(str, fraction.digits)) or 0)) if value else 0).rstrip("0")
    places = max(0, -(exponent + (len(fraction.digits) - len(digits)))) if digits else 0
    fits = not value or (
        places <= scale and shifted == shifted and abs(value) < Decimal(10) ** (precision - scale)
    )
    lines = RecordEncoder("s", [column]).encode([(None,), (value,)]).splitlines()
    rows = StreamDecoder("s", [column], print).decode(lines, [6, 7])
    if fits:
        Fit("s", [column], []).check(rows)
    else:
        with pytest.raises(RecordError, match=r"line 7, \$\.v: expected decimal"):
            Fit("s", [column], []).check(rows)
