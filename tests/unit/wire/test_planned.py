"""What a target would do, in words."""

from kozmo_singer.wire.planned import ColumnPlan, Plan, StreamPlan


def test_each_stream_is_told_with_its_columns_and_statements() -> None:
    """A line for each; estimates, renamed fields, conflicts and errors are told as such."""
    columns = [
        ColumnPlan("id", "id", "bigint", "bigint", "keep"),
        ColumnPlan("Long name", "long", "text", None, "add"),
        ColumnPlan("n", "n", "text", "bigint", "conflict", "a view uses it"),
        ColumnPlan(None, "old", "text", "text", "left alone"),
    ]
    plan = StreamPlan(
        "public-t", "public", "t", '"public"."t"', True, 1234, "estimate", "upsert", ["id"],
        columns, ["ALTER TABLE t ADD COLUMN long text"], ["a note"], 2000, 1, ["no", "since"],
    )  # fmt: skip
    assert Plan("target-x", [plan]).words().splitlines() == [
        "stream public-t: 2,000 records, 1 of them do not fit its schema",
        '  table "public"."t": exists, about 1,234 rows',
        "  load method upsert, key id",
        "    id    keep bigint",
        "    long  add text (field Long name)",
        "    n     conflict: bigint -> text: a view uses it",
        "    old   left alone text",
        "  ALTER TABLE t ADD COLUMN long text;",
        "  note: a note",
        "  the load would fail: no",
        "    since",
    ]
    assert Plan("target-x", [StreamPlan("u"), plan]).error == ["no", "since"]


def test_no_stream_is_told_too() -> None:
    """An empty input is no fault."""
    plan = Plan("target-x")
    assert (plan.words(), plan.error) == ("no stream came", None)
