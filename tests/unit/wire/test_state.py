"""States merge, and a stream can be forgotten."""

from kozmo_singer.wire.state import bookmark, merge, set_bookmark, without


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


def test_a_bookmark_is_a_copy_and_an_empty_one_is_removed():
    state = {"bookmarks": {"s": {"v": [1]}}}
    bookmark(state, "s")["v"].append(2)
    assert state == {"bookmarks": {"s": {"v": [1]}}}
    set_bookmark(state, "s", {})
    assert state == {"bookmarks": {}}
    assert bookmark({}, "s") == {}


def test_streams_can_be_forgotten():
    state = {"bookmarks": {"a": {"v": 1}, "b": {"v": 1}}, "currently_syncing": "a"}
    assert without(state, ["a"]) == {"bookmarks": {"b": {"v": 1}}}
