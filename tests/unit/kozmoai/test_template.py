"""Text made of columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import ConfigError
from kozmo_singer.systems.kozmoai.template import TextTemplate

COLUMNS = ["id", "name", "a.b", "two words", "x:y"]


@pytest.mark.parametrize(
    ("template", "fields", "text"),
    [
        ("{name}: {id}", ["name", "id"], "nut: 7"),
        ("{{{name}}} 100%", ["name"], "{nut} 100%"),
        ("{a.b}{two words}{x:y}", ["a.b", "two words", "x:y"], 'true1.5[1,"é"]'),
        ("%s %(a)s", [], "%s %(a)s"),
        ("", [], ""),
    ],
)
def test_a_template_names_columns_in_braces(template, fields, text):
    """Whatever stands between them is the whole name; the rest is as it is."""
    values = {"id": 7, "name": "nut", "a.b": True, "two words": 1.5, "x:y": [1, "é"]}
    made = TextTemplate(template)
    assert made.fields == fields
    assert made.texts([[values[field]] * 2 for field in fields], 2) == [text, text]


def test_null_is_the_empty_text():
    """The text of a row with nothing in it is what stands around."""
    assert TextTemplate("<{id}>").texts([[None, 0, False, ""]], 4) == ["<>", "<0>", "<false>", "<>"]


@given(st.lists(st.text(max_size=9), min_size=1, max_size=4))
def test_the_text_of_a_column_of_text_is_that_text(values):
    """Whatever is in it: braces and per cent signs mean nothing there."""
    assert TextTemplate("{name}").texts([values], len(values)) == values


@pytest.mark.parametrize(("template", "said"), [("{name", "'{' at character 1"),
                                                 ("a}", "'}' at character 2"),
                                                 ("{}", "'{}' at character 1"),
                                                 ("{a{b}}", "'{' at character 1")])  # fmt: skip
def test_a_broken_template_says_where(template, said):
    """Before anything runs."""
    with pytest.raises(ConfigError, match=f"text_template has {said}"):
        TextTemplate(template)


def test_a_template_is_checked_against_the_columns():
    """It must find all its columns, and must not cover one."""
    TextTemplate("{name} {a.b}").check("s", COLUMNS, "text")
    with pytest.raises(ConfigError) as error:
        TextTemplate("{nmae}").check("s", COLUMNS, "text")
    assert error.value.details == (
        "did you mean 'name'?",
        "its columns: id, name, a.b, two words, x:y",
    )
    with pytest.raises(ConfigError, match="would overwrite the column 'id' of stream s"):
        TextTemplate("{name}").check("s", COLUMNS, "id")
