"""From a schema that a value was written with to the reader of such values."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde import avro_values, protobuf_values
from app.errors import InvalidEvent, InvalidReason

Reader = Callable[[Framed], dict[str, Any]]


def reader(writer: WriterSchema, event: type[msgspec.Struct]) -> Reader:
    """The fields of an event, not yet held against the domain. Where the schema cannot be read, every value of it is
    invalid for that reason.
    """
    try:
        if writer.kind == AVRO:
            return avro_values.reader(writer, event)
        return protobuf_values.reader(writer, event) if writer.kind == PROTOBUF else _read_json
    except InvalidEvent as error:
        return _refusing(error)


def _read_json(value: Framed) -> dict[str, Any]:
    """Confluent's JSON serializer puts a schema's id before plain JSON."""
    try:
        return msgspec.json.decode(value.payload, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InvalidEvent(
            InvalidReason.NOT_JSON, f"the value is not JSON ({type(error).__name__})"
        ) from None


def _refusing(error: InvalidEvent) -> Reader:
    def refuse(_: Framed) -> dict[str, Any]:
        raise InvalidEvent(error.reason, error.detail)

    return refuse
