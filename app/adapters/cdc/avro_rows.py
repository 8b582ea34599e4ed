"""Values of Avro as Kafka Connect's JSON converter writes them, so that a change event is read alike in both formats.

Bytes are base64 text and numbers with a point are Decimal, as ``change_events`` reads them from JSON. A DECIMAL column, which
is bytes in JSON, is an object with its scale: the schema has the scale, and a JSON record without its schema does not.
"""

import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from app.adapters.serde.avro_values import LOGICAL_TYPE, Parsed
from app.errors import InvalidEvent, InvalidReason

Convert = Callable[[Any], Any]


def field_names(parsed: Parsed) -> frozenset[str]:
    """The names of a record's fields; none for a schema of another type."""
    fields = parsed.schema.get("fields", ()) if isinstance(parsed.schema, dict) else ()
    return frozenset(field["name"] for field in fields)


def as_json(parsed: Parsed) -> Convert:
    """A function from a value of this schema to the JSON value. Raises InvalidEvent for a schema that no Kafka Connect has.

    The schema is not recursive: ``avro_values.parse`` refuses those.
    """
    return _convert(parsed.schema, parsed.named)


def _convert(schema: Any, named: Mapping[str, Any]) -> Convert:
    if isinstance(schema, list):
        return _optional(schema, named)
    if isinstance(schema, str):
        return _convert(named[schema], named) if schema in named else _PRIMITIVES.get(schema, _same)
    kind = schema["type"]
    if not isinstance(kind, str):
        return _convert(kind, named)
    if kind in _NESTED:
        return _NESTED[kind](schema, named)
    return _decimal(schema) if schema.get(LOGICAL_TYPE) == "decimal" else _PRIMITIVES.get(kind, _same)


def _optional(union: list[Any], named: Mapping[str, Any]) -> Convert:
    kinds = [kind for kind in union if kind != "null"]
    if len(kinds) != 1:
        raise InvalidEvent(
            InvalidReason.SCHEMA_MISMATCH, "its schema has a union of several types, as no table has"
        )
    inner = _convert(kinds[0], named)
    return lambda value: None if value is None else inner(value)


def _record(schema: Any, named: Mapping[str, Any]) -> Convert:
    fields = {field["name"]: _convert(field["type"], named) for field in schema["fields"]}
    return lambda value: {name: convert(value[name]) for name, convert in fields.items()}


def _array(schema: Any, named: Mapping[str, Any]) -> Convert:
    inner = _convert(schema["items"], named)
    return lambda value: [inner(item) for item in value]


def _map(schema: Any, named: Mapping[str, Any]) -> Convert:
    inner = _convert(schema["values"], named)
    return lambda value: {name: inner(item) for name, item in value.items()}


def _decimal(schema: Any) -> Convert:
    scale = schema.get("scale", 0)
    if schema["type"] not in ("bytes", "fixed") or type(scale) is not int:
        raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, "its schema has a decimal that Avro does not know")
    return lambda data: {"scale": scale, "value": _base64(data)}


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _float(value: float) -> Decimal | str:
    # REAL: the shortest text of the 32 bits, 12.1, and not 12.100000381469727, the double that they are.
    return _number(value, str(np.float32(value)))


def _double(value: float) -> Decimal | str:
    return _number(value, repr(value))


def _number(value: float, text: str) -> Decimal | str:
    if math.isfinite(value):
        return Decimal(text)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _same(value: Any) -> Any:
    return value


_NESTED = {"record": _record, "array": _array, "map": _map}
_PRIMITIVES: Mapping[str, Convert] = {
    "bytes": _base64,
    "fixed": _base64,
    "float": _float,
    "double": _double,
}
