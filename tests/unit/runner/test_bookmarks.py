"""State read from a target, and joined with that of earlier runs."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kozmo_runner.bookmarks import StateLines, without_streams
from kozmo_singer.wire.state import carried


def _fed(*chunks: bytes) -> StateLines:
    lines = StateLines()
    for chunk in chunks:
        lines.feed(chunk)
    return lines


def test_the_last_line_wins() -> None:
    """Targets print a state after each batch."""
    assert _fed(b'{"n": 1}\n{"n": 2}\n').newest() == {"n": 2}


def test_a_line_may_come_in_pieces() -> None:
    """Half a line is no state yet, and the last one may lack its newline."""
    lines = _fed(b'{"n": 1}\n{"n":')
    assert lines.newest() == {"n": 1}
    lines.feed(b" 2}")
    assert lines.newest() == {"n": 1}
    lines.end()
    assert lines.newest() == {"n": 2}


def test_what_is_no_state_is_counted_and_left() -> None:
    """Some targets print greetings; a later state still counts, and so does an earlier one."""
    lines = _fed(b'hello\n{"n": 1}\n[1]\n\nbye\n')
    assert lines.newest() == {"n": 1}
    assert lines.garbage == 3


def test_whole_state_messages_are_unwrapped() -> None:
    """The specification says value only; not all targets have read it."""
    assert _fed(b'{"type": "STATE", "value": {"n": 1}}\n').newest() == {"n": 1}
    assert _fed(b'{"type": "a key of the tap"}\n').newest() == {"type": "a key of the tap"}


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), min_size=1), st.data())
def test_however_the_bytes_are_cut_the_last_state_is_found(
    states: list[dict[str, int | str]], data: st.DataObject
) -> None:
    """Pipes deliver in any pieces."""
    text = b"".join(json.dumps(state).encode() + b"\n" for state in states)
    lines = StateLines()
    while text:
        cut = data.draw(st.integers(1, len(text)))
        lines.feed(text[:cut])
        text = text[cut:]
    assert lines.newest() == states[-1]


def test_streams_that_were_not_run_keep_their_bookmarks() -> None:
    """A run of one stream must not forget the others."""
    before = {"bookmarks": {"a": {"id": 1}, "b": {"id": 2}}, "currently_syncing": "b"}
    after = {"bookmarks": {"a": {"id": 9}}}
    assert carried(before, after) == {"bookmarks": {"a": {"id": 9}, "b": {"id": 2}}}


def test_a_bookmark_is_replaced_as_a_whole() -> None:
    """A place in an interrupted full table that the tap took out must not come back."""
    before = {"bookmarks": {"a": {"full_table": {"last": [5]}, "x": 1}}}
    after = {"bookmarks": {"a": {"x": 2}}}
    assert carried(before, after) == after


def test_flat_states_of_old_taps_are_joined_by_key() -> None:
    """Bookmarks at the top level, without a map of bookmarks."""
    assert carried({"a": 1, "b": 2}, {"a": 9}) == {"a": 9, "b": 2}


def test_a_full_refresh_forgets_the_selected_streams_only() -> None:
    """In whichever of the places where taps keep bookmarks, and nothing else changes."""
    state = {
        "bookmarks": {"a": {"id": 1}, "b": {"id": 2}},
        "versions": {"a": 1, "b": 2},
        "currently_syncing": "a",
        "a": "2020-01-01",
        "since": 3,
    }
    assert without_streams(state, {"a"}) == {
        "bookmarks": {"b": {"id": 2}},
        "versions": {"b": 2},
        "since": 3,
    }
    assert state["bookmarks"] == {"a": {"id": 1}, "b": {"id": 2}}
