"""`kozmo profile` and `kozmo clean`, as a user types them."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

Kozmo = Callable[..., Any]
ROWS = 3_000


@pytest.fixture
def kozmo(run: Any, home: Path) -> Kozmo:
    """Run `kozmo` with arguments, with a home of its own."""
    return lambda *arguments: run(["kozmo", *arguments], None, {"KOZMO_HOME": str(home)})


def good(done: Any) -> str:
    """The output of a command that went well."""
    assert done.code == 0, done.err
    text: str = done.out.decode()
    return text


@pytest.fixture
def orders(run: Any) -> Path:
    """A file with white space around words, and codes with leading zeros."""
    path: Path = run.folder / "orders.csv"
    lines = [f"{i},{'  ' if i % 5 == 0 else ''}name {i},{i:05},{i}.50" for i in range(ROWS)]
    path.write_text("id,name,code,price\n" + "\n".join(lines) + "\n")
    return path


def test_a_profile_in_the_terminal(kozmo: Kozmo, orders: Path) -> None:
    """Columns, insights and suggestions."""
    text = good(kozmo("profile", orders))
    assert text.startswith("orders.csv: 3,000 rows, 4 columns")
    assert "trim whitespace (name)" in text
    assert "600 cells" in text


def test_a_profile_as_json_and_as_a_page(kozmo: Kozmo, orders: Path) -> None:
    """The page stands for itself."""
    page = orders.with_name("page.html")
    found = json.loads(good(kozmo("profile", orders, "--json", "--html", page)))
    assert (found["rows"], [c["label"] for c in found["columns"]]) == (
        ROWS, ["id", "name", "code", "price"],
    )  # fmt: skip
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_part_of_the_rows(kozmo: Kozmo, orders: Path) -> None:
    """The first ones, or some of all, the same ones each time."""
    assert json.loads(good(kozmo("profile", orders, "--json", "-n", 100)))["rows"] == 100
    samples = [good(kozmo("profile", orders, "--json", "--sample", 200)) for _ in range(2)]
    found = json.loads(samples[0])
    assert (found["rows"], samples[0]) == (200, samples[1])
    (id, *_) = found["columns"]
    assert id["statistics"]["maximum"] > ROWS * 0.9


def test_a_stream_of_a_tap(kozmo: Kozmo, run: Any) -> None:
    """With settings as for preview; where there are several the stream has to be named."""
    path = run.folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (id INTEGER, name TEXT)")
        connection.execute("CREATE TABLE b (id INTEGER)")
        connection.executemany(
            "INSERT INTO a VALUES (?, ?)", [(i, f" name {i}") for i in range(50)]
        )
        connection.commit()
    refused = kozmo("profile", "tap-sqlite", "-c", f"path={path}")
    assert (refused.code, "2 streams; name one" in refused.err) == (2, True)
    assert good(kozmo("profile", "tap-sqlite", "a", "-c", f"path={path}")).startswith("a of tap-")
    empty = json.loads(good(kozmo("profile", "tap-sqlite", "b", "-c", f"path={path}", "--json")))
    assert (empty["rows"], len(empty["columns"])) == (0, 1)
    out = run.folder / "a.jsonl"
    good(kozmo("clean", "tap-sqlite", "a", "-c", f"path={path}", "--apply", "-o", out))
    assert [json.loads(line)["name"] for line in out.read_text().splitlines()][:2] == [
        "name 0", "name 1",
    ]  # fmt: skip


def test_a_sheet_of_a_workbook(kozmo: Kozmo, run: Any) -> None:
    """Is a stream of the file."""
    path = run.folder / "shop.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("Orders", "People"):
            sheet = book.add_worksheet(name)
            for row, cells in enumerate([["id", "name"], [1, " a"], [2, "b"]]):
                sheet.write_row(row, 0, cells)
    found = json.loads(good(kozmo("profile", path, "shop-Orders", "--json")))
    assert found["rows"] == 2
    refused = kozmo("profile", path, "shop-Order")
    assert (refused.code, "did you mean 'shop-Orders'?" in refused.err) == (2, True)


def test_a_cell_far_down_that_is_no_number(kozmo: Kozmo, run: Any) -> None:
    """Makes a column of text of it, where a run would be an error."""
    path = run.folder / "late.csv"
    lines = [f"{i},{i}" for i in range(400_000)]
    lines[250_001] = "250001,N/A"
    path.write_text("id,amount\n" + "\n".join(lines) + "\n")
    found = json.loads(good(kozmo("profile", path, "--json")))
    assert found["rows"] == 400_000
    assert [each["dtype"] for each in found["columns"]] == ["Int64", "String"]


def test_suggestions_are_shown_and_saved(kozmo: Kozmo, orders: Path) -> None:
    """All are shown, and the safe ones kept."""
    rules = orders.with_name("rules.json")
    text = good(kozmo("clean", orders, "--suggest", "--save-rules", rules))
    assert "trim_whitespace" in text
    saved = json.loads(rules.read_text())
    assert [rule["action"] for rule in saved["rules"]] == ["trim_whitespace"]
    shown = json.loads(good(kozmo("clean", orders, "--suggest", "--json")))
    assert {"safe"} <= {each["risk"] for each in shown}


def test_rules_are_applied_and_the_changes_told(kozmo: Kozmo, orders: Path) -> None:
    """Into another file, with everything else as it was, to the byte."""
    before, out = orders.read_text(), orders.with_name("clean.csv")
    text = good(kozmo("clean", orders, "--apply", "-o", out))
    assert "trim_whitespace  name        600  '  name 0' -> 'name 0'" in text
    assert "3,000 rows, 600 cells changed" in text
    assert orders.read_text() == before
    assert out.read_text() == before.replace(",  name", ",name")
    assert sorted(path.name for path in out.parent.iterdir() if path.is_file()) == [
        "clean.csv", "orders.csv",
    ]  # fmt: skip


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv.gz", "xlsx", "tsv"])
def test_the_ending_says_the_format(kozmo: Kozmo, orders: Path, ending: str) -> None:
    """And what is written can be read again."""
    out = orders.with_name(f"out.{ending}")
    good(kozmo("clean", orders, "--apply", "-o", out))
    if ending == "csv.gz":
        assert gzip.decompress(out.read_bytes()).startswith(b"id,name,code,price\n0,name 0,00000")
    found = json.loads(good(kozmo("profile", out, "--json")))
    assert (found["rows"], [c["label"] for c in found["columns"]]) == (
        ROWS, ["id", "name", "code", "price"],
    )  # fmt: skip


def test_a_file_is_only_replaced_when_asked(kozmo: Kozmo, orders: Path) -> None:
    """Neither by its own name nor without saying where to write."""
    for arguments in (["-o", orders], ["-o", orders, "--in-place"], []):
        done = kozmo("clean", orders, "--apply", *arguments)
        assert (done.code, done.out) == (2, b"")
    orders.chmod(0o640)
    good(kozmo("clean", orders, "--apply", "--in-place"))
    assert "  name" not in orders.read_text()
    assert orders.stat().st_mode & 0o777 == 0o640
    again = orders.read_bytes()
    good(kozmo("clean", orders, "--apply", "--in-place"))
    assert orders.read_bytes() == again


def test_rules_for_the_whole_table(kozmo: Kozmo, orders: Path) -> None:
    """Which a pipe refuses, since they need all rows at once."""
    rules = orders.with_name("sort.json")
    rules.write_text(json.dumps([{"action": "sort", "columns": ["id"], "ascending": False}]))
    out = orders.with_name("sorted.jsonl")
    good(kozmo("clean", orders, "--apply", "--rules", rules, "-o", out))
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in found] == list(range(ROWS - 1, -1, -1))
    assert found[0]["code"] == f"{ROWS - 1:05}"


def test_rules_are_checked_against_new_rows(kozmo: Kozmo, orders: Path) -> None:
    """Exit code 1 where they no longer fit, with a sentence each."""
    rules = orders.with_name("rules.json")
    rules.write_text(
        json.dumps(
            {"version": 1, "rules": [{"action": "trim_whitespace", "columns": ["name"]}],
             "expects": {"name": {}}}
        )
    )  # fmt: skip
    fits = orders.with_name("new.csv")
    fits.write_text("name\n a\n")
    assert kozmo("clean", fits, "--check", "--rules", rules).code == 0
    fits.write_text("nam\n a\n")
    done = kozmo("clean", fits, "--check", "--rules", rules)
    assert (done.code, "'name' is missing" in done.out.decode()) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["profile", "nowhere.csv"], "there is no file nowhere.csv"),
        (["profile", "tap-nowhere"], "there is no tap called 'tap-nowhere'"),
        (["clean", "orders.csv"], "say one of --suggest, --apply and --check"),
        (["clean", "orders.csv", "--apply", "-o", "x.foo"], "the ending of x.foo names no format"),
        (["clean", "orders.csv", "--apply", "--rules", "no.json", "-o", "x.csv"], "cannot read"),
        (["clean", "orders.csv", "--check"], "--check needs the rules"),
        (["clane", "orders.csv"], "did you mean 'clean'?"),
    ],
)
def test_mistakes_exit_with_2(kozmo: Kozmo, orders: Path, arguments: list[str], words: str) -> None:
    """On at most six lines, with what to do."""
    done = kozmo(*arguments)
    assert (done.code, done.out) == (2, b"")
    assert words in done.err
    assert len(done.err.splitlines()) <= 6


def test_help_lists_the_commands_and_teaches(kozmo: Kozmo) -> None:
    """With commands to try."""
    assert "clean Suggest how" in " ".join(good(kozmo("--help")).split())
    for name in ("profile", "clean"):
        assert f"kozmo {name} orders.csv" in good(kozmo(name, "--help"))


def test_rules_that_were_saved_tell_what_new_rows_lack(kozmo: Kozmo, orders: Path) -> None:
    """Saved rules know the columns that they were made for; a missing one is told."""
    rules = orders.with_name("rules.json")
    good(kozmo("clean", orders, "--suggest", "--save-rules", rules))
    assert set(json.loads(rules.read_text())["expects"]) == {"id", "name", "code", "price"}
    new = orders.with_name("new.csv")
    new.write_text("id,title\n1, one\n2,two\n")
    checked = kozmo("clean", new, "--check", "--rules", rules)
    assert (checked.code, b"'name' is missing" in checked.out) == (1, True)
    applied = kozmo("clean", new, "--apply", "--rules", rules, "-o", orders.with_name("out.csv"))
    assert (applied.code, "'name' is missing: its rules were left out" in applied.err) == (0, True)
