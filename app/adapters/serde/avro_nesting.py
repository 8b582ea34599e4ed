"""How deep the types of an Avro schema lie within each other; without end where one contains itself."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

MAX_TYPE_NESTING = 64
"""Types within each other. No event or envelope has more than ten. The compiled reader follows a value as deep as its schema and
has no bound: some thousand levels, of which each takes no byte, end the process."""


def type_nesting(schema: Any, named: Mapping[str, Any]) -> float:
    """Levels of the parsed ``schema`` or of a type in ``named``, whichever has more; infinite where one contains itself.

    ``named`` holds the parsed types by their full name. Beyond MAX_TYPE_NESTING the exact number is not found out.
    """
    heights: dict[str, float] = {}

    def height(part: Any, above: int) -> float:
        if above > MAX_TYPE_NESTING:
            return 1.0
        name = part if isinstance(part, str) else part.get("name", "") if isinstance(part, dict) else ""
        part = named.get(part, part) if isinstance(part, str) else part
        if name in heights:
            return heights[name]
        if name:
            heights[name] = math.inf  # a type that contains itself finds this value
        found = 1.0 + max((height(inner, above + 1) for inner in _parts(part)), default=0.0)
        if name:
            heights[name] = found
        return found

    return max(height(part, 0) for part in (schema, *named.values()))


def _parts(schema: Any) -> Iterator[Any]:
    """The schemas that a parsed schema is made of."""
    if isinstance(schema, str):
        return
    if isinstance(schema, list):
        yield from schema
        return
    yield from (field["type"] for field in schema.get("fields", ()))
    yield from (schema[key] for key in ("items", "values") if key in schema)
    if not isinstance(schema["type"], str):
        yield schema["type"]
