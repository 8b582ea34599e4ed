"""Values with a schema id as JSON, read beside the workers: every reader here may wait for the schema registry."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.adapters.cdc import avro_rows
from app.adapters.schema_registry.schema_cache import DEFAULT_BYTES, Absent, SchemaCache, SchemaSource
from app.adapters.schema_registry.wire_format import Framed, framed, is_framed
from app.adapters.schema_registry.writer_schema import AVRO, JSON, WriterSchema
from app.adapters.serde import avro_values
from app.adapters.serde.event_decoder import WHY_ABSENT
from app.errors import InvalidEvent, InvalidReason

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ValuesAsJson:
    """From a record to its value as the JSON converter of Kafka Connect writes it; a value without a schema id is unchanged."""

    def __init__(self, registry: SchemaSource, most_bytes: int = DEFAULT_BYTES) -> None:
        self._schemas = SchemaCache(registry, most_bytes=most_bytes)
        self._readers: dict[bytes, Callable[[Framed], bytes]] = {}

    def __call__(self, record: Any) -> bytes | None:
        """Blocks while it fetches a schema. Raises InvalidEvent, and RegistryAway where the registry does not answer."""
        value: bytes | None = record.value
        if value is None or not is_framed(value, record.headers):
            return value
        found = framed(value, record.headers)
        read = self._readers.get(found.schema) or self._learn(found.schema)
        return read(found)

    def _learn(self, key: bytes) -> Callable[[Framed], bytes]:
        schema = self._schemas.find_or_fetch(key)
        if isinstance(schema, Absent):
            raise InvalidEvent(*WHY_ABSENT[schema])
        self._readers[key] = _reader(schema)
        return self._readers[key]


def _reader(schema: WriterSchema) -> Callable[[Framed], bytes]:
    if schema.kind == JSON:
        return lambda value: value.payload
    if schema.kind != AVRO:
        raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, "its schema is neither Avro nor JSON")
    parsed = avro_values.parse(schema)
    read, convert = avro_values.record_reader(parsed.schema), avro_rows.as_json(parsed)
    return lambda value: _encode(convert(read(value)))
