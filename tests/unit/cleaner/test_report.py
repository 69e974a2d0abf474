"""The page that shows a profile: whole, safe from what cells hold, small, readable anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import browser
import profiles
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess, Histogram, Insight, Outliers, Statistics, Suggestion
from kozmo_bridge.cleaner.report import html, notebook, page, visible
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import MissingDriver

VOID = {"meta", "input", "br", "hr", "img", "link"}
DRAWN = {"path", "rect"}
ATTACKS = (
    "<script>alert(1)</script>",
    "</title></style></script><img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)' x=\"",
    "{{ 7 * 7 }}{% for x in y %}",
    "&lt;b&gt; &amp;",
    "javascript:alert(1)",
    "--> <!-- ]]>",
    "\x1b[31mred\x1b[0m\x07\x00",
    "abc\u202egnp.exe\u2066",
    "half \ud83d a pair",
    "[link](http://example.com) http://example.com",
)


class Reader(HTMLParser):
    """Reads a page: its tags in balance, its text, its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag that opens."""
        self.tags.append((tag, dict(attrs)))
        if len({name for name, _ in attrs}) < len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag of SVG that closes itself."""
        self.tags.append((tag, dict(attrs)))
        if tag not in DRAWN:
            self.faults.append(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        """Take a tag that closes."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Take a text, unless it is a style or a script."""
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is to be read."""
        return "".join(self.texts)

    def all(self, name: str) -> list[str]:
        """Return every value of an attribute."""
        return [value or "" for _, attributes in self.tags
                for key, value in attributes.items() if key == name]  # fmt: skip


def hostile(text: str) -> profiles.HandMade:
    """Return a profile in which everything that can be a text of strangers is *text*."""
    statistics = Statistics(
        count=9, nulls=1, disguised={text: 2}, distinct=3, mode=text, mode_cells=4,
        top=((text, 4), (text * 2, 3)), minimum=text, maximum=text, invalid=2,
        invalid_examples=(text,), outliers=Outliers(0, 1, 1, (text,)),
    )  # fmt: skip
    guess = Guess(Kind.TEXT, 0.5, 0.5, text, (text,), text, text, text)
    column = profiles.column(
        text, guess=guess, statistics=statistics, alternatives=(guess,), dtype=text,
        spellings=((text, text),), fault=text, gap_pattern=(0.1,) * 50,
    )  # fmt: skip
    dates = replace(statistics, histogram=Histogram((text, text + "b", "z"), (3, 4)), top=())
    made = profiles.people()
    return replace(
        made,
        columns=(column, replace(column, label="d", position=1, statistics=dates)),
        relations=replace(
            made.relations, keys=((text,),), correlated=(text, "d"),
            correlation=((1.0, 0.5), (0.5, 1.0)),
        ),
        insights=(Insight(text, 0.9, (text,)),), sample=((text, None),), source=text,
        made=(Suggestion(Rule(text, (text,), {text: text}), "safe", 1, 1, text, 1.0,
                         ((text, text),), text),),
    )  # fmt: skip


@pytest.mark.parametrize("show", [html, notebook])
@pytest.mark.parametrize("make", [profiles.people, profiles.wide])
def test_the_page_is_valid_and_shows_every_column(show, make) -> None:
    """Tags in balance, no attribute and no id twice, every label to be read."""
    profile = make()
    reader = Reader(show(profile))
    assert reader.faults == []
    ids = reader.all("id")
    assert len(ids) == len(set(ids))
    shown = profile.columns if show is html else profile.columns[:40]
    assert [c.label for c in shown if c.label not in reader.text] == []


def test_links_within_the_page_lead_somewhere() -> None:
    """Each place that is pointed at is there: sections, columns, rules to copy."""
    reader = Reader(html(profiles.people()))
    ids = set(reader.all("id"))
    links = [*(link.removeprefix("#") for link in reader.all("href")),
             *reader.all("data-copy"), *reader.all("data-rule"), *reader.all("for")]  # fmt: skip
    assert len(links) > 20
    assert [link for link in links if link not in ids] == []


@pytest.mark.parametrize("show", [html, notebook])
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_cells_hold_stays_text(show, attack: str) -> None:
    """The tags and their attributes are those of a harmless profile, whatever the cells hold."""
    made, harmless = show(hostile(attack)), show(hostile("harmless"))
    assert made.encode("utf-8")
    reader, expected = Reader(made), Reader(harmless)
    assert reader.faults == []
    shape = [(tag, sorted(a)) for tag, a in reader.tags if tag not in ("i", "span")]
    assert shape == [(tag, sorted(a)) for tag, a in expected.tags if tag not in ("i", "span")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", made)


@pytest.mark.parametrize("show", [html, notebook])
def test_nothing_is_fetched(show) -> None:
    """No address, no import, no font: the page is whole by itself."""
    made = show(profiles.people())
    assert re.findall(r"(?:https?:|//\w|@import|url\(|\bsrc=|@font-face)", made) == []


def test_the_page_allows_no_script_but_its_own() -> None:
    """The policy names the one script by its hash, and lets nothing be loaded."""
    made = html(hostile(ATTACKS[0]))
    script = re.findall(r"<script>(.*?)</script>", made, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in Reader(made).tags if "http-equiv" in a) or ""
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; ")


def test_a_notebook_is_given_no_script_and_a_style_of_its_own() -> None:
    """Every rule is nested in the class of the piece, so that none meets the rest of the page."""
    made = notebook(profiles.people())
    assert "<script" not in made
    style = re.findall(r"<style>(.*?)</style>", made, re.DOTALL)[0]
    outside = re.sub(r"\{(?:[^{}]|\{[^{}]*\})*\}", "", style)
    assert set(outside.split()) == {".kozmo-profile.kozmo-profile.kozmo-profile"}


def test_what_hides_is_made_visible() -> None:
    """White space at the ends or doubled, controls, marks of direction."""
    assert visible.marked(" a  b\t") == "<i>·</i>a<i>··</i>b<i>→</i>"
    assert visible.marked("a\u202eb") == "a<i>U+202E</i>b"
    assert visible.marked(None) == '<span class="null">null</span>'
    assert visible.line("\x1b[2J") == "U+001B[2J"
    assert visible.marked("plain text") == "plain text"


def test_long_cells_are_cut_with_a_mark() -> None:
    """Ten megabytes in a cell, or a name of 1,000 characters, leave the page small."""
    made = html(hostile("x" * 10_000_000))
    assert len(made) < 100_000
    assert "x" * 601 not in made
    assert "x" * 79 + "…" in made
    assert "The rule is too long for this page" in made


def test_two_hundred_columns_stay_small() -> None:
    """A page of 200 columns has at most 1.5 MB; 5,000 columns at most 25 MB."""
    assert len(html(profiles.wide(200)).encode()) < 1_500_000
    assert len(html(profiles.wide(1000)).encode()) < 5_000_000


def test_a_table_of_nothing_has_a_page() -> None:
    """No columns; and columns without rows."""
    nothing = profiles.HandMade(0, ())
    bare = profiles.HandMade(0, (profiles.column("a", kind=Kind.EMPTY),))
    for profile in (nothing, bare):
        for show in (html, notebook):
            assert Reader(show(profile)).faults == []
    assert "no columns" in Reader(html(nothing)).text
    assert "no value at all" not in Reader(html(nothing)).text


def test_odd_values_are_shown() -> None:
    """Infinities, NaN, bytes, huge integers, structures: none stops the page."""
    odd = (float("inf"), float("nan"), b"\x00\xff", 10**5000, {"a": [1, None]}, True, -0.0, 1e-300)
    statistics = Statistics(
        count=8, distinct=8, top=tuple((v, 1) for v in odd), minimum=float("-inf"),
        maximum=10**400, mean=float("nan"), median=float("inf"), deviation=float("inf"),
        histogram=Histogram((0, 1), (0,)), quantiles={"0.25": float("-inf"), "0.75": 1.0},
        infinities=2, mode=b"\x00", mode_cells=2,
    )  # fmt: skip
    column = profiles.column("odd", kind=Kind.NUMBER, statistics=statistics)
    made = profiles.HandMade(8, (column,))
    assert Reader(html(made)).faults == []
    assert "00ff" in html(made)


def test_a_fault_is_shown_with_its_column() -> None:
    """What could not be looked at is said where the column is, and counted above."""
    text = Reader(html(profiles.people())).text
    assert "the type extension<photo> is not known; seen as bytes" in text
    assert "Faults" in text


def test_what_a_profiler_knows_is_told() -> None:
    """Counter-examples, ambiguity, disguised nulls, outliers, spellings, gaps have their place."""
    text = re.sub("[ \n]+", " ", Reader(html(profiles.people())).text)
    for said in (
        "ann at example.com", "812 values read as month.day.year as well", "N/A × 98",
        "6 cells outside −7.2 to 107.9", "Germany = germany· = Deutschland", "3 holes",
        "84\u00a0% sure", "changes about 151 cells in 151 rows", "Loses: 40 values", "99.8\u00a0%",
        "score and score of last year", "14 rows are equal to an earlier one.",
    ):  # fmt: skip
        assert said in text


def test_rules_can_be_copied_as_they_are() -> None:
    """The JSON of a suggestion, and of all the safe ones, reads back as the rules."""
    profile = profiles.people()
    made = html(profile)
    found = {
        name: json.loads(Reader(f"<p>{text}</p>").text)
        for name, text in re.findall(r'<pre id="(\w+)" tabindex="0">(.*?)</pre>', made, re.DOTALL)
    }
    rules = [suggestion.rule for suggestion in profile.made]
    assert [Rule.of(found[f"rule{i}"]) for i in range(len(rules))] == rules
    assert list(map(Rule.of, found["rules"])) == rules[:3]
    hidden = Rule("replace", ("a\u200b",), {"with": "\ud800 é"})
    assert Rule.of(json.loads(visible.rule_json(hidden.to_dict()))) == hidden
    assert visible.rule_json(hidden.to_dict()).encode()


def test_the_same_profile_gives_the_same_page() -> None:
    """Nothing depends on the time, on the process or on the order of sets."""
    assert html(profiles.people()) == html(profiles.people())


FRAME = """<!doctype html><meta charset="utf-8"><body><iframe></iframe><p id="said"></p><script>
const frame = document.querySelector("iframe");
frame.style.width = "375px";
frame.srcdoc = PAGE;
frame.onload = () => {
  const page = frame.contentDocument;
  const columns = [...page.querySelectorAll("details.column")];
  columns.forEach((column) => { column.open = true; column.style.contentVisibility = "visible"; });
  const root = page.documentElement;
  const said = { wider: root.scrollWidth - root.clientWidth, columns: columns.length };
  const find = page.getElementById("find");
  find.value = "SCORE";
  find.dispatchEvent(new Event("input"));
  said.found = columns.filter((column) => !column.hidden).length;
  page.querySelectorAll(".chosen").forEach((box) => { if (!box.checked) box.click(); });
  said.rules = JSON.parse(page.getElementById("rules").textContent).length;
  document.getElementById("said").textContent = JSON.stringify(said);
};
</script>"""


@pytest.mark.slow
def test_chromium_opens_the_page_without_a_complaint(tmp_path: Path) -> None:
    """No error in the console, the script runs under the policy, attacks do nothing."""
    for name, profile in (("people", profiles.people()), ("hostile", hostile(ATTACKS[1]))):
        path = tmp_path / f"{name}.html"
        path.write_text(html(profile), "utf-8")
        document, complaints = browser.opened(path, tmp_path / name)
        assert complaints == []
        assert '<div class="tools">' in document


@pytest.mark.slow
def test_a_phone_shows_the_page_without_scrolling_sideways(tmp_path: Path) -> None:
    """At 375 pixels nothing is wider than the screen; finding and choosing work."""
    people, long = profiles.people(), hostile("long" * 100)
    strange = [replace(c, label=c.label + "x" * 1000, position=90 + i)
               for i, c in enumerate(long.columns)]  # fmt: skip
    made = html(replace(
        people, columns=(*people.columns, *strange), source=long.source,
        insights=people.insights + long.insights, made=people.made + long.made,
        relations=replace(people.relations, keys=long.relations.keys),
    ))  # fmt: skip
    path = tmp_path / "frame.html"
    text = json.dumps(made).replace("</", "<\\/").replace("<!--", "<\\!--")
    path.write_text(FRAME.replace("PAGE", text), "utf-8")
    document, complaints = browser.opened(path, tmp_path / "profile")
    assert complaints == []
    said = json.loads(re.findall(r'<p id="said">(.*?)</p>', document)[0])
    assert said == {"wider": 0, "columns": 15, "found": 2, "rules": 7}


def test_without_jinja2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the extra, not a traceback of imports."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    page._environment.cache_clear()
    with pytest.raises(MissingDriver, match=r"pip install 'kozmo-singer\[clean\]'"):
        html(profiles.people())
