"""Chooses the reader of values by the writer's schema."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde import avro_values, protobuf_values
from app.errors import InvalidEvent, InvalidReason

Reader = Callable[[Framed], dict[str, Any]]


def reader(writer: WriterSchema, event: type[msgspec.Struct]) -> Reader:
    """A function from a value to the fields of an ``event``, not yet validated against the domain.

    Where the schema itself is unusable, the function raises InvalidEvent with that reason for every value.
    """
    try:
        if writer.kind == AVRO:
            return avro_values.reader(writer, event)
        return protobuf_values.reader(writer, event) if writer.kind == PROTOBUF else _read_json
    except InvalidEvent as error:
        return _refusing(error)


def _read_json(value: Framed) -> dict[str, Any]:
    """Reads a value of Confluent's JSON serializer: plain JSON after the schema id."""
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
