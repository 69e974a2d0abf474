"""Each value has one form in Data: the table of docs/data-objects.md, and what it promises."""

import copy
import enum
import gc
import json
import uuid
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_bridge.values import building, duration, native, native_list, unique_names

EAST = timezone(timedelta(hours=5))
Point = namedtuple("Point", "x y")


class Level(enum.IntEnum):
    HIGH = 3


class Colour(enum.Enum):
    RED = "red"


class Word(str):
    pass


@dataclass
class Part:
    name: str
    price: Decimal


FORMS = [
    (None, None),
    (True, True),
    (7, 7),
    (2**70, 2**70),
    (1.5, 1.5),
    ("a\n\\n\u2028é", "a\n\\n\u2028é"),
    # missing
    (float("nan"), None),
    (np.float64("nan"), None),
    (pd.NaT, None),
    (pd.NA, None),
    (np.datetime64("NaT", "s"), None),
    (np.timedelta64("NaT", "s"), None),
    (np.ma.masked, None),
    (Decimal("NaN"), None),
    # no number of JSON's
    (float("inf"), "Infinity"),
    (float("-inf"), "-Infinity"),
    (Decimal("-Infinity"), "-Infinity"),
    # decimals: a number as long as a float holds every digit
    (Decimal("5"), 5),
    (Decimal("1E+3"), 1000.0),
    (Decimal("5.00"), 5.0),
    (Decimal("19.99"), 19.99),
    (Decimal("123456789012345.5"), 123456789012345.5),
    (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
    (Decimal("12345678901234567890"), 12345678901234567890),
    (Decimal("1E+999999"), "1E+999999"),
    # moments: with a zone in UTC, without one as they stand
    (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05"),
    (datetime(2024, 1, 2, 3, 4, 5, 6), "2024-01-02T03:04:05.000006"),
    (datetime(2024, 1, 2, 3, 4, 5, tzinfo=EAST), "2024-01-01T22:04:05+00:00"),
    (datetime(1, 1, 1, tzinfo=EAST), "0001-01-01T00:00:00+05:00"),
    (pd.Timestamp("2024-01-02 03:04:05.123456789"), "2024-01-02T03:04:05.123456789"),
    (pd.Timestamp("2024-01-02", tz="Asia/Tokyo"), "2024-01-01T15:00:00+00:00"),
    (np.datetime64("2024-01-02T03:04:05.120"), "2024-01-02T03:04:05.120000"),
    (np.datetime64("2024-01-02T03"), "2024-01-02T03:00:00"),
    (np.datetime64("2024-01-02"), "2024-01-02"),
    (date(2024, 1, 2), "2024-01-02"),
    (time(1, 2, 3, 40), "01:02:03.000040"),
    (time(1, 2, tzinfo=EAST), "01:02:00+05:00"),
    # durations
    (timedelta(days=1, hours=2, seconds=3, microseconds=500_000), "P1DT2H3.5S"),
    (timedelta(0), "PT0S"),
    (-timedelta(minutes=90), "-PT1H30M"),
    (pd.Timedelta("1D 1ns"), "P1DT0.000000001S"),
    (np.timedelta64(90, "m"), "PT1H30M"),
    (np.timedelta64(3, "M"), "3 months"),
    # bytes
    (b"\x00\xff", "AP8="),
    (bytearray(b"ab"), "YWI="),
    (memoryview(b"ab"), "YWI="),
    (np.bytes_(b"ab"), "YWI="),
    # foreign and derived
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (Level.HIGH, 3),
    (Colour.RED, "red"),
    (Word("w"), "w"),
    (PurePosixPath("a/b"), "a/b"),
    (1 + 2j, "(1+2j)"),
    (np.int64(3), 3),
    (np.float64(0.1), 0.1),
    (np.bool_(True), True),
    (np.str_("s"), "s"),
    (np.longdouble(2), 2.0),
    (pd.Period("2024-01"), "2024-01"),
    (pd.Interval(1, 2), "(1, 2]"),
    # nested
    ([1, (Decimal("2.5"), None)], [1, [2.5, None]]),
    ({"a": {"b": date(2024, 1, 2)}}, {"a": {"b": "2024-01-02"}}),
    ({1: "a", "1": "b", None: "c", (1, "x"): "d"}, {"1": "a", "1_2": "b", "null": "c", "1.x": "d"}),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({"b", "a"}), ["a", "b"]),
    (Point(1, np.int64(2)), [1, 2]),
    (Part("nut", Decimal("0.5")), {"name": "nut", "price": 0.5}),
    (OrderedDict(a=1), {"a": 1}),
    (np.array([[1.5, np.nan]]), [[1.5, None]]),
    (np.array(["2024-01-02T03:04"], dtype="datetime64[ns]"), ["2024-01-02T03:04:00"]),
    (pd.Series([1, None]), [1.0, None]),
    (pd.Categorical(["a", None]), ["a", None]),
    (pd.DataFrame({"a": [1, None]}), [{"a": 1.0}, {"a": None}]),
    # halves of surrogate pairs, which UTF-8 cannot carry
    ("\ud83d\ude00 \ud800", "\U0001f600 \ufffd"),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=lambda value: ascii(value)[:40])
def test_a_value_takes_its_stated_form(value, form):
    """The same alone, in a column, and within other values."""
    found = native(value)
    assert found == form
    assert type(found) is type(form)
    assert native_list([value, None]) == [form, None]
    assert native({"k": [value]}) == {"k": [form]}


@pytest.mark.parametrize(
    ("decimals", "forms"),
    [
        ("float", [5.0, 0.12345678901234568, "Infinity", None]),
        ("string", ["5", "0.1234567890123456789", "Infinity", None]),
    ],
)
def test_decimals_can_be_asked_for_as_floats_or_as_text(decimals, forms):
    """All of a column in one type, for those who would rather have that than every digit."""
    values = list(map(Decimal, ["5", "0.1234567890123456789", "Infinity", "NaN"]))
    assert native_list(values, decimals) == forms
    assert [native(value, decimals) for value in values] == forms


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.binary(),
        st.text(st.characters(), max_size=9), st.datetimes(), st.dates(), st.times(),
        st.datetimes(timezones=st.just(EAST)), st.timedeltas(), st.uuids(), st.complex_numbers(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=9,
)  # fmt: skip


@given(ANY)
def test_any_value_becomes_json_and_the_argument_stays(value):
    """Nothing but JSON's own types comes out, and what came in is as it was."""
    before = copy.deepcopy(value)
    found = native(value)
    text = json.dumps(found, allow_nan=False).encode()
    assert json.loads(text) == found
    assert repr(value) == repr(before)
    assert native(found) == found


@given(st.lists(ANY, max_size=6))
def test_a_column_is_converted_as_its_values_are(values):
    """The quick ways for columns of one type give what the slow way gives."""
    assert native_list(values) == [native(value) for value in values]


@given(st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000)))
def test_durations_come_back_from_their_iso_text(value):
    """pandas reads them, down to the microsecond."""
    text = duration(value)
    found = pd.Timedelta(text.lstrip("-")).to_pytimedelta()
    assert (-found if text.startswith("-") else found) == value


def test_names_become_text_and_are_made_unique_without_taking_anothers():
    """The second `a` is a_2, unless that name is in use."""
    assert unique_names(["a", "a", "a_2", "a"]) == ["a", "a_3", "a_2", "a_4"]
    assert unique_names([0, "0", None, ("x", 1), ("y", "")]) == ["0", "0_2", "null", "x.1", "y"]
    assert unique_names([1.5, True, date(2024, 1, 2)]) == ["1.5", "true", "2024-01-02"]


def test_the_collector_is_only_held_off_while_building():
    """It is on again afterwards, also after an error, and stays off for who had it off."""
    with pytest.raises(ValueError, match="inside"), building():
        assert not gc.isenabled()
        raise ValueError("inside")
    assert gc.isenabled()
    gc.disable()
    with building():
        pass
    assert not gc.isenabled()
    gc.enable()
