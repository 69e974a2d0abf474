"""What a column must become to take values of another type without losing any."""

from __future__ import annotations

from kozmo_singer.wire.types import LogicalType

TEXT = LogicalType("string")
_DIGITS = {16: 5, 32: 10, 64: 19}
_JSON_NUMBERS = {"boolean", "integer", "float", "decimal"}


def widened(have: LogicalType, want: LogicalType) -> LogicalType:
    """Return the type that holds all of *have* and all of *want*; text where nothing else does.

    It equals *have* where that is wide enough already.
    """
    if have.name == want.name:
        return _same_kind(have, want)
    pair = {have.name, want.name}
    if pair <= {"integer", "float", "decimal"}:
        return _number(have, want)
    if pair <= {"date", "timestamp", "timestamptz"}:
        return have if want.name == "date" or have.name == "timestamptz" else want
    if have.name == "json" and want.name in _JSON_NUMBERS:
        # Their text is JSON as it stands.
        return have
    if have.name == "string" and have.length is None:
        return have
    return TEXT


def _same_kind(have: LogicalType, want: LogicalType) -> LogicalType:
    if have.name in ("integer", "float"):
        bits = max(have.bits or 64, want.bits or 64)
        return have if bits == (have.bits or 64) else LogicalType(have.name, bits=bits)
    if have.name == "decimal":
        return _decimal(have, want)
    if have.name == "string" and have.length is not None:
        if want.length is None:
            return TEXT
        return have if want.length <= have.length else LogicalType("string", length=want.length)
    return have


def _number(have: LogicalType, want: LogicalType) -> LogicalType:
    if "float" not in (have.name, want.name):
        return _decimal(have, want)
    other = want if have.name == "float" else have
    if other.name == "integer" and (other.bits or 64) <= 32:
        # A double holds every 32-bit integer.
        wide = have.name == "float" and have.bits != 32
        return have if wide else LogicalType("float", bits=64)
    return have if have.name == "decimal" and have.precision is None else LogicalType("decimal")


def _decimal(have: LogicalType, want: LogicalType) -> LogicalType:
    """The decimal that holds two decimals, or a decimal and an integer."""
    mine, theirs = _room(have), _room(want)
    if mine is None:
        return have
    if theirs is None:
        return LogicalType("decimal")
    whole, scale = max(mine[0], theirs[0]), max(mine[1], theirs[1])
    if (whole, scale) == mine and have.name == "decimal":
        return have
    return LogicalType("decimal", whole + scale, scale)


def _room(type: LogicalType) -> tuple[int, int] | None:
    """Digits before and after the point, or None for any number of them."""
    if type.name == "integer":
        return _DIGITS[type.bits or 64], 0
    if type.precision is None:
        return None
    return type.precision - (type.scale or 0), type.scale or 0
