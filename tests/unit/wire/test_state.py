"""States merge, and bookmarks are found in them."""

from kozmo_singer.wire.state import bookmark, merge


def test_maps_merge_and_other_values_are_replaced():
    older = {"bookmarks": {"a": {"v": 1, "w": 1}, "b": {"v": 1}}, "currently_syncing": "a"}
    newer = {"bookmarks": {"a": {"v": 2}}, "currently_syncing": None}
    assert merge(older, newer) == {
        "bookmarks": {"a": {"v": 2, "w": 1}, "b": {"v": 1}},
        "currently_syncing": None,
    }


def test_partitions_merge_by_context():
    def state(*partitions):
        return {"bookmarks": {"s": {"partitions": [{"context": {"id": i}, "v": v}
                                                  for i, v in partitions]}}}  # fmt: skip

    assert merge(state((1, "a"), (2, "a")), state((2, "b"), (3, "b"))) == state(
        (1, "a"), (2, "b"), (3, "b")
    )


def test_a_bookmark_is_a_copy():
    state = {"bookmarks": {"s": {"v": [1]}}}
    bookmark(state, "s")["v"].append(2)
    assert state == {"bookmarks": {"s": {"v": [1]}}}
    assert bookmark({}, "s") == {}
