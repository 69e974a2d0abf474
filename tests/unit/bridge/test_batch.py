"""What a batch of a tap's rows turns into."""

import json
import sys
from decimal import Decimal

import pytest

from kozmo_bridge import Batch
from kozmo_singer.errors import ConfigError, MissingDriver
from kozmo_singer.wire.types import Column, LogicalType

COLUMNS = [
    Column("id", LogicalType("integer")),
    Column("name", LogicalType("string")),
    Column("price", LogicalType("decimal", 10, 2)),
    Column("raw", LogicalType("binary")),
    Column("tree", LogicalType("json")),
]
ROWS = [
    (1, "nut", Decimal("0.50"), b"\x00\xff", '{"a":[1,2.5]}'),
    (2, None, None, None, None),
]
BATCH = Batch("parts", COLUMNS, ROWS, ["id"])
DICTS = [
    {"id": 1, "name": "nut", "price": 0.5, "raw": "AP8=", "tree": {"a": [1, 2.5]}},
    {"id": 2, "name": None, "price": None, "raw": None, "tree": None},
]


def test_dicts_have_the_forms_of_data():
    """A key for every column, None where there is nothing."""
    assert BATCH.to_dicts() == DICTS
    assert [list(row) for row in BATCH.to_dicts()] == [BATCH.names] * 2
    assert BATCH.to_dicts(decimals="string")[0]["price"] == "0.50"


def test_batches_are_cut_and_put_together():
    """New batches; those that they are made of stay as they were."""
    assert BATCH.head(1).to_dicts() == DICTS[:1]
    assert BATCH.head(9).rows == ROWS
    assert BATCH.head(0).names == BATCH.names
    whole = BATCH.joined([BATCH.head(1), BATCH.head(0)])
    assert whole.rows == [*ROWS, ROWS[0]]
    assert (whole.stream, whole.key_properties) == ("parts", ("id",))
    assert len(BATCH) == 2


def test_a_template_puts_a_text_first():
    """Made of any columns; NULL is empty."""
    rows = BATCH.to_dicts("{name}: {price} {tree}", text_key="about")
    assert [row["about"] for row in rows] == ['nut: 0.5 {"a":[1,2.5]}', ":  "]
    assert [{k: v for k, v in row.items() if k != "about"} for row in rows] == DICTS


def test_a_template_that_does_not_fit_says_what_there_is():
    """An unknown column, and a text that would take a column's place."""
    with pytest.raises(ConfigError) as unknown:
        BATCH.to_dicts("{nam}")
    assert str(unknown.value) == (
        "text_template names 'nam', which stream parts does not have\n"
        "  did you mean 'name'?\n"
        "  its columns: id, name, price, raw, tree"
    )
    with pytest.raises(ConfigError, match="overwrite the column 'name' of stream parts"):
        BATCH.to_dicts("{id}", text_key="name")


def test_a_batch_gives_new_objects_each_time():
    """Who changes them changes nothing else."""
    changed = BATCH.to_dicts()
    changed[0]["tree"]["a"].clear()
    changed[0].clear()
    assert BATCH.to_dicts() == DICTS
    assert BATCH.rows == ROWS


def test_a_batch_is_its_rows():
    """It has a length, is iterated over, and says what it is."""
    assert len(BATCH) == 2
    assert list(BATCH) == ROWS
    assert repr(BATCH) == "<Batch of 2 rows of stream parts>"
    assert BATCH.key_properties == ("id",)


def test_json_that_only_python_reads_is_mended():
    """NaN and halves of surrogate pairs, which some taps write."""
    column = [Column("j", LogicalType("json"))]
    rows = [('{"a":NaN,"b":[Infinity,"\\ud800"]}',), ("[1]",), (None,)]
    found = Batch("s", column, rows).to_dicts()
    assert found == [{"j": {"a": None, "b": ["Infinity", "\ufffd"]}}, {"j": [1]}, {"j": None}]
    json.dumps(found, allow_nan=False).encode()


def test_without_kozmoai_the_error_says_what_to_install(run):
    """Where the host is not installed, all but Data and its DataFrame works."""
    program = """
import sys
sys.modules["kozmoai"] = None
from kozmo_bridge import Batch, mage_df_to_kozmo_data
from kozmo_singer.errors import MissingDriver
for call in (Batch("s", [], []).to_data, Batch("s", [], []).to_dataframe):
    try:
        call()
    except MissingDriver as error:
        print(error)
"""
    result = run([sys.executable, "-c", program])
    assert result.code == 0, result.err
    assert result.out.decode().splitlines() == 2 * [
        "KozmoAI's Data and DataFrame need 'kozmoai-base'; run: pip install kozmoai-base",
        "  without it there are to_dicts(), to_pandas() and to_arrow()",
    ]
    assert issubclass(MissingDriver, Exception)
