"""The events on the wire by their default topics, and the types of their fields: the input of every schema generator."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import inspect

from app.settings import STREAM_EVENTS, TopicSettings

EVENTS: dict[str, type[msgspec.Struct]] = {
    TopicSettings().name_of(stream): event for stream, event in STREAM_EVENTS.items()
}
"""Event by the default name of its topic, which is also the namespace of its schemas."""

NAMESPACES = {event: namespace for namespace, event in EVENTS.items()}


class Nullable(NamedTuple):
    """A field's type, separated from null and from its description."""

    kind: inspect.Type
    nullable: bool
    description: str


def fields(event: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """The fields of a struct in the order of definition, those of base classes first. Raises TypeError for others."""
    described = inspect.type_info(event)
    if not isinstance(described, inspect.StructType):
        raise TypeError(f"{event.__name__} is not a struct")
    return described.fields


def plain(kind: inspect.Type) -> Nullable:
    """Separate a type from null and from its description. Raises TypeError for any other union."""
    if isinstance(kind, inspect.Metadata):
        inner = plain(kind.type)
        return inner._replace(description=(kind.extra_json_schema or {}).get("description", ""))
    if isinstance(kind, inspect.UnionType):
        kinds = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        if len(kinds) != 1:
            raise TypeError(f"a field must have one type, optionally with null, not {kind}")
        return plain(kinds[0])._replace(nullable=True)
    return Nullable(kind, nullable=False, description="")


def nullable_fields(events: Iterable[type[msgspec.Struct]]) -> dict[str, list[str]]:
    """The nullable fields of each struct in the events, nested ones included, by its name."""
    found: dict[str, list[str]] = {}
    for event in events:
        _note(event, found)
    return found


def _note(event: type[msgspec.Struct], found: dict[str, list[str]]) -> None:
    found[event.__name__] = [field.name for field in fields(event) if plain(field.type).nullable]
    for field in fields(event):
        for kind in _within(field.type):
            if isinstance(kind, inspect.StructType) and kind.cls.__name__ not in found:
                _note(kind.cls, found)


def _within(declared: inspect.Type) -> list[inspect.Type]:
    kind = plain(declared).kind
    if isinstance(kind, inspect.ListType):
        return [plain(kind.item_type).kind]
    return [plain(kind.value_type).kind] if isinstance(kind, inspect.DictType) else [kind]
