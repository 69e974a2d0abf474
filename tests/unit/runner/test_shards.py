"""How streams are shared out, and how the states of shards become one."""

import pickle

import pytest

from kozmo_runner.job import Job
from kozmo_runner.parallel import Order
from kozmo_runner.plugins import Plug
from kozmo_runner.shards import Cut, Joined, Shard, can_join, large, plan
from kozmo_runner.stores.base import Owner
from kozmo_singer.wire.catalog import Catalog

KEY = ["id"]
RANGES = [
    {"after": None, "until": [10]},
    {"after": [10], "until": [20]},
    {"after": [20], "until": [30]},
    {"after": [30], "until": None},
]


def _catalog(**rows: int | None) -> Catalog:
    return Catalog.from_dict(
        {
            "streams": [
                {
                    "tap_stream_id": name,
                    "schema": {"selected": True},
                    "row_count": count,
                    "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
                }
                for name, count in rows.items()
            ]
        }
    )


def _streams(shards: list[Shard]) -> list[list[str]]:
    return [shard.streams for shard in shards]


def test_large_streams_go_apart_and_first() -> None:
    """Small ones share a pair, so that no more pairs start than are of use."""
    catalog = _catalog(a=10, b=100_000, c=20, d=60_000, e=30)
    assert _streams(plan(catalog, 2, {})) == [["b"], ["d", "e", "c", "a"]]


def test_more_shards_than_workers_where_they_are_large() -> None:
    """Then a wrong estimate costs little; but never more than three a worker, or than streams."""
    assert len(plan(_catalog(**{f"s{n}": 10_000_000 for n in range(50)}), 2, {})) == 6
    assert len(plan(_catalog(a=10_000_000, b=10_000_000), 4, {})) == 2
    assert len(plan(_catalog(**{f"s{n}": None for n in range(8)}), 2, {})) == 4
    assert len(plan(_catalog(**dict.fromkeys("abcdefgh", 0)), 2, {})) == 2
    assert plan(_catalog(), 2, {}) == []


def test_a_shard_selects_its_own_streams_only() -> None:
    """The others stay in the catalog: a tap may need them to find its own."""
    catalog = _catalog(a=1, b=2)
    chosen = [shard.catalog(catalog) for shard in plan(catalog, 2, {})]
    assert [[s.tap_stream_id for s in each.selected()] for each in chosen] == [["b"], ["a"]]
    assert [len(each.streams) for each in chosen] == [2, 2]
    assert len(catalog.selected()) == 2


def test_a_table_is_cut_if_it_would_keep_a_worker_for_too_long() -> None:
    """Into ranges of about the same size that touch; what is next to each other becomes one."""
    cuts = {"a": Cut(KEY, 1_000_000, RANGES)}
    shards = plan(_catalog(a=1_000_000), 2, cuts)
    assert [shard.state({}) for shard in shards] == [
        {"bookmarks": {"a": {"full_table": {"key": KEY, "ranges": [each]}}}}
        for each in ({"after": None, "until": [20]}, {"after": [20], "until": None})
    ]
    assert len(plan(_catalog(a=1_000_000, b=1_000_000), 2, cuts)) == 2


@pytest.mark.parametrize("jobs", [2, 3, 4, 8])
def test_ranges_of_all_shards_are_the_table(jobs: int) -> None:
    """None is lost, none comes twice, and ranges with a gap between them stay two."""
    gap = [RANGES[0], *RANGES[2:]]
    for ranges in (RANGES, gap):
        shards = plan(_catalog(a=9_000_000), jobs, {"a": Cut(KEY, 9_000_000, ranges)})
        found = [
            each
            for shard in shards
            for each in shard.state({})["bookmarks"]["a"]["full_table"]["ranges"]
        ]
        edges = sorted((r["after"] or [0], r["until"] or [99]) for r in found)
        missing = [(o[1], n[0]) for o, n in zip(edges, edges[1:], strict=False) if o[1] != n[0]]
        assert missing == ([([10], [20])] if ranges is gap else [])
        assert (edges[0][0], edges[-1][1]) == ([0], [99])


def test_only_streams_that_hold_up_the_run_are_large() -> None:
    """Others are done while the rest is read, and small tables are not worth a second pair."""
    assert [s.tap_stream_id for s in large(_catalog(a=1_000_000, b=10, c=None), 2)] == ["a"]
    assert large(_catalog(a=1_000_000, b=1_000_000), 2) == []
    assert large(_catalog(a=100_000), 2) == []
    assert [s.tap_stream_id for s in large(_catalog(a=None), 2)] == ["a"]


def test_each_bookmark_comes_from_the_shard_of_its_stream() -> None:
    """What a shard says of other streams is as old as its start."""
    one, other = plan(_catalog(a=2, b=1), 2, {})
    assert (one.streams, other.streams) == (["a"], ["b"])
    joined = Joined([one, other], {})
    assert joined.state == {}
    joined.take(0, {"bookmarks": {"a": 2, "b": 0, "old": 0}, "currently_syncing": "a"})
    assert joined.state == {"bookmarks": {"a": 2}}
    joined.take(1, {"bookmarks": {"a": 0, "b": 7}, "versions": {"b": 1, "a": 1}})
    joined.take(0, {"bookmarks": {"a": 3, "b": 0}})
    assert joined.state == {"bookmarks": {"a": 3, "b": 7}, "versions": {"b": 1}}


def test_states_without_bookmarks_are_joined_by_the_names_of_streams() -> None:
    """As old taps write them; what belongs to no stream is told, and not kept."""
    joined = Joined(plan(_catalog(a=2, b=1), 2, {}), {"a": "2020", "gone": "2019"})
    joined.take(0, {"a": "2021", "b": "2000", "gone": "2019", "token": "x"})
    joined.take(1, {"a": "2020", "b": "2022"})
    assert joined.state == {"a": "2021", "b": "2022"}
    assert joined.strange == {"token"}


def test_what_is_left_of_a_cut_table() -> None:
    """The ranges of shards that did not speak yet count in full; at the end the mark goes."""
    shards = plan(_catalog(a=1_000_000), 2, {"a": Cut(KEY, 1_000_000, RANGES)})
    joined = Joined(shards, {})
    half = {"key": KEY, "ranges": [{"after": [7], "until": [20]}]}
    joined.take(0, {"bookmarks": {"a": {"full_table": half}}})
    left = [{"after": [7], "until": [20]}, {"after": [20], "until": None}]
    assert joined.state["bookmarks"]["a"] == {"full_table": {"key": KEY, "ranges": left}}
    joined.take(0, {"bookmarks": {"a": {"full_table": None}}})
    joined.take(1, {"bookmarks": {"a": {"full_table": {"key": KEY, "last": [33]}}}})
    left = [{"after": [33], "until": None}]
    assert joined.state["bookmarks"]["a"] == {"full_table": {"key": KEY, "ranges": left}}
    joined.take(1, {"bookmarks": {"a": {}}})
    assert joined.state["bookmarks"]["a"] == {"full_table": None}


def test_the_interrupted_stream_is_told_to_its_shard_only() -> None:
    """Another one would look for a stream that it must not read."""
    before = {"currently_syncing": "b", "bookmarks": {"a": {"x": 1}}}
    a, b = plan(_catalog(a=2, b=1), 2, {})
    assert a.state(before) == {"bookmarks": {"a": {"x": 1}}}
    assert b.state(before) == before


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ({}, True),
        ({"bookmarks": {"x": 1}, "currently_syncing": "a"}, True),
        ({"a": "2020", "b": "2021"}, True),
        ({"seen": 3}, False),
        ({"bookmarks": [1]}, False),
    ],
)
def test_which_states_can_be_joined(state: dict[str, object], can: bool) -> None:
    """Those in which everything belongs to a stream or to a run."""
    assert can_join(state, _catalog(a=1, b=1)) is can


def test_an_order_can_travel() -> None:
    """To workers in other processes and on other machines."""
    tap, target = Plug("tap-a", "tap", ("tap-a",), True), Plug("t", "target", ("t",), False)
    catalog = _catalog(a=1)
    order = Order(Job(tap, target, catalog=catalog, state_id="x"), {"a": 1}, Owner.me("run"))
    assert pickle.loads(pickle.dumps(order)) == order
