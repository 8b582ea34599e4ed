"""Recognises Avro schemas in which a type contains itself."""

from collections.abc import Iterator, Mapping
from typing import Any


def is_recursive(schema: Any, named: Mapping[str, Any]) -> bool:
    """Whether a type of the parsed ``schema`` contains itself. ``named`` holds the parsed types by their full name."""
    finished: set[str] = set()

    def contains_itself(part: Any, inside: frozenset[str]) -> bool:
        if isinstance(part, str):
            if part in inside:
                return True
            return part in named and part not in finished and contains_itself(named[part], inside)
        name = part.get("name", "") if isinstance(part, dict) else ""
        if name in inside:
            return True
        if name in finished:
            return False
        found = any(contains_itself(each, inside | {name} if name else inside) for each in _parts(part))
        if name:
            finished.add(name)
        return found

    return contains_itself(schema, frozenset())


def _parts(schema: Any) -> Iterator[Any]:
    """The schemas that a parsed schema is made of."""
    if isinstance(schema, list):
        yield from schema
        return
    yield from (field["type"] for field in schema.get("fields", ()))
    yield from (schema[key] for key in ("items", "values") if key in schema)
    if not isinstance(schema["type"], str):
        yield schema["type"]
