"""Avro values: read with the writer's schema, resolved to the service's own, and written with the latter."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any, cast

import msgspec
import orjson
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from fastavro.schema import to_parsing_canonical_form
from fastavro.types import Schema

from app.adapters.bounded_json import refuse_too_deep
from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde import avro_schemas
from app.adapters.serde.avro_enums import enums_as_strings
from app.adapters.serde.avro_recursion import is_recursive
from app.errors import InvalidEvent, InvalidReason

MESSAGE_LENGTH = 200
"""Characters kept of a message of fastavro, which quotes whole schemas."""


def reader(writer: WriterSchema, event: type[msgspec.Struct]) -> Callable[[Framed], dict[str, Any]]:
    """A function from a value to the fields of an ``event``, by Avro's rules of schema resolution: a field that the
    writer lacks takes its default, a field that only the writer has is skipped.

    Raises InvalidEvent when ``writer`` is not an Avro schema; the function raises it for a value that does not fit.
    """
    ours: Schema | None = None  # equal schemas need no resolution, which is slower
    try:
        written, named = _parse(writer)
        if to_parsing_canonical_form(written) != _canonical(event):
            written, ours = enums_as_strings(written, _ours(event))
    except Exception as error:  # noqa: BLE001  # a producer's schema makes fastavro raise anything, from KeyError to RecursionError; uncaught, this record would stop every worker that reads it
        raise InvalidEvent(
            InvalidReason.SCHEMA_MISMATCH, f"its schema cannot be read as Avro ({type(error).__name__})"
        ) from None
    if is_recursive(written, named):
        # A value of such a schema may be nested without end, and the compiled reader has no bound.
        raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, "its schema is recursive")

    def read(value: Framed) -> dict[str, Any]:
        source = BytesIO(value.payload)
        try:
            # A record: the reader schema is one, and resolution against any other type would have failed.
            fields = cast(dict[str, Any], schemaless_reader(source, written, ours))
        except SchemaResolutionError as error:
            raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, str(error)[:MESSAGE_LENGTH]) from None
        except Exception as error:  # noqa: BLE001  # as above; only the kind of error is reported, because its text may quote the value
            raise InvalidEvent(
                InvalidReason.UNDECODABLE, f"the value does not fit its schema ({type(error).__name__})"
            ) from None
        if source.read(1):
            raise InvalidEvent(InvalidReason.UNDECODABLE, "the value is longer than its schema says")
        return fields

    return read


def writer(event: type[msgspec.Struct]) -> Callable[[bytes], bytes]:
    """A function from an event's JSON to its Avro. Starting from JSON keeps the content equal in every format."""
    ours = _ours(event)

    def write(value: bytes) -> bytes:
        written = BytesIO()
        schemaless_writer(written, ours, orjson.loads(value))
        return written.getvalue()

    return write


@cache
def _ours(event: type[msgspec.Struct]) -> Schema:
    return parse_schema(avro_schemas.schema(event))


@cache
def _canonical(event: type[msgspec.Struct]) -> str:
    return to_parsing_canonical_form(_ours(event))


def _parse(writer: WriterSchema) -> tuple[Schema, dict[str, Any]]:
    """The schema, and all named types in it and its references by their full name. Raises an exception of any kind."""
    named: dict[str, Any] = {}
    for text in (*writer.references, writer.text):
        refuse_too_deep(text.encode())
        schema = parse_schema(_bare(json.loads(text)), named)
    return schema, named


def _bare(schema: Any) -> Any:
    """The schema without logical types: the service's timestamps are plain integers of milliseconds."""
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _bare(part) for name, part in schema.items() if name != "logicalType"}
    return schema
