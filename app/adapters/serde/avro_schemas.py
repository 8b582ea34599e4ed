"""Avro schemas of every event, generated from the domain.

Enums are strings, so that a value added by a later release does not break the readers of this one.
"""

import json
from typing import Any

import msgspec
from msgspec import inspect

from app.adapters.serde.event_types import EVENTS, NAMESPACES, fields, plain

_PRIMITIVE: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.EnumType: "string",
    inspect.IntType: "long",
    inspect.FloatType: "double",
    inspect.BoolType: "boolean",
}


def schema(event: type[msgspec.Struct]) -> dict[str, Any]:
    """The Avro schema of one event. A record type is defined where it first occurs and named after that."""
    return _record(event, set()) | {"namespace": NAMESPACES[event]}


def text(event: type[msgspec.Struct]) -> str:
    """The schema as JSON text, as published in docs/schemas and registered."""
    return json.dumps(schema(event), indent=2, ensure_ascii=False) + "\n"


def documents() -> dict[str, str]:
    """The text of every schema by file name."""
    return {f"{topic}.avsc": text(event) for topic, event in EVENTS.items()}


def _record(event: type[msgspec.Struct], known: set[str]) -> dict[str, Any]:
    known.add(event.__name__)
    doc = (event.__doc__ or "").split("\n\n")[0]
    return {
        "type": "record",
        "name": event.__name__,
        "doc": " ".join(doc.split()),
        "fields": [_field(field, known) for field in fields(event)],
    }


def _field(field: inspect.Field, known: set[str]) -> dict[str, Any]:
    written: dict[str, Any] = {"name": field.name, "type": _type(field.type, known)}
    if description := plain(field.type).description:
        written["doc"] = description
    if plain(field.type).nullable:
        return written | {"default": None}
    if field.default_factory is not msgspec.NODEFAULT:
        return written | {"default": field.default_factory()}
    if field.default is not msgspec.NODEFAULT:
        return written | {"default": field.default}
    return written


def _type(kind: inspect.Type, known: set[str]) -> Any:
    inner, nullable, _ = plain(kind)
    written = _bare(inner, known)
    return ["null", written] if nullable else written


def _bare(kind: inspect.Type, known: set[str]) -> Any:
    if isinstance(kind, inspect.ListType):
        return {"type": "array", "items": _type(kind.item_type, known)}
    if isinstance(kind, inspect.DictType):
        return {"type": "map", "values": _type(kind.value_type, known)}
    if isinstance(kind, inspect.StructType):
        return kind.cls.__name__ if kind.cls.__name__ in known else _record(kind.cls, known)
    return _PRIMITIVE[type(kind)]
