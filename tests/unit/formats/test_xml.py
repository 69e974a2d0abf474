"""XML: records at a path, with attributes, texts and what is nested; entities are refused."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import ReadError
from reading import read

ORDERS = """<?xml version="1.0" encoding="iso-8859-1"?><!-- shop --><orders xmlns:a="u" xmlns="v">
<order id="1"><name>Müller &amp; Söhne</name><n>1</n><a:tag>x</a:tag><a:tag>y</a:tag>
  <home zip="00123"><city>B</city></home><empty/></order>
<order id="20"><name><![CDATA[<b>]]></name><n>20</n><tag>z</tag>
  <home xmlns:i="x" i:nil="true"/></order></orders>""".encode("latin-1")


def test_records_and_what_is_in_them() -> None:
    """Types of texts are inferred, several elements of a name are an array."""
    found = read("xml", ORDERS, record_path="orders/order")
    assert found.types == {
        "@id": "integer", "name": "string", "n": "integer", "tag": "json", "home": "json",
        "empty": "unknown",
    }  # fmt: skip
    home = {"@zip": "00123", "city": "B"}
    assert found.records == [
        {"@id": 1, "name": "Müller & Söhne", "n": 1, "tag": ["x", "y"], "home": home,
         "empty": None},
        {"@id": 20, "name": "<b>", "n": 20, "tag": "z", "home": None, "empty": None},
    ]  # fmt: skip
    assert found.look.rows == 2


PATHS: list[tuple[str, list[dict[str, Any]]]] = [
    (".//home", [{"@zip": "00123", "city": "B"}, {"@zip": None, "city": None}]),
    ("//tag", [{"#text": "x"}, {"#text": "y"}, {"#text": "z"}]),
    ("/orders/order/home", [{"@zip": "00123", "city": "B"}, {"@zip": None, "city": None}]),
    ("order/home", []),
]


@pytest.mark.parametrize(("path", "records"), PATHS)
def test_paths(path: str, records: list[dict[str, Any]]) -> None:
    """Go from the root on, or are found anywhere."""
    assert read("xml", ORDERS, record_path=path).records == records


def test_elements_below_the_root_are_records() -> None:
    """Where no path is given."""
    assert read("xml", ORDERS).records == read("xml", ORDERS, record_path="orders/order").records


LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


@given(st.lists(st.text(LETTERS | st.sampled_from('<>&\n\t"'), min_size=1)))
def test_texts_stay_as_they_are(texts: list[str]) -> None:
    """With blanks, newlines and signs of markup."""
    body = "".join(f"<r><n>x</n><t>{escape(text)}</t></r>" for text in ["x", *texts])
    found = read("xml", f"<a>{body}</a>".encode(), types={"t": _string()})
    assert [record["t"] for record in found.records] == ["x", *texts]


def _string() -> Any:
    from kozmo_singer.wire import LogicalType

    return LogicalType("string")


def test_many_records() -> None:
    """Are read from any one on."""
    rows = "".join(f'<r id="{n}"><v>{n}.5</v></r>\n' for n in range(50_000))
    content = f"<a>\n{rows}</a>".encode()
    assert [r["v"] for r in read("xml", content).records] == [n + 0.5 for n in range(50_000)]
    assert [r["@id"] for r in read("xml", content, skip=49_998).records] == [49_998, 49_999]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
FAULTS = [
    ("", "line 1, column 1: no element found"),
    ("<a><b>", "no element found"),
    ("<a>\n<b></a>", "line 2, column 6: mismatched tag"),
    (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a><b>&l8;</b></a>', "entity of its own, 'l0'"),
    ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "entity of its own, 'x'"),
    ('<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><a><b>&x;</b></a>', "entity of its own, 'x'"),
    ("<a><b>&x;</b></a>", "undefined entity"),
    ("<a>" * 1000, "more than 200 elements deep"),
    ("\0\1", "not well-formed"),
    ('<?xml version="1.0" encoding="big5"?><a><b>x</b></a>', "encoding cannot be read"),
    (f"<a><b>{'x' * 3000}</b></a>", "line 1: the record is longer than 2000 bytes"),
]


@pytest.mark.parametrize(("text", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_what_is_not_read_is_told(text: str, words: str) -> None:
    """With the line on which it is."""
    with pytest.raises(ReadError) as raised:
        read("xml", text.encode(), row_bytes=2000)
    assert words in str(raised.value)
