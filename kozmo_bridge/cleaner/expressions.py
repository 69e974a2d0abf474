"""Conditions such as `age > 30 and city == 'Rome'`: parsed into polars, never run as Python.

    or, ||, |    and, &&, &    not, !
    ==  =  !=  <>  <  <=  >  >=  (chained too: 1 < a < 5)
    in [1, 2]   not in [..]   is null   is not null   contains 'x'   not contains 'x'
    + - * / %   and functions: lower(name), year(day), matches(name, '^A'), coalesce(a, b)

Names with spaces stand in backticks. A condition is true or false for each row, as in pandas: a
comparison with a gap is false, and != is true. Texts compared with numbers count as the numbers
that they hold; dates are compared with dates written as texts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

LONGEST = 10_000
DEEPEST = 60
MOST_SUMS = 300
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|`(?P<quoted>[^`]+)`"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign>==|!=|<>|<=|>=|&&|\|\||[=<>&|!~()\[\],+*/%-]))"
)
_COMPARE = {sign: sign for sign in ("==", "!=", "<", "<=", ">", ">=")} | {"=": "==", "<>": "!="}
_RESERVED = {"and", "or", "not", "in", "is", "null", "none", "nan", "true", "false", "contains"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
Kind = str
"""What a value is: text, number, moment, time, duration, boolean, null or other."""


@dataclass(frozen=True)
class _Token:
    kind: str
    value: Any
    at: int


@dataclass(frozen=True)
class _Value:
    """A part of a condition; `literal` holds the value where it is written as such.

    NaN of a column is null in `expr`, and itself in `raw`. What is computed may be NaN again:
    that is seen to where it is compared, once, since fill_nan doubles what stands in it.
    """

    expr: pl.Expr
    kind: Kind
    at: int
    literal: Any = None
    dtype: pl.DataType | None = None
    raw: pl.Expr | None = None


def condition(text: str, frame: pl.DataFrame, empty_is_null: bool = False) -> pl.Expr:
    """Return *text* as an expression that is true or false for each row of *frame*.

    ConfigError shows where a condition is wrong. empty_is_null: a text without a character is
    null to `is null` and `== null`, as in Mage AI.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"a condition has at most {LONGEST} characters, got {len(text)}")
    return _Parser(text, frame, empty_is_null).whole()


class _Parser:
    def __init__(self, text: str, frame: pl.DataFrame, empty_is_null: bool) -> None:
        self.text, self.frame, self.empty_is_null = text, frame, empty_is_null
        self.schema: Mapping[str, pl.DataType] = frame.schema
        self.tokens = self._tokens()
        self.next = 0
        self.depth = self.sums = 0

    def whole(self) -> pl.Expr:
        made = self._or()
        if self._token.kind != "end":
            raise self.wrong(self._token.at, f"did not expect {self._shown()} here")
        return self._true(made)

    def wrong(self, at: int, why: str, *hints: str) -> ConfigError:
        """Return the error that points at the character *at*."""
        start = max(0, at - 50)
        line = self.text[start : start + 90].replace("\n", " ").replace("\t", " ")
        return ConfigError(f"condition: {why}", line, "." * (at - start) + "^", *hints)

    def _tokens(self) -> list[_Token]:
        found, at, end = [], 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if not match:
                at += len(self.text[at:]) - len(self.text[at:].lstrip())
                what = self.text[at]
                why = "this text has no end" if what in "'\"`" else f"did not expect '{what}' here"
                raise self.wrong(at, why)
            kind = str(match.lastgroup)
            found.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        return [*found, _Token("end", "", end)]

    @property
    def _token(self) -> _Token:
        return self.tokens[self.next]

    def _shown(self) -> str:
        return "the end" if self._token.kind == "end" else f"'{self._token.value}'"

    def _take(self, *wanted: str) -> _Token | None:
        """Return the next token and pass it, if it is one of *wanted*."""
        token = self._token
        if token.kind in ("word", "sign") and str(token.value).lower() in wanted:
            self.next += 1
            return token
        return None

    def _need(self, wanted: str) -> _Token:
        token = self._take(wanted)
        if token is None:
            raise self.wrong(self._token.at, f"expected '{wanted}', got {self._shown()}")
        return token

    def _deeper(self, parse: Callable[[], _Value]) -> _Value:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(self._token.at, f"more than {DEEPEST} parts within each other")
        made = parse()
        self.depth -= 1
        return made

    def _true(self, value: _Value) -> pl.Expr:
        if value.kind == "null":
            return pl.lit(False)
        if value.kind != "boolean":
            raise self.wrong(value.at, f"expected true or false, got a {value.kind}")
        return value.expr.fill_null(False)

    def _boolean(self, expr: pl.Expr, at: int) -> _Value:
        return _Value(expr, "boolean", at)

    def _or(self) -> _Value:
        parts = [self._and()]
        while self._take("or", "||", "|"):
            parts.append(self._and())
        if len(parts) == 1:
            return parts[0]
        return self._boolean(pl.any_horizontal([self._true(p) for p in parts]), parts[0].at)

    def _and(self) -> _Value:
        parts = [self._not()]
        while self._take("and", "&&", "&"):
            parts.append(self._not())
        if len(parts) == 1:
            return parts[0]
        return self._boolean(pl.all_horizontal([self._true(p) for p in parts]), parts[0].at)

    def _not(self) -> _Value:
        token = self._take("not", "!", "~")
        if not token:
            return self._comparison()
        inner = self._deeper(self._not)
        return self._boolean(~self._true(inner), token.at)

    def _comparison(self) -> _Value:
        left = first = self._sum()
        links: list[pl.Expr] = []
        while self._token.kind == "sign" and self._token.value in _COMPARE:
            at, sign = self._token.at, _COMPARE[self._token.value]
            self.next += 1
            if links:
                self._simple(left)
            right = self._sum()
            links.append(self._compared(left, sign, right, at))
            left = right
        if not links:
            return self._tested(first)
        return self._boolean(pl.all_horizontal(links), first.at)

    def _simple(self, value: _Value) -> None:
        """Refuse comparisons where they would be computed again and again: without an end."""
        if value.kind == "boolean" and value.raw is None and value.literal is None:
            raise self.wrong(value.at, "expected a value, got a condition")

    def _tested(self, left: _Value) -> _Value:
        """Read what may follow a value in words: in, is null, contains, and these with not."""
        token = self._token
        if self._take("is"):
            negative = self._take("not")
            if not (self._take("null") or self._take("none") or self._take("nan")):
                raise self.wrong(self._token.at, f"expected 'null', got {self._shown()}")
            found = self._is_null(left)
            return self._boolean(~found if negative else found, left.at)
        negative = self._take("not")
        if self._take("in"):
            found = self._among(left)
        elif self._take("contains"):
            found = self._contains(left, self._sum())
        elif negative:
            raise self.wrong(self._token.at, f"expected 'in' or 'contains', got {self._shown()}")
        else:
            return left
        return self._boolean(~found if negative else found, token.at)

    def _among(self, left: _Value) -> pl.Expr:
        closing = "]" if self._take("[") else ")"
        if closing == ")":
            self._need("(")
        self._simple(left)
        found = [pl.lit(False)]
        while not self._take(closing):
            found.append(self._compared(left, "==", self._sum(), left.at))
            if not self._take(","):
                self._need(closing)
                break
        return pl.any_horizontal(found)

    def _contains(self, left: _Value, right: _Value) -> pl.Expr:
        if not isinstance(right.literal, str):
            raise self.wrong(right.at, "'contains' needs a text in quotes")
        return self._text(left).str.contains(right.literal, literal=True).fill_null(False)

    def _is_null(self, value: _Value) -> pl.Expr:
        found = self._plain(value).is_null()
        if self.empty_is_null and value.kind == "text":
            found = found | (value.expr == "").fill_null(False)
        return found

    def _compared(self, left: _Value, sign: str, right: _Value, at: int) -> pl.Expr:
        for one, other in ((left, right), (right, left)):
            if other.kind == "null":
                if sign not in ("==", "!="):
                    raise self.wrong(at, "null can be compared with == and != alone")
                return self._is_null(one) if sign == "==" else ~self._is_null(one)
        a, b = self._alike(left, right, at)
        if sign == "!=":
            return a.ne_missing(b)
        made = {"==": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]
        return made.fill_null(False)

    def _alike(self, left: _Value, right: _Value, at: int) -> tuple[pl.Expr, pl.Expr]:
        """Return both as what can be compared: texts as numbers, dates or words, as it needs."""
        if left.kind == right.kind:
            return self._plain(left), self._plain(right)
        for one, other in ((left, right), (right, left)):
            if one.kind == "text" and other.kind in ("number", "moment", "boolean"):
                turned = self._turned(one, other, at)
                pair = (turned, self._plain(other))
                return pair if one is left else (pair[1], pair[0])
        raise self.wrong(at, f"a {left.kind} cannot be compared with a {right.kind}")

    def _turned(self, value: _Value, other: _Value, at: int) -> pl.Expr:
        """Return a text as what *other* is; a literal has to be one."""
        if value.literal is None:
            if other.kind == "number":
                return value.expr.str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)
            if other.kind == "boolean":
                words = value.expr.str.strip_chars().str.to_lowercase()
                return words.replace_strict({"true": True, "false": False}, default=None)
            return value.expr.str.strip_chars().str.to_datetime(strict=False, format="%Y-%m-%d")
        made = _literal(value.literal, other)
        if made is None:
            raise self.wrong(value.at, f"'{value.literal:.40}' is no {other.kind} to compare with")
        return made

    def _plain(self, value: _Value) -> pl.Expr:
        if value.raw is None and value.dtype is not None and value.dtype.is_float():
            return value.expr.fill_nan(None)
        return value.expr

    def _sum(self) -> _Value:
        left = self._product()
        while token := self._take("+", "-"):
            right = self._product()
            left = self._counted(left, token, right)
        return left

    def _product(self) -> _Value:
        left = self._signed()
        while token := self._take("*", "/", "%"):
            right = self._signed()
            left = self._counted(left, token, right)
        return left

    def _counted(self, left: _Value, token: _Token, right: _Value) -> _Value:
        sign = token.value
        self.sums += 1
        if self.sums > MOST_SUMS:
            raise self.wrong(token.at, f"more than {MOST_SUMS} sums and products")
        if sign == "+" and left.kind == right.kind == "text":
            return _Value(left.expr + right.expr, "text", left.at)
        if left.kind == right.kind == "moment" and sign == "-":
            return _Value(left.expr - right.expr, "duration", left.at)
        a, b = self._number(left), self._number(right)
        if sign in ("/", "%"):
            b = b.replace([0.0], [None])
        made = {"+": a + b, "-": a - b, "*": a * b, "/": a / b, "%": a % b}[sign]
        return _Value(made, "number", left.at, dtype=pl.Float64())

    def _signed(self) -> _Value:
        token = self._take("-", "+")
        if not token:
            return self._atom()
        inner = self._deeper(self._signed)
        if token.value == "+":
            return inner
        literal = -inner.literal if isinstance(inner.literal, int | float) else None
        made = -self._number(inner)
        return _Value(made, "number", token.at, literal, inner.dtype or pl.Float64())

    def _number(self, value: _Value) -> pl.Expr:
        """Return *value* as a number: Float64, so that nothing wraps around."""
        if value.kind == "text" and value.literal is None:
            return value.expr.str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)
        if value.kind != "number":
            raise self.wrong(value.at, f"expected a number, got a {value.kind}")
        return value.expr.cast(pl.Float64)

    def _text(self, value: _Value) -> pl.Expr:
        if value.kind != "text":
            raise self.wrong(value.at, f"expected a text, got a {value.kind}")
        return value.expr

    def _moment(self, value: _Value) -> pl.Expr:
        if value.kind == "text" and value.literal is None:
            return value.expr.str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
        if value.kind != "moment":
            raise self.wrong(value.at, f"expected a date, got a {value.kind}")
        return value.expr

    def _atom(self) -> _Value:
        token = self._token
        self.next += 1
        if token.kind == "number":
            whole = token.value.isdigit()
            number = int(token.value) if whole and len(token.value) <= 18 else float(token.value)
            dtype: pl.DataType = pl.Int64() if isinstance(number, int) else pl.Float64()
            return _Value(pl.lit(number, dtype=dtype), "number", token.at, number, dtype)
        if token.kind == "text":
            text = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token.value[1:-1])
            return _Value(pl.lit(text), "text", token.at, text)
        if token.kind == "quoted":
            return self._column(token)
        if token.kind == "sign" and token.value == "(":
            inner = self._deeper(self._or)
            self._need(")")
            return inner
        if token.kind == "word":
            return self._word(token)
        self.next -= 1
        raise self.wrong(token.at, f"expected a value, got {self._shown()}")

    def _word(self, token: _Token) -> _Value:
        word = token.value.lower()
        following = self._token
        if following.kind == "sign" and following.value == "(":
            return self._call(token)
        if token.value in self.schema and token.value != ROW:
            return self._column(token)
        if word in ("true", "false"):
            return _Value(pl.lit(word == "true"), "boolean", token.at, word == "true")
        if word in ("null", "none", "nan"):
            return _Value(pl.lit(None), "null", token.at)
        if word in _RESERVED:
            raise self.wrong(token.at, f"did not expect '{token.value}' here")
        return self._column(token)

    def _column(self, token: _Token) -> _Value:
        name = token.value
        if name not in self.schema or name == ROW:
            known = [each for each in self.schema if each != ROW]
            hint = did_you_mean(name, known) or ["texts stand in quotes"]
            raise self.wrong(token.at, f"there is no column '{name}'", *hint)
        dtype = self.schema[name]
        kind, expr = _kind(dtype), pl.col(name)
        if kind == "text":
            expr = expr.cast(pl.String)
        if dtype.is_float():
            expr = expr.fill_nan(None)
        return _Value(expr, kind, token.at, dtype=dtype, raw=pl.col(name))

    def _call(self, token: _Token) -> _Value:
        name = token.value.lower()
        if name not in FUNCTIONS:
            raise self.wrong(
                token.at,
                f"there is no function '{token.value}'",
                *did_you_mean(name, FUNCTIONS),
                f"functions: {', '.join(sorted(FUNCTIONS))}",
            )
        self._need("(")
        arguments: list[_Value] = []
        while not self._take(")"):
            arguments.append(self._deeper(self._or))
            if not self._take(","):
                self._need(")")
                break
        least, most, function = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise self.wrong(token.at, f"{name}() takes {wanted} values, got {len(arguments)}")
        return function(self, token.at, *arguments)


def _kind(dtype: pl.DataType) -> Kind:
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "text"
    if dtype.is_numeric():
        return "number"
    kinds: tuple[tuple[Any, Kind], ...] = (
        (pl.Boolean, "boolean"),
        (pl.Date, "moment"),
        (pl.Datetime, "moment"),
        (pl.Time, "time"),
        (pl.Duration, "duration"),
        (pl.Null, "null"),
    )
    return next((kind for each, kind in kinds if isinstance(dtype, each)), "other")


def _literal(text: str, other: _Value) -> pl.Expr | None:
    """Return the text of a condition as what *other* is, or None if it is no such thing."""
    try:
        if other.kind == "number":
            return pl.lit(float(text))
        if other.kind == "boolean":
            return pl.lit({"true": True, "false": False}[text.strip().lower()])
        moment = dt.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except (ValueError, KeyError):
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.timezone.utc)
    zone = other.dtype.time_zone if isinstance(other.dtype, pl.Datetime) else None
    made = pl.lit(moment.replace(tzinfo=None), dtype=pl.Datetime("us"))
    if zone is None:
        return made if moment.tzinfo is None else None
    if moment.tzinfo is None:
        return made.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return made.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


_Function = Callable[..., _Value]


def _of_text(make: Callable[[pl.Expr], pl.Expr], kind: Kind = "text") -> _Function:
    def call(parser: _Parser, at: int, value: _Value) -> _Value:
        return _Value(make(parser._text(value)), kind, at)

    return call


def _of_number(make: Callable[[pl.Expr], pl.Expr]) -> _Function:
    def call(parser: _Parser, at: int, value: _Value) -> _Value:
        return _Value(make(parser._number(value)), "number", at, dtype=pl.Float64())

    return call


def _of_moment(make: Callable[[pl.Expr], pl.Expr]) -> _Function:
    def call(parser: _Parser, at: int, value: _Value) -> _Value:
        return _Value(make(parser._moment(value)).cast(pl.Int64), "number", at, dtype=pl.Int64())

    return call


def _of_two(make: Callable[[pl.Expr, str], pl.Expr]) -> _Function:
    """Return a function of a text and a text in quotes."""

    def call(parser: _Parser, at: int, value: _Value, part: _Value) -> _Value:
        if not isinstance(part.literal, str):
            raise parser.wrong(part.at, "expected a text in quotes")
        return _Value(make(parser._text(value), part.literal).fill_null(False), "boolean", at)

    return call


def _matches(parser: _Parser, at: int, value: _Value, form: _Value) -> _Value:
    from kozmo_bridge.cleaner.actions.replacing import pattern

    if not isinstance(form.literal, str):
        raise parser.wrong(form.at, "matches() needs a regular expression in quotes")
    try:
        found = pattern(form.literal)
    except ConfigError as error:
        raise parser.wrong(form.at, error.message, *error.details) from None
    made = parser._text(value).str.contains(found).fill_null(False)
    return _Value(made, "boolean", at)


def _round(parser: _Parser, at: int, value: _Value, digits: _Value | None = None) -> _Value:
    places = 0 if digits is None else digits.literal
    if not isinstance(places, int) or not 0 <= places <= 15:
        raise parser.wrong(at, "round() takes from 0 to 15 digits")
    return _Value(parser._number(value).round(places), "number", at, dtype=pl.Float64())


def _is_null(parser: _Parser, at: int, value: _Value) -> _Value:
    return _Value(parser._is_null(value), "boolean", at)


def _is_nan(parser: _Parser, at: int, value: _Value) -> _Value:
    if value.dtype is None or not value.dtype.is_float():
        return _Value(pl.lit(False), "boolean", at)
    number = value.expr if value.raw is None else value.raw
    return _Value(number.is_nan().fill_null(False), "boolean", at)


def _coalesce(parser: _Parser, at: int, *values: _Value) -> _Value:
    known = [value for value in values if value.kind != "null"]
    if not known:
        return _Value(pl.lit(None), "null", at)
    for value in known:
        if value.kind != known[0].kind:
            raise parser.wrong(value.at, f"a {value.kind} cannot stand in for a {known[0].kind}")
    number = known[0].kind == "number"
    exprs = [value.expr.cast(pl.Float64) if number else value.expr for value in known]
    dtype = pl.Float64() if number else known[0].dtype
    return _Value(pl.coalesce(exprs), known[0].kind, at, dtype=dtype)


FUNCTIONS: Mapping[str, tuple[int, int, _Function]] = {
    "lower": (1, 1, _of_text(lambda text: text.str.to_lowercase())),
    "upper": (1, 1, _of_text(lambda text: text.str.to_uppercase())),
    "trim": (1, 1, _of_text(lambda text: text.str.strip_chars())),
    "len": (1, 1, _of_text(lambda text: text.str.len_chars().cast(pl.Int64), "number")),
    "abs": (1, 1, _of_number(lambda number: number.abs())),
    "round": (1, 2, _round),
    "year": (1, 1, _of_moment(lambda moment: moment.dt.year())),
    "month": (1, 1, _of_moment(lambda moment: moment.dt.month())),
    "day": (1, 1, _of_moment(lambda moment: moment.dt.day())),
    "weekday": (1, 1, _of_moment(lambda moment: moment.dt.weekday())),
    "is_null": (1, 1, _is_null),
    "is_nan": (1, 1, _is_nan),
    "coalesce": (1, 20, _coalesce),
    "matches": (2, 2, _matches),
    "contains": (2, 2, _of_two(lambda text, part: text.str.contains(part, literal=True))),
    "starts_with": (2, 2, _of_two(lambda text, part: text.str.starts_with(part))),
    "ends_with": (2, 2, _of_two(lambda text, part: text.str.ends_with(part))),
}
"""By name: the least and the most values that a function takes, and what makes it."""
