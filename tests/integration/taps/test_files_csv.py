"""CSV as people write it: every cell arrives exactly, or the error names file, line and column."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

Said = Any
Tap = Callable[..., Said]
Reads = Callable[..., Said]


@pytest.fixture
def reads(tap: Tap, tmp_path: Path) -> Reads:
    """Run tap-csv over a file that holds *content*: reads(content, *arguments, **config)."""

    def call(content: bytes | str, *arguments: str, name: str = "t.csv", **config: Any) -> Said:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tap("tap-csv", {"path": str(path), **config}, *arguments)

    return call


def rows(said: Said) -> list[list[Any]]:
    """The values of the records."""
    assert said.code == 0, said.err
    return [list(record.values()) for record in said.records]


def types(said: Said) -> dict[str, Any]:
    """What the SCHEMA says of each column, in short."""
    [schema] = said.of("SCHEMA")
    return {
        name: said.get("x-kozmo-type") or said.get("format") or said["type"][0]
        for name, said in schema["schema"]["properties"].items()
    }


CELLS = [
    (["1", "-20", "0"], "integer", [1, -20, 0]),
    (["00123", "1", "2"], "string", ["00123", "1", "2"]),
    (["+5", "1"], "string", ["+5", "1"]),
    (["-", "1"], "string", ["-", "1"]),
    (["-0", "1"], "number", [0, 1]),
    (["-01", "1"], "string", ["-01", "1"]),
    (["1-2", "3"], "string", ["1-2", "3"]),
    (["123456789012345678901234567890", "1"], "integer", [123456789012345678901234567890, 1]),
    (["1.50", "2"], "number", [1.5, 2]),
    (["1e5", "2"], "number", [1e5, 2]),
    ([".5", "2"], "string", [".5", "2"]),
    (["1.", "2"], "string", ["1.", "2"]),
    (['"1,5"', "2"], "string", ["1,5", "2"]),
    (["NaN", "2"], "string", ["NaN", "2"]),
    (["0x1F", "2"], "string", ["0x1F", "2"]),
    ([" 1", "2"], "string", [" 1", "2"]),
    (["true", "False", "TRUE"], "boolean", [True, False, True]),
    (["yes", "no"], "string", ["yes", "no"]),
    (["2024-02-29", "1999-12-31"], "date", ["2024-02-29", "1999-12-31"]),
    (["2023-02-29", "1999-12-31"], "string", ["2023-02-29", "1999-12-31"]),
    (["29.02.2024", "31.12.1999"], "string", ["29.02.2024", "31.12.1999"]),
    (["2024-01-01T10:00:00Z"], "date-time", ["2024-01-01T10:00:00Z"]),
    (["2024-01-01 10:00:00.123456789+02:00"], "date-time", ["2024-01-01T10:00:00.123456789+02:00"]),
    (["2024-01-01 10:00:00"], "timestamp", ["2024-01-01T10:00:00Z"]),
    (["2024-01-01 25:00:00"], "string", ["2024-01-01 25:00:00"]),
    (["10:00:00", "23:59:59.5"], "time", ["10:00:00", "23:59:59.5"]),
    (["24:00:00"], "string", ["24:00:00"]),
    (["8d1b1a3c-0d55-4c55-9c0e-0c0f0f0f0f0f"], "uuid", ["8d1b1a3c-0d55-4c55-9c0e-0c0f0f0f0f0f"]),
    (["1", "", "3"], "integer", [1, None, 3]),
    (["1", '""', "3"], "integer", [1, None, 3]),
    (["a", "", "c"], "string", ["a", None, "c"]),
    (["a", '""', "c"], "string", ["a", "", "c"]),
    (["", "", ""], "string", [None, None, None]),
    (['"a\nb"', '"c ""d"""', "e"], "string", ["a\nb", 'c "d"', "e"]),
    (['5" pipe', "2"], "string", ['5" pipe', "2"]),
    (["a\\b", "\t", "\x01"], "string", ["a\\b", "\t", "\x01"]),
    (["a\0b", "c"], "string", ["a\0b", "c"]),
    (["Grüße 😀\u2028"], "string", ["Grüße 😀\u2028"]),
]


@pytest.mark.parametrize(("cells", "type", "values"), CELLS, ids=[repr(c[0]) for c in CELLS])
def test_a_column_has_the_narrowest_type_that_changes_nothing(
    reads: Reads, cells: list[str], type: str, values: list[Any]
) -> None:
    """And its digits are those of the file."""
    said = reads("k,v\n" + "".join(f"x,{cell}\n" for cell in cells))
    assert [row[1] for row in rows(said)] == values
    assert types(said)["v"] == type


def test_digits_are_kept(run: Any, tmp_path: Path) -> None:
    """1.50 is written as 1.50."""
    (tmp_path / "t.csv").write_text("a,b\n1.50,1e400\n-0.0,12345678901234567890.10\n")
    (tmp_path / "c.json").write_text('{"path": "t.csv"}')
    done = run(["tap-csv", "--config", "c.json"])
    assert b'{"a":1.50,"b":1e400}' in done.out
    assert b'{"a":-0.0,"b":12345678901234567890.10}' in done.out


DIALECTS: list[tuple[str, bytes, dict[str, Any]]] = [
    ("semicolon", "a;b\n1;x,y\n2;ü\n".encode(), {}),
    ("tab", "a\tb\n1\tx,y\n2\tü\n".encode(), {}),
    ("bar", "a|b\n1|x,y\n2|ü\n".encode(), {}),
    ("mark", 'a,b\n1,"x,y"\n2,ü\n'.encode("utf-8-sig"), {}),
    ("utf-16", 'a,b\n1,"x,y"\n2,ü\n'.encode("utf-16"), {}),
    ("utf-16 without a mark", 'a,b\n1,"x,y"\n2,ü\n'.encode("utf-16-le"), {}),
    ("cp1252", 'a,b\n1,"x,y"\n2,ü\n'.encode("cp1252"), {"encoding": "cp1252"}),
    ("returns", 'a,b\r\n1,"x,y"\r\n2,ü\r\n'.encode(), {}),
    ("no newline at the end", 'a,b\n1,"x,y"\n2,ü'.encode(), {}),
    ("blank lines", '\n\na,b\n\n1,"x,y"\n\n2,ü\n\n'.encode(), {}),
    ("no header", '1,"x,y"\n2,ü\n'.encode(), {"column_names": ["a", "b"]}),
    ("other names", 'p,q\n1,"x,y"\n2,ü\n'.encode(), {"column_names": ["a", "b"], "header": True}),
    ("other quotes", "a,b\n1,'x,y'\n2,ü\n".encode(), {"quote_char": "'"}),
    ("another delimiter", "a~b\n1~x,y\n2~ü\n".encode(), {"delimiter": "~"}),
    ("gzip", gzip.compress('a,b\n1,"x,y"\n2,ü\n'.encode()), {}),
    ("members", gzip.compress(b'a,b\n1,"x,y"\n') + gzip.compress("2,ü\n".encode()), {}),
    ("bz2", bz2.compress('a,b\n1,"x,y"\n2,ü\n'.encode()), {}),
    ("xz", lzma.compress('a,b\n1,"x,y"\n2,ü\n'.encode()), {}),
    ("zstd", pa.compress('a,b\n1,"x,y"\n2,ü\n'.encode(), "zstd", asbytes=True), {}),
]


@pytest.mark.parametrize(
    ("content", "config"), [d[1:] for d in DIALECTS], ids=[d[0] for d in DIALECTS]
)
def test_dialects_encodings_and_compressions(
    reads: Reads, content: bytes, config: dict[str, Any]
) -> None:
    """Are found out, or said by the configuration."""
    said = reads(content, **config)
    assert rows(said) == [[1, "x,y"], [2, "ü"]]
    assert list(types(said)) == ["a", "b"]


def test_a_header_is_told_from_rows(reads: Reads) -> None:
    """Where the first row is plainly like the others there is none; a year may be a name."""
    assert list(types(reads("1,x,2.5\n2,y,3.5\n"))) == ["column_1", "column_2", "column_3"]
    assert list(types(reads("name,2019,2020\na,1,2\nb,3,4\n"))) == ["name", "2019", "2020"]
    assert list(types(reads("a,b\nx,y\n"))) == ["a", "b"]
    assert rows(reads("a,b\nx,y\n", header=False)) == [["a", "b"], ["x", "y"]]


def test_names_that_are_empty_or_occur_twice_are_told_apart(reads: Reads) -> None:
    """Every column is read."""
    said = reads("a,,a,a_2\n1,2,3,4\n")
    assert said.records == [{"a": 1, "column_2": 2, "a_3": 3, "a_2": 4}]


@pytest.mark.parametrize("content", ["a,b\n", "a,b", "\ufeffa,b\r\n"])
def test_a_header_alone(reads: Reads, content: str) -> None:
    """Is a stream without rows."""
    said = reads(content)
    assert rows(said) == []
    assert types(said) == {"a": "string", "b": "string"}


@pytest.mark.parametrize("content", ["", "\n", "\n\n"])
def test_an_empty_file_alone_has_no_columns(reads: Reads, content: str) -> None:
    """That is said; beside others it is a file without rows."""
    said = reads(content)
    assert said.code == 1
    assert "no column for the stream t" in said.err


def test_types_are_told_by_the_whole_file(reads: Reads) -> None:
    """A stretch in the middle, and the last row, are part of the sample."""
    plain = [f"{i},{i},{i}\n" for i in range(200_000)]
    plain[100_000:120_000] = [f"{i},0{i},{i}\n" for i in range(100_000, 120_000)]
    plain[-1] = "199999,199999,last\n"
    said = reads("a,b,c\n" + "".join(plain), "--discover")
    assert said.code == 0, said.err


def test_a_later_value_that_does_not_fit(reads: Reads) -> None:
    """Is an error with file, line, column, and what to do; which does."""
    lines = [f'{i},"two\nlines {i}",x\n' for i in range(150_000)]
    lines[75_000] = '007,"two\nlines",x\n'
    content = "a,b,c\n" + "".join(lines)
    said = reads(content)
    assert said.code == 1
    assert "line 150002, column a: expected integer, got '007'" in said.err
    assert 'columns: {"a": "string"}' in said.err
    assert said.records[-1]["a"] < 75_000
    again = reads(content, columns={"a": "string"})
    assert again.code == 0, again.err
    assert [record["a"] for record in again.records[74_999:75_002]] == ["74999", "007", "75001"]


def test_a_header_that_is_repeated(reads: Reads) -> None:
    """As where files were joined: the error says so."""
    said = reads("a,b\n" + "1,x\n" * 300_000 + "a,b\n" + "2,y\n" * 300_000)
    assert said.code == 1
    assert "line 300002, column a: expected integer, got 'a'" in said.err
    assert "the header seems to stand there again" in said.err


@pytest.mark.parametrize("row", ["1\n", "1,2,3\n"])
def test_ragged_rows(reads: Reads, row: str) -> None:
    """The line is named, whatever lines cells have before it."""
    said = reads('a,b\n1,"x\n\ny"\n\n' + row + "2,3\n")
    assert said.code == 1
    assert f"line 6: expected 2 cells, got {row.count(',') + 1}" in said.err


def test_bytes_in_another_encoding(reads: Reads) -> None:
    """Are an error with line and column where the sample did not show them."""
    lines = [b"1,plain\n"] * 400_000
    lines[123_456] = "1,Grüße\n".encode("cp1252")
    said = reads(b"a,b\n" + b"".join(lines), encoding="utf-8")
    assert said.code == 1
    assert "line 123458, column b: b'Gr\\xfc\\xdfe' is not utf-8" in said.err


def test_an_encoding_is_guessed_and_said(reads: Reads) -> None:
    """What is not UTF-8 is taken for what it most likely is."""
    text = "Name;Ort\n" + "Müller;Köln\nGrün;Düsseldorf\nJürgen;Straße\n" * 50
    said = reads(text.encode("cp1252"))
    assert rows(said)[0] == ["Müller", "Köln"]
    assert "read as cp125" in said.err
    assert "semicolon, header" in said.err


@pytest.mark.parametrize("end", ['"never closed', '"never closed\nx,y\n', '"', '"a""', '"""'])
def test_a_file_that_ends_within_quotes(reads: Reads, end: str) -> None:
    """Was cut; the rest is not taken for a cell."""
    said = reads("a,b\n1,2\n3," + end)
    assert said.code == 1
    assert "the file ends within a quoted cell" in said.err or "expected 2 cells" in said.err


@pytest.mark.parametrize("end", ['"closed"', '""', '"a"""', '""""', "", 'x"y', '"a\n"', '"x"\n\n'])
def test_a_file_that_ends_with_quotes(reads: Reads, end: str) -> None:
    """Is whole."""
    said = reads("a,b\n1,2\n3," + end)
    assert said.code == 0, said.err
    assert len(said.records) == 2


def test_a_row_that_is_too_long(reads: Reads) -> None:
    """Is an error above the limit, and read below it."""
    content = "a,b\n1,x\n2," + "y" * 3_000_000 + "\n3,z\n"
    said = reads(content, max_row_bytes=2_000_000)
    assert said.code == 1
    assert "longer than 2000000 bytes" in said.err
    assert [len(row[1]) for row in rows(reads(content))] == [1, 3_000_000, 1]


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
def test_a_compressed_file_that_was_cut(reads: Reads, ending: str) -> None:
    """Is an error, not a shorter file."""
    text = "a,b\n" + "".join(f"{i},{i * 7919}\n" for i in range(100_000))
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.get(ending)
    packed = pack(text.encode()) if pack else pa.compress(text.encode(), "zstd", asbytes=True)
    said = reads(packed[: len(packed) * 2 // 3], name=f"t.csv.{ending}")
    assert said.code == 1
    assert "cannot read" in said.err
    assert f"t.csv.{ending}" in said.err


def test_a_limit_and_a_count(reads: Reads, run: Any, tmp_path: Path) -> None:
    """A preview reads what it needs, a count every row."""
    content = "a,b\n" + '1,"x\ny"\n' * 1000
    assert len(reads(content, "--limit", "3").records) == 3
    (tmp_path / "c.json").write_text(json.dumps({"path": str(tmp_path / "t.csv")}))
    assert json.loads(run(["tap-csv", "--config", "c.json", "--count"]).out) == {"t": 1000}


def test_discovery_estimates_the_rows(run: Any, tmp_path: Path) -> None:
    """And says how the file is read, what it is and how large."""
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i},word\n" for i in range(300_000)))
    (tmp_path / "c.json").write_text('{"path": "t.csv", "key_properties": ["a"]}')
    done = run(["tap-csv", "--config", "c.json", "--discover"])
    [stream] = json.loads(done.out)["streams"]
    root = stream["metadata"][0]["metadata"]
    assert root["read-as"] == "utf-8, comma, header"
    assert (root["format"], root["bytes"]) == ("csv", (tmp_path / "t.csv").stat().st_size)
    assert abs(root["row-count"] - 300_000) < 30_000
    assert stream["key_properties"] == ["a"]
    assert stream["schema"]["properties"]["a"]["type"] == ["integer"]


def test_deselected_columns_are_not_read(tap: Tap, run: Any, tmp_path: Path) -> None:
    """Only what the catalog selects comes, also where that is nothing of the file."""
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    config = {"path": str(tmp_path / "t.csv"), "metadata_columns": ["_row"]}
    (tmp_path / "c.json").write_text(json.dumps(config))
    catalog = json.loads(run(["tap-csv", "--config", "c.json", "--discover"]).out)
    for names, expected in (
        (["a"], [{"b": "x", "_row": 1}, {"b": "y", "_row": 2}]),
        (["a", "b"], [{"_row": 1}, {"_row": 2}]),
    ):
        for entry in catalog["streams"][0]["metadata"]:
            if entry["breadcrumb"]:
                entry["metadata"]["selected"] = entry["breadcrumb"][1] not in names
        assert tap("tap-csv", config, catalog=catalog).records == expected


def test_bad_rows_are_left_out_where_that_is_asked_for(reads: Reads) -> None:
    """They are told with their lines, the other rows come, and the run has failed."""
    lines = [f'{n},"two\nlines",x\n' for n in range(100_000)]
    lines[50_000] = "50000,x\n"
    lines[70_000] = 'a,b,"c\nd",e\n'
    said = reads("a,b,c\n" + "".join(lines), on_bad_row="skip")
    assert said.code == 1
    assert [r["a"] for r in said.records] == [
        n for n in range(100_000) if n not in (50_000, 70_000)
    ]
    assert "tap-csv could not read some rows; the others were read" in said.err
    assert "2 rows were left out, lines 100002, 140001" in said.err


def test_a_value_behind_bad_rows_is_told_with_its_line(reads: Reads) -> None:
    """Rows that were left out count as lines."""
    content = "a,b\n" + "1,x\n" * 300_000 + "1\n" * 7 + "y,x\n" + "1,x\n" * 300_000
    said = reads(content, on_bad_row="skip")
    assert said.code == 1
    assert "line 300009, column a: expected integer, got 'y'" in said.err


def test_stray_quotes_cut_no_row(reads: Reads) -> None:
    """A row that a guess cuts in two is no bad row."""
    lines = [f'{n},5" pipe,"x\ny"\n' for n in range(120_000)]
    said = reads("a,b,c\n" + "".join(lines), on_bad_row="skip")
    assert said.code == 0, said.err
    assert [r["a"] for r in said.records] == list(range(120_000))


COMMENTS = '# made by "Ann\na,b\n#1,2\n3,"two\n# lines"\n#", \n4,x\n# end'


@pytest.mark.parametrize("filler", [0, 100_000])
def test_comments_and_lines_before_the_header(reads: Reads, filler: int) -> None:
    """Are left out, but not within a cell, and the lines of errors are those of the file."""
    more = '# it\'s "so"\n5,y\n' * filler
    said = reads(f"junk;\n\n{COMMENTS}\n{more}", comment="#", skip_rows=2)
    assert rows(said)[:3] == [[3, "two\n# lines"], [4, "x"], *[[5, "y"]] * (filler > 0)]
    assert len(said.records) == 2 + filler
    bad = reads(f"junk;\n\n{COMMENTS}\n{more}6\n", comment="#", skip_rows=2)
    assert f"line {11 + 2 * filler}: expected 2 cells, got 1" in bad.err


def test_decimal_commas(reads: Reads) -> None:
    """Are read where the configuration says so, and suggested where they seem to be."""
    content = "a;b;c\n1.234,56;1;x\n-0,10;1.000;y\n12;-7;1,5\n"
    plain = reads(content)
    assert rows(plain) == [["1.234,56", 1, "x"], ["-0,10", 1, "y"], ["12", -7, "1,5"]]
    assert "text in a may be numbers with decimal commas: decimal" in plain.err
    assert types(plain)["b"] == "number"
    said = reads(content, decimal=",", thousands=".")
    assert types(said) == {"a": "number", "b": "integer", "c": "string"}
    assert rows(said) == [[1234.56, 1, "x"], [-0.1, 1000, "y"], [12, -7, "1,5"]]
    bare = reads(content, decimal=",")
    assert types(bare) == {"a": "string", "b": "string", "c": "string"}
    assert types(reads('a\n"1,234.5"\n7\n', thousands=",")) == {"a": "number"}


def test_a_later_number_that_is_written_in_another_way(reads: Reads) -> None:
    """Is an error, and never another number."""
    content = "a;b\n" + "1,5;x\n" * 83_333 + "2.5;x\n" + "1,5;x\n" * 1_000_000
    said = reads(content, decimal=",")
    assert said.code == 1
    assert "line 83335, column a: expected decimal, got '2.5'" in said.err


@pytest.mark.parametrize("thousands", ["..", "1", "-", ","])
def test_letters_between_thousands_that_mean_nothing(reads: Reads, thousands: str) -> None:
    """Are refused."""
    said = reads("a\n1\n", decimal=",", thousands=thousands)
    assert (said.code, "thousands must be one letter" in said.err) == (2, True)


def test_files_that_were_joined(reads: Reads) -> None:
    """Hold a mark where the second one began."""
    said = reads("a,b\n1,x\n" + "\ufeffa,b\n2,y\n")
    assert said.code == 1
    assert "line 3 begins with a byte order mark, as where files were joined" in said.err


@pytest.mark.parametrize("lines", [10, 500_000])
def test_two_encodings_in_one_file(reads: Reads, lines: int) -> None:
    """Are told: neither is taken for all of it."""
    utf8, other = "1,Grüße\n".encode(), "2,Grüße\n".encode("cp1252")
    said = reads(b"a,b\n" + utf8 * lines + other * 3 + utf8 * lines)
    assert said.code == 1
    assert f"line {lines + 2}, column b: b'Gr\\xfc\\xdfe' is not utf-8" in said.err


def test_blank_lines_at_the_end(reads: Reads) -> None:
    """Are no rows, however many there are."""
    assert rows(reads("a,b\n1,x\n" + "\n" * 3_000_000)) == [[1, "x"]]
