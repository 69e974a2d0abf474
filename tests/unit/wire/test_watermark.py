"""A state leaves only when every row before it is durable."""

from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.wire import Watermark

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("row"), st.sampled_from("abc")),
        st.tuples(st.just("durable"), st.sampled_from("abc")),
        st.tuples(st.just("state"), st.none()),
        st.tuples(st.just("ask"), st.none()),
    ),
    max_size=80,
)


@given(STEPS)
def test_no_state_is_handed_out_before_its_rows_and_none_is_held_back_without_need(steps):
    """Checked against a list of every row and whether it is durable."""
    mark = Watermark()
    rows: list[list] = []  # [stream, durable]
    states: list[int] = []  # how many rows came before it
    handed = -1
    for step, stream in [*steps, ("ask", None)]:
        if step == "row":
            rows.append([stream, False])
            mark.received(stream)
        elif step == "durable":
            for row in rows:
                row[1] = row[1] or row[0] == stream
            mark.durable(stream)
        elif step == "state":
            mark.state(len(states))
            states.append(len(rows))
        else:
            safe = [n for n, before in enumerate(states) if all(r[1] for r in rows[:before])]
            expected = max(safe, default=-1)
            got = mark.safe()
            assert got == (expected if expected > handed else None)
            handed = max(handed, expected)


def test_a_finished_stream_does_not_hold_back_the_others():
    mark = Watermark()
    mark.received("a")
    mark.state("after a")
    mark.durable("a")
    mark.received("b")
    assert mark.safe() == "after a"
    assert mark.safe() is None
