"""Protobuf values, read and written with the service's own descriptors: numbers identify the fields.

The writer's schema is needed only to find which of its messages a value is. Fields that a newer writer added are skipped;
fields that an older one lacks are missing.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import orjson
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from app.adapters.schema_registry.protobuf_names import message_names
from app.adapters.schema_registry.wire_format import Framed, message_index
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde import protobuf_schemas
from app.adapters.serde.event_types import EVENTS, NAMESPACES, nullable_fields
from app.adapters.serde.protobuf_schemas import NUMBER
from app.errors import InvalidEvent, InvalidReason

NULLABLE = nullable_fields(EVENTS.values())


def reader(writer: WriterSchema, event: type[msgspec.Struct]) -> Callable[[Framed], dict[str, Any]]:
    """A function from a value to the fields of an ``event``; it raises InvalidEvent for a value that does not fit."""
    names, kind = message_names(writer.text), message_class(event)

    def read(value: Framed) -> dict[str, Any]:
        index, payload = message_index(value)
        name = names[index[0]] if len(index) == 1 and 0 <= index[0] < len(names) else ""
        if name != event.__name__:
            raise InvalidEvent(
                InvalidReason.SCHEMA_MISMATCH, f"its schema's message {index} is not {event.__name__}"
            )
        try:
            return _plain(kind.FromString(payload))
        except DecodeError:
            raise InvalidEvent(InvalidReason.UNDECODABLE, "the value does not fit its schema") from None

    return read


def writer(event: type[msgspec.Struct]) -> Callable[[bytes], bytes]:
    """A function from an event's JSON to its serialized message. Fields that a catalog declares are left out: no message has them."""
    kind = message_class(event)
    lists = [field.name for field in kind.DESCRIPTOR.fields if _holds_numbers(field)]
    transaction = kind.DESCRIPTOR.fields_by_name.get("transaction")
    contract = transaction.message_type.fields_by_name.keys() if transaction else ()

    def write(value: bytes) -> bytes:
        fields = orjson.loads(value)
        if transaction and (declared := fields["transaction"].keys() - contract):
            for name in declared:
                del fields["transaction"][name]
        for name in lists:
            fields[name] = [{} if number is None else {"value": number} for number in fields[name]]
        return bytes(kind(**fields).SerializeToString())

    return write


@cache
def message_class(event: type[msgspec.Struct]) -> type[Message]:
    """The class of an event's message. Each event has a descriptor pool of its own, because events share message names."""
    pool = DescriptorPool()
    pool.Add(protobuf_schemas.descriptor(event))
    kind: type[Message] = GetMessageClass(pool.FindMessageTypeByName(f"{NAMESPACES[event]}.{event.__name__}"))
    return kind


def _plain(message: Any) -> dict[str, Any]:
    """The fields that are set, plus None for nullable fields and empty lists and maps."""
    absent, composed = _layout(message.DESCRIPTOR)
    found = dict(absent)
    for field, value in message.ListFields():
        name = field.name
        found[name] = _value(field, value) if name in composed else value
    return found


@cache
def _layout(descriptor: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Values of the fields that are not set, and the names of the fields that need conversion."""
    absent: dict[str, Any] = dict.fromkeys(NULLABLE[descriptor.name])
    for field in descriptor.fields:
        if field.is_repeated:
            absent[field.name] = {} if _is_map(field) else []
    composed = {
        field.name for field in descriptor.fields if field.is_repeated or field.message_type is not None
    }
    return absent, frozenset(composed)


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _value(field: Any, value: Any) -> Any:
    if field.message_type is None:
        return list(value) if field.is_repeated else value
    if _is_map(field):
        content = field.message_type.fields_by_name["value"]
        return {key: _plain(each) if content.message_type else each for key, each in value.items()}
    if _holds_numbers(field):
        return [number.value if number.HasField("value") else None for number in value]
    return [_plain(each) for each in value] if field.is_repeated else _plain(value)


def _holds_numbers(field: Any) -> bool:
    return bool(field.is_repeated and field.message_type is not None and field.message_type.name == NUMBER)
