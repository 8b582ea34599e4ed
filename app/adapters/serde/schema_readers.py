"""Chooses the reader of values by the writer's schema."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde import avro_values, protobuf_values
from app.adapters.serde.json_codec import invalid
from app.errors import InvalidEvent

_fields = BoundedDecoder(dict[str, Any]).decode

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
        return _fields(value.payload)
    except (msgspec.MsgspecError, ValueError) as error:
        raise invalid(value.payload, error) from None


def _refusing(error: InvalidEvent) -> Reader:
    def refuse(_: Framed) -> dict[str, Any]:
        raise InvalidEvent(error.reason, error.detail)

    return refuse
