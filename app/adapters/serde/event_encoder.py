"""Encodes decisions and alerts in the format that FRAUDSTREAM_REGISTRY_OUTPUT_FORMAT selects."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from app.adapters.kafka.records import Headers
from app.adapters.schema_registry.wire_format import HEADER, number_key
from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde.json_codec import encode_event
from app.settings import RegistrySettings

_FIRST_MESSAGE = b"\0"
"""Index of the first message of a Protobuf file, in Confluent's wire format."""
_TYPES = {AVRO: b"application/avro", PROTOBUF: b"application/protobuf"}


class Encoding(NamedTuple):
    """A function from an event to its value, and the headers of every such record."""

    encode: Callable[[Any], bytes]
    headers: Headers


JSON_ENCODING = Encoding(encode_event, (("content-type", b"application/json"),))


def own_schema(event: type[msgspec.Struct], output_format: str) -> WriterSchema:
    """The service's own schema of an event, as registered; ``output_format`` is avro or protobuf."""
    from app.adapters.serde import avro_schemas, protobuf_schemas  # noqa: PLC0415  # an extra brings what they need

    if output_format == "avro":
        return WriterSchema(AVRO, avro_schemas.text(event))
    return WriterSchema(PROTOBUF, protobuf_schemas.text(event))


def encoding(event: type[msgspec.Struct], settings: RegistrySettings, schema_id: int) -> Encoding:
    """The encoding of an event whose schema is registered with this id."""
    from app.adapters.serde import avro_values, protobuf_values  # noqa: PLC0415  # as above

    avro = settings.output_format == "avro"
    write = avro_values.writer(event) if avro else protobuf_values.writer(event)
    content_type = ("content-type", _TYPES[AVRO if avro else PROTOBUF])
    key = number_key(schema_id) + (b"" if avro else _FIRST_MESSAGE)
    if settings.schema_id_in == "header":
        return Encoding(lambda value: write(encode_event(value)), (content_type, (HEADER, key)))
    return Encoding(lambda value: key + write(encode_event(value)), (content_type,))
