"""Which rows count as delivered, from one run to the next."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kozmo_taps.sql.seen import MOST, Seen

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", None])), max_size=12)


@given(first=ROWS, later=ROWS)
def test_a_later_run_delivers_what_was_added_and_nothing_twice(
    first: list[tuple[int, str]], later: list[tuple[int, str]]
) -> None:
    """Equal rows are counted, so a twin that came since is delivered."""
    before = Seen()
    before.note(first)
    now = Seen(before.counts())
    fresh = now.fresh([*first, *later], now.edge)
    assert Counter(fresh) == Counter(later)
    assert Counter(now.counts().values()) == Counter(Counter([*first, *later]).values())


@given(rows=ROWS)
def test_a_run_that_ends_early_remembers_what_it_did_not_meet_again(
    rows: list[tuple[int, str]],
) -> None:
    """The rows of the run before are kept until the edge moves or the stream ends."""
    before = Seen()
    before.note(rows)
    now = Seen(before.counts())
    now.fresh(rows[: len(rows) // 2], now.edge)
    assert now.counts() == before.counts()


def test_a_new_edge_forgets_the_rows_of_the_old_one() -> None:
    """Rows below the bookmark are not read again."""
    seen = Seen({"old": 1})
    seen.note([(1,)])
    seen.move()
    assert seen.counts() == {}


def test_too_many_rows_at_one_value_are_not_remembered() -> None:
    """The state stays small; such rows are delivered again."""
    seen = Seen()
    seen.note((i,) for i in range(MOST + 1))
    assert seen.counts() == {}
    assert seen.fresh([(0,)], seen.edge) == [(0,)]


def test_rows_without_order_give_way_to_those_at_the_edge() -> None:
    """Where both are too many for a state."""
    seen = Seen()
    seen.note([(i,) for i in range(MOST)])
    assert seen.fresh([("null",)], seen.apart) == [("null",)]
    assert len(seen.counts()) == MOST


def test_text_that_no_json_can_carry_has_a_digest() -> None:
    """Lone surrogates come from JSON written elsewhere."""
    seen = Seen()
    seen.note([("\ud800",)])
    assert Seen(seen.counts()).fresh([("\ud800",)], seen.edge) == []
