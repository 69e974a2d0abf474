"""The quick look at a column says what the regular expression says of each value."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kozmo_singer.wire.checks import FORMATS, fit_digits, looks, well_formed

TWO = st.integers(0, 99).map("{:02}".format)
MOMENT = st.tuples(
    TWO, TWO, st.sampled_from("T t"), TWO, TWO, TWO, st.sampled_from(["", "Z", ".5", "+05:30", "é"])
).map(lambda p: f"20{p[0]}-{p[1]}-{p[0]}{p[2]}{p[3]}:{p[4]}:{p[5]}{p[6]}")
TEXT = st.text("0123456789abcdefxyz-:TZ \n.+", max_size=40)
GOOD = st.sampled_from(
    ["2024-02-29", "2024-01-01T00:00:00Z", "12:30", "23:59:59.5", "infinity", "0001-01-01 BC",
     "c81e728d-9d4c-2f63-6f06-7f89cc14862c", "00ff", "AP8=", ""]
)  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@given(values=st.lists(MOMENT | GOOD | TEXT, max_size=6) | st.lists(MOMENT, max_size=40))
@example(values=["2024-01-01", "2024-13-01"])
@example(values=["2024-01-01", "2024-01-32"])
@example(values=["2024-01-01T23:59:59Z", "2024-01-01T25:59:59Z"])
@example(values=["2024-01-01T23:59:59Z", "2024-01-01T23:60:59Z"])
@example(values=["2024-01-01", "2024-0١-01"])
def test_a_column_is_well_formed_if_each_value_is(name: str, values: list[str]) -> None:
    """Whatever stands beside a value, and however many there are."""
    each = [re.fullmatch(FORMATS[name], value, re.ASCII) is not None for value in values]
    assert well_formed(name, values) == all(each)


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, places=None),
    precision=st.integers(1, 20),
    scale=st.integers(0, 20),
)
def test_digits_that_surely_fit_do_fit(value: Decimal, precision: int, scale: int) -> None:
    """The quick look may be wrong in one way only: where it asks for a closer one."""
    scale = min(precision, scale)
    if fit_digits(looks([str(value).encode(), b"1"]), precision, scale):
        assert value == round(value, scale)
        assert abs(value) < Decimal(10) ** (precision - scale)
