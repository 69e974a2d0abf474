"""The closed set of logical types, and JSON Schema to logical type both ways.

Plain JSON Schema cannot tell a timestamp without zone from one with, or a float from a decimal.
Where it cannot, our schemas carry the extra keyword ``x-kozmo-type``; readers that do not know it
lose nothing but that distinction.

Decimals come in four dialects and all are read: a plain number, a number with ``multipleOf``,
a string of format ``singer.decimal`` (singer-io) and of ``x-singer.decimal`` (Meltano's SDK).
Binary: ``contentEncoding`` base16 or base64, or ``format: binary`` (pipelinewise, base16).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

NAMES = (
    "boolean",
    "integer",
    "float",
    "decimal",
    "string",
    "binary",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "json",
)
HINT = "x-kozmo-type"
BITS = "x-kozmo-bits"
REPLICATION_METHOD = "x-kozmo-replication-method"


class LogicalType(msgspec.Struct, frozen=True):
    """One of NAMES with what narrows it; None means not known or not limited.

    precision and scale are a decimal's digits; bits an integer's or float's width (16, 32, 64);
    length a string's characters; encoding how binary is written (base16 or base64); mixed marks
    a string column that may also hold numbers and booleans, which become their JSON text.
    """

    name: str
    precision: int | None = None
    scale: int | None = None
    bits: int | None = None
    length: int | None = None
    encoding: str = "base16"
    mixed: bool = False


class Column(msgspec.Struct, frozen=True):
    """A top-level property of a stream's schema."""

    name: str
    type: LogicalType
    nullable: bool = True
    required: bool = False


_FORMATS = {
    "date-time": "timestamptz",
    "date": "date",
    "time": "time",
    "uuid": "uuid",
    "binary": "binary",
    "singer.decimal": "decimal",
    "x-singer.decimal": "decimal",
}
_FORMAT_OF = {"date": "date", "time": "time", "uuid": "uuid", "timestamptz": "date-time"}
_ANY = ["object", "array", "string", "number", "boolean", "null"]


def from_schema(schema: Any) -> tuple[LogicalType, bool]:
    """Return the logical type of one property's JSON Schema, and whether null is allowed."""
    if not isinstance(schema, Mapping):
        return LogicalType("json"), True
    options = _options(schema)
    if options is not None:
        return _union(options)
    kinds = schema.get("type")
    if kinds is None:
        return _untyped(schema)
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    nullable = "null" in names
    found = {name for name in names if name != "null"}
    hint = schema.get(HINT)
    if hint in NAMES:
        return _hinted(hint, schema), nullable
    return _typed(found, schema), nullable


def to_schema(
    type: LogicalType, nullable: bool = True, decimal_format: str = "number"
) -> dict[str, Any]:
    """Return the JSON Schema of *type*; *decimal_format* string writes x-singer.decimal."""
    name = type.name
    schema: dict[str, Any] = {}
    if name == "boolean":
        schema["type"] = "boolean"
    elif name == "integer":
        schema["type"] = "integer"
        if type.bits:
            schema |= {"minimum": -(1 << type.bits - 1), "maximum": (1 << type.bits - 1) - 1}
    elif name == "float":
        schema |= {"type": "number", HINT: "float"}
        if type.bits == 32:
            schema[BITS] = 32
    elif name == "decimal":
        schema |= _decimal_schema(type, decimal_format)
    elif name == "json":
        return {"type": _ANY if nullable else _ANY[:-1]}
    elif name == "binary":
        schema |= {"type": "string", "contentEncoding": type.encoding}
    elif name == "timestamp":
        schema |= {"type": "string", "format": "date-time", HINT: "timestamp"}
    else:
        schema["type"] = "string"
        if name in _FORMAT_OF:
            schema["format"] = _FORMAT_OF[name]
        if type.length:
            schema["maxLength"] = type.length
        if type.mixed:
            schema["type"] = ["string", "number", "boolean"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    schema["type"] = [*kinds, "null"] if nullable else kinds
    return schema


def columns(schema: Mapping[str, Any], key_properties: Sequence[str] = ()) -> list[Column]:
    """Return the columns of a stream's schema, in its order; key columns count as required."""
    properties = schema.get("properties") or {}
    required = {*(schema.get("required") or ()), *key_properties}
    found = []
    for name, property_schema in properties.items():
        type, nullable = from_schema(property_schema)
        found.append(Column(name, type, nullable, name in required))
    return found


def resolve_refs(schema: Any) -> Any:
    """Return *schema* with every local ``$ref`` replaced by what it names.

    A reference that points into itself, or nowhere, becomes the schema that allows anything.
    """
    return _resolve(schema, schema, ())


def _resolve(node: Any, root: Any, trail: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, root, trail) for item in node]
    if not isinstance(node, Mapping):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        rest = {k: v for k, v in node.items() if k != "$ref"}
        if reference in trail:
            return _resolve(rest, root, trail)
        named = _pointer(root, reference)
        merged = {**named, **rest} if isinstance(named, Mapping) else rest
        return _resolve(merged, root, (*trail, reference))
    return {
        k: _resolve(v, root, trail) for k, v in node.items() if k not in ("definitions", "$defs")
    }


def _pointer(root: Any, reference: str) -> Any:
    if not reference.startswith("#"):
        return None
    node = root
    for part in reference[1:].split("/")[1:]:
        if not isinstance(node, Mapping):
            return None
        node = node.get(part.replace("~1", "/").replace("~0", "~"))
    return node


def _options(schema: Mapping[str, Any]) -> list[Any] | None:
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            return [
                {**schema, **o, word: None} if isinstance(o, Mapping) else o for o in schema[word]
            ]
    if isinstance(schema.get("allOf"), list):
        merged = {k: v for k, v in schema.items() if k != "allOf"}
        for part in schema["allOf"]:
            if isinstance(part, Mapping):
                merged.update(part)
        return [merged]
    return None


def _union(options: Iterable[Any]) -> tuple[LogicalType, bool]:
    found: list[LogicalType] = []
    nullable = False
    for option in options:
        if isinstance(option, Mapping) and option.get("type") in ("null", ["null"]):
            nullable = True
            continue
        type, may_be_null = from_schema(option)
        nullable |= may_be_null
        if type not in found:
            found.append(type)
    return join(found), nullable or not found


def join(types: Sequence[LogicalType]) -> LogicalType:
    """Return the narrowest type that holds every value of all *types*."""
    names = {t.name for t in types}
    if len(types) == 1:
        return types[0]
    if not names or "json" in names:
        return LogicalType("json")
    if names <= {"integer"}:
        widths = [t.bits for t in types]
        return LogicalType("integer", bits=None if None in widths else max(b or 0 for b in widths))
    if names <= {"integer", "float", "decimal"}:
        return LogicalType("decimal")
    if names <= {"date", "timestamptz"}:
        return LogicalType("timestamptz")
    texts = {"string", "date", "time", "timestamp", "timestamptz", "uuid"}
    if names & texts:
        return LogicalType("string", mixed=not names <= texts)
    return LogicalType("json")


def _untyped(schema: Mapping[str, Any]) -> tuple[LogicalType, bool]:
    values = [schema["const"]] if "const" in schema else schema.get("enum") or []
    present = [v for v in values if v is not None]
    if present and all(isinstance(v, str) for v in present):
        return LogicalType("string"), len(present) < len(values)
    if "properties" not in schema and schema.get("format") in _FORMATS:
        return _typed({"string"}, schema), True
    return LogicalType("json"), True


def _typed(names: set[str], schema: Mapping[str, Any]) -> LogicalType:
    if not names or names & {"object", "array"} or not names <= {*_ANY, "integer"}:
        return LogicalType("json")
    if names == {"string"}:
        return _string(schema)
    if "string" in names:
        if names <= {"string", "number", "integer"} and "decimal" in str(schema.get("format")):
            return _string(schema)
        return LogicalType("string", mixed=True)
    if names == {"boolean"}:
        return LogicalType("boolean")
    if names == {"integer"}:
        return LogicalType("integer", bits=_bits(schema))
    if names <= {"integer", "number"}:
        return _number(schema)
    return LogicalType("json")


def _string(schema: Mapping[str, Any]) -> LogicalType:
    encoding = schema.get("contentEncoding")
    if encoding in ("base16", "base64"):
        return LogicalType("binary", encoding=encoding)
    name = _FORMATS.get(schema.get("format", ""), "string")
    if name == "decimal":
        return LogicalType("decimal", *_precision(schema))
    if name == "string":
        length = schema.get("maxLength")
        return LogicalType("string", length=length if isinstance(length, int) else None)
    return LogicalType(name)


def _number(schema: Mapping[str, Any]) -> LogicalType:
    precision, scale = _precision(schema)
    step = schema.get("multipleOf")
    if precision is None and isinstance(step, int | float | Decimal) and 0 < step <= 1:
        scale = -int(Decimal(repr(step) if isinstance(step, float) else step).adjusted())
        limit = schema.get("maximum", schema.get("exclusiveMaximum"))
        if isinstance(limit, int | float | Decimal) and limit >= 1:
            precision = scale + Decimal(str(limit)).adjusted()
            if precision <= 0 or Decimal(str(limit)) != Decimal(10) ** (precision - scale):
                precision = None
    return LogicalType("decimal", precision, scale if precision else None)


def _precision(schema: Mapping[str, Any]) -> tuple[int | None, int | None]:
    precision, scale = schema.get("precision"), schema.get("scale")
    if isinstance(precision, int) and precision > 0:
        return precision, scale if isinstance(scale, int) else 0
    return None, None


def _hinted(name: str, schema: Mapping[str, Any]) -> LogicalType:
    if name == "float":
        return LogicalType("float", bits=32 if schema.get(BITS) == 32 else 64)
    if name == "decimal":
        return LogicalType("decimal", *_precision(schema))
    return LogicalType(name)


def _bits(schema: Mapping[str, Any]) -> int | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    if not isinstance(low, int) or not isinstance(high, int):
        return None
    for bits in (16, 32, 64):
        if -(1 << bits - 1) <= low and high < 1 << bits - 1:
            return bits
    return None


def _decimal_schema(type: LogicalType, decimal_format: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "number"}
    if decimal_format == "string":
        schema = {"type": "string", "format": "x-singer.decimal"}
    if type.precision is not None:
        schema |= {"precision": type.precision, "scale": type.scale or 0}
    return schema
