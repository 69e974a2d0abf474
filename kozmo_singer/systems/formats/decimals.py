"""Texts as decimals of Arrow: the same numbers, or none.

Arrow's own cast reads what has too many digits, or an exponent, as a number that is quite another
one: 366791866261536248373832410174 as decimal(38,9) is 26509499340597784910457802742.231788544.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

_WIDE = Context(prec=76, Emin=MIN_EMIN, Emax=MAX_EMAX)


def decimals(texts: pa.Array, type: pa.DataType) -> pa.Array | None:
    """Return the numbers of *texts* as *type*, None where it does not hold one of them."""
    whole = type.precision - type.scale
    before = f"[0-9]{{1,{whole}}}" if whole > 0 else "0"
    fraction = f"(?:\\.[0-9]{{1,{type.scale}}})?" if type.scale else ""
    plain = pc.match_substring_regex(texts, f"^-?{before}{fraction}$")
    if pc.all(plain).as_py() is not False:
        return texts.cast(type)
    values = [None if text is None else _decimal(text, type) for text in texts.to_pylist()]
    if sum(value is None for value in values) > texts.null_count:
        return None
    return pa.array(values, type)


def _decimal(text: str, type: pa.DataType) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "it is finite"
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    too_large = len(digits) + exponent > type.precision - type.scale
    if number and (too_large or exponent + trailing < -type.scale):
        return None
    return number.quantize(Decimal((0, (1,), -type.scale)), context=_WIDE)
