"""Avro values: read with the writer's schema, resolved to the service's own, and written with the latter."""

import json
import math
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple, cast

import msgspec
import orjson
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from fastavro.schema import to_parsing_canonical_form
from fastavro.types import Schema

from app.adapters.bounded_json import refuse_too_deep
from app.adapters.library_errors import Translated
from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde import avro_schemas
from app.adapters.serde.avro_enums import enums_as_strings
from app.adapters.serde.avro_free_values import has_too_many
from app.adapters.serde.avro_nesting import MAX_TYPE_NESTING, type_nesting
from app.errors import InvalidEvent, InvalidReason

LOGICAL_TYPE = "writer.logicalType"
"""The key of the logical type in a parsed schema."""
MESSAGE_LENGTH = 200
"""Characters kept of a message of fastavro, which quotes whole schemas."""


class Parsed(NamedTuple):
    """A parsed schema, and all named types in it and in its references by their full name."""

    schema: Schema
    named: dict[str, Any]


def parse(writer: WriterSchema) -> Parsed:
    """The schema of a value. Raises InvalidEvent when it is not an Avro schema that can be read."""
    with _READING_SCHEMA:
        parsed = _parse(writer)
        levels = type_nesting(*parsed)
        if levels > MAX_TYPE_NESTING:
            # A value of such a schema may be nested as deep, and the compiled reader has no bound.
            how = "recursive" if math.isinf(levels) else f"nested deeper than {MAX_TYPE_NESTING} types"
            raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, f"its schema is {how}")
        if has_too_many(*parsed):
            raise InvalidEvent(
                InvalidReason.SCHEMA_MISMATCH, "its schema allows any number of values that take no bytes"
            )
    return parsed


def reader(writer: WriterSchema, event: type[msgspec.Struct]) -> Callable[[Framed], dict[str, Any]]:
    """A function from a value to the fields of an ``event``, by Avro's rules of schema resolution: a field that the
    writer lacks takes its default, a field that only the writer has is skipped.

    Raises InvalidEvent when ``writer`` is not an Avro schema; the function raises it for a value that does not fit.
    """
    written = parse(writer).schema
    with _READING_SCHEMA:
        if to_parsing_canonical_form(written) == _canonical(event):
            return record_reader(written)  # equal schemas need no resolution, which is slower
        return record_reader(*enums_as_strings(written, _ours(event)))


def record_reader(written: Schema, ours: Schema | None = None) -> Callable[[Framed], dict[str, Any]]:
    """A function from a value to the fields of a record, resolved to ``ours``. It raises InvalidEvent."""

    def read(value: Framed) -> dict[str, Any]:
        source = BytesIO(value.payload)
        try:
            # A record: ``ours`` is one, and resolution against any other type would have failed.
            fields = cast(dict[str, Any], schemaless_reader(source, written, ours))
        except SchemaResolutionError as error:
            raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, str(error)[:MESSAGE_LENGTH]) from None
        except Exception as error:  # noqa: BLE001  # see Translated, which would cost time for each value here and keep the text of the error, which may quote the value
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


def _unusable(error: Exception) -> InvalidEvent:
    text = f"its schema cannot be read as Avro ({type(error).__name__})"
    return InvalidEvent(InvalidReason.SCHEMA_MISMATCH, text)


_READING_SCHEMA = Translated(_unusable, InvalidEvent)


def _parse(writer: WriterSchema) -> Parsed:
    """Raises an exception of any kind."""
    named: dict[str, Any] = {}
    for text in (*writer.references, writer.text):
        refuse_too_deep(text.encode())
        schema = parse_schema(_bare(json.loads(text)), named)
    return Parsed(schema, named)


def _bare(schema: Any) -> Any:
    """The schema with its logical types under another name: values are read as the types beneath, exactly. The service's
    timestamps are plain integers of milliseconds.
    """
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if isinstance(schema, dict):
        return {LOGICAL_TYPE if name == "logicalType" else name: _bare(part) for name, part in schema.items()}
    return schema
