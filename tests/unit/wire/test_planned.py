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


def test_lines_that_belong_to_no_stream_are_told_at_the_end() -> None:
    """With the words with which the load would end, if it would."""
    plan = Plan("target-x", [StreamPlan("u")], strays=2)
    told = ["stream u: 0 records", "lines that are no messages, or records without a SCHEMA: 2"]
    assert (plan.words().splitlines(), plan.error) == (told, None)
    plan.fault = ["no", "since"]
    assert plan.words().splitlines() == [*told, "  the load would fail: no", "    since"]
    assert plan.error == ["no", "since"]


def test_no_stream_is_told_too() -> None:
    """An empty input is no fault."""
    plan = Plan("target-x")
    assert (plan.words(), plan.error) == ("no stream came", None)
