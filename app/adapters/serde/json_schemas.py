"""JSON Schemas of every event, generated from the domain."""

import json
from inspect import cleandoc
from typing import Any

import msgspec

from app.adapters.serde.event_types import EVENTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(event: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of one event, with the schemas that it refers to under ``$defs``."""
    (reference,), components = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    return {"$schema": DIALECT, **reference, "$defs": _unindented(components)}


def _unindented(part: Any) -> Any:
    """Return a part of a schema whose descriptions have no indentation: docstrings have it before Python 3.13 only."""
    if isinstance(part, list):
        return [_unindented(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: cleandoc(each) if name == "description" and isinstance(each, str) else _unindented(each)
        for name, each in part.items()
    }


def documents() -> dict[str, str]:
    """The text of every schema by file name."""
    return {
        f"{topic}.schema.json": json.dumps(schema(event), indent=2, ensure_ascii=False) + "\n"
        for topic, event in EVENTS.items()
    }
