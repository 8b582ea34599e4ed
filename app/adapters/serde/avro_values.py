"""Values in Avro: read with the schema they were written with, resolved to ours; written with ours."""

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

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde import avro_schemas
from app.errors import InvalidEvent, InvalidReason

MESSAGE_LENGTH = 200
"""Of what fastavro says about schemas, which it prints whole."""


def reader(writer: WriterSchema, event: type[msgspec.Struct]) -> Callable[[Framed], dict[str, Any]]:
    """Reads an event's fields by Avro's rules of resolution: an older writer lacks what has a default, of a newer one
    what we do not know is passed over. Raises InvalidEvent, also where ``writer`` is no Avro.
    """
    try:
        written = _parse(writer)
    except Exception as error:  # noqa: BLE001  # fastavro fails of odd schemas in any way; what got out would end the worker at this record for ever
        raise InvalidEvent(
            InvalidReason.SCHEMA_MISMATCH, f"its schema is no Avro that can be read ({type(error).__name__})"
        ) from None
    ours = (
        None if to_parsing_canonical_form(written) == _canonical(event) else _ours(event)
    )  # then none to resolve

    def read(value: Framed) -> dict[str, Any]:
        source = BytesIO(value.payload)
        try:
            # A record, for ours is one: another would have been no match.
            fields = cast(dict[str, Any], schemaless_reader(source, written, ours))
        except SchemaResolutionError as error:
            raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, str(error)[:MESSAGE_LENGTH]) from None
        except Exception as error:  # noqa: BLE001  # as above, of anybody's bytes; only the kind of error is told, which quotes none of them
            raise InvalidEvent(
                InvalidReason.UNDECODABLE, f"the value does not fit its schema ({type(error).__name__})"
            ) from None
        if source.read(1):
            raise InvalidEvent(InvalidReason.UNDECODABLE, "the value is longer than its schema says")
        return fields

    return read


def writer(event: type[msgspec.Struct]) -> Callable[[bytes], bytes]:
    """From an event's JSON to its Avro: what is published is the same in each format."""
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


def _parse(writer: WriterSchema) -> Schema:
    named: dict[str, Any] = {}
    for text in writer.references:
        parse_schema(_bare(json.loads(text)), named)
    return parse_schema(_bare(json.loads(writer.text)), named)


def _bare(schema: Any) -> Any:
    """Without logical types: ours are numbers and text, and a timestamp in milliseconds is one of these numbers."""
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _bare(part) for name, part in schema.items() if name != "logicalType"}
    return schema
