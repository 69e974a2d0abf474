"""Workbooks as streams: one for each sheet, or the sheet that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reading import by_stream
from workbooks import xlsx

Tap = Callable[..., Any]
SHEETS = {"Orders": [["id"], [1], [2]], "People": [["name"], ["Ann"]], "Empty": []}


def test_each_sheet_is_a_stream(tap: Tap, tmp_path: Path) -> None:
    """Called after file and sheet; one that is empty is left out."""
    path = tmp_path / "shop.xlsx"
    path.write_bytes(xlsx(SHEETS))
    said = tap("tap-excel", {"path": str(path)})
    assert said.code == 0, said.err
    assert by_stream(said) == {
        "shop-Orders": [{"id": 1}, {"id": 2}],
        "shop-People": [{"name": "Ann"}],
    }
    assert "stream shop-Empty is left out" in said.err


def test_a_workbook_of_one_sheet(tap: Tap, tmp_path: Path) -> None:
    """Is called after the file alone, as is a sheet that is asked for."""
    (tmp_path / "a.xlsx").write_bytes(xlsx({"S": [["id"], [1]]}))
    assert by_stream(tap("tap-files", {"path": str(tmp_path / "a.xlsx")})) == {"a": [{"id": 1}]}
    (tmp_path / "b.xlsx").write_bytes(xlsx(SHEETS))
    said = tap("tap-excel", {"path": str(tmp_path / "b.xlsx"), "sheet": "People"})
    assert by_stream(said) == {"b": [{"name": "Ann"}]}
    number = tap("tap-excel", {"path": str(tmp_path / "b.xlsx"), "sheet": 1})
    assert by_stream(number) == {"b": [{"id": 1}, {"id": 2}]}


def test_a_run_goes_on_within_a_sheet(tap: Tap, tmp_path: Path) -> None:
    """The state tells sheets apart."""
    path = tmp_path / "in" / "a.xlsx"
    path.parent.mkdir()
    sheets = {name: [["id"], *([n] for n in range(5))] for name in ("A", "B")}
    path.write_bytes(xlsx(sheets))
    config = {"path": str(path), "replication_method": "INCREMENTAL", "stream": "s"}
    first = tap("tap-excel", config, "--limit", "7", state={})
    assert len(first.records) == 7
    rest = tap("tap-excel", config, state=first.state)
    assert [r["id"] for r in rest.records] == [2, 3, 4]
    assert tap("tap-excel", config, state=rest.state).records == []


def test_a_workbook_that_is_none(tap: Tap, tmp_path: Path) -> None:
    """Is named."""
    path = tmp_path / "a.xlsx"
    path.write_text("id,name\n1,Ann\n")
    said = tap("tap-excel", {"path": str(path)})
    assert said.code == 1
    assert f"cannot read {path}" in said.err
    assert "it is no workbook" in said.err


def test_settings_that_mean_nothing(tap: Tap, tmp_path: Path) -> None:
    """Are refused, as usage."""
    for config, words in (
        ({"cell_range": "3:F"}, "cell_range is written as B3:F100"),
        ({"header_row": -1}, "must be at least 0"),
        ({"cell_rang": "A1:B2"}, "did you mean 'cell_range'?"),
    ):
        said = tap("tap-excel", {"path": str(tmp_path), **config})
        assert (said.code, words in said.err) == (2, True), said.err
