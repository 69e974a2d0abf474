"""The page and its short form, made by templates that escape whatever is not marked as HTML."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kozmo_bridge.cleaner.model import Profile
from kozmo_bridge.cleaner.report import columns, parts, visible
from kozmo_bridge.cleaner.report.visible import Html
from kozmo_singer.errors import MissingDriver

if TYPE_CHECKING:
    from jinja2 import Environment, Template

OPEN = 16
"""Columns up to which all are shown in full at first sight."""
INSIGHTS, SUGGESTIONS = 10, 12
"""Those that are shown at first sight."""
INLINE_COLUMNS, INLINE_LINES = 40, 6
"""Columns, insights and suggestions of the short form."""


def page(profile: Profile) -> str:
    """Return *profile* as a page of its own."""
    links = parts.Links.of(profile)
    many = len(profile.columns) > columns.MANY
    inflation = profile.relations.inflation
    suggestions = profile.suggestions()
    script = _read("page.js")
    return _template("page.html.jinja").render(
        source=visible.line(profile.source, 120),
        style=Html(_read("page.css")),
        script=Html(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        figures=parts.overview(profile),
        kinds=parts.kinds(profile),
        insights=parts.insights(profile, links),
        insights_shown=INSIGHTS,
        suggestions_shown=SUGGESTIONS,
        columns=[columns.view(c, inflation.get(c.label), many) for c in profile.columns],
        opened=len(profile.columns) <= OPEN,
        missing=parts.missing(profile, links),
        correlation=parts.correlation(profile.relations),
        keys=[links.to(key) for key in profile.relations.keys[: parts.LISTED]],
        dependencies=[
            (*links.to((d.left, d.right)), visible.share(d.share))
            for d in profile.relations.dependencies[: parts.LISTED]
        ],
        suggestions=[parts.suggestion(s, i, links) for i, s in enumerate(suggestions)],
        rules=parts.rules_json(suggestions),
        sample=parts.sample(profile),
    )


def inline(profile: Profile) -> str:
    """Return *profile* as a piece of a page, with a style that holds for nothing else there."""
    links = parts.Links.of(profile)
    suggestions = profile.suggestions()
    return _template("notebook.html.jinja").render(
        source=visible.line(profile.source, 80),
        style=Html(_read("notebook.css")),
        figures=parts.overview(profile),
        columns=[columns.view(c, many=True) for c in profile.columns[:INLINE_COLUMNS]],
        columns_left=max(0, len(profile.columns) - INLINE_COLUMNS),
        insights=parts.insights(profile, links)[:INLINE_LINES],
        insights_left=max(0, len(profile.insights) - INLINE_LINES),
        suggestions=[
            parts.suggestion(s, i, links) for i, s in enumerate(suggestions[:INLINE_LINES])
        ],
        suggestions_left=max(0, len(suggestions) - INLINE_LINES),
    )


@cache
def _read(name: str) -> str:
    return files("kozmo_bridge.cleaner.report").joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    try:
        import jinja2
    except ImportError as error:
        raise MissingDriver("the report", "jinja2", "clean") from error
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Template:
    return _environment().get_template(name)
