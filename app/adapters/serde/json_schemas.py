"""JSON Schemas of every event, generated from the domain."""

import json
from typing import Any

import msgspec

from app.adapters.serde.event_types import EVENTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(event: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of one event, with the schemas that it refers to under ``$defs``."""
    (reference,), components = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    return {"$schema": DIALECT, **reference, "$defs": components}


def documents() -> dict[str, str]:
    """The text of every schema by file name."""
    return {
        f"{topic}.schema.json": json.dumps(schema(event), indent=2, ensure_ascii=False) + "\n"
        for topic, event in EVENTS.items()
    }
