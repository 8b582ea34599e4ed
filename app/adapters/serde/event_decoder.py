"""Decodes records of one kind of event: plain JSON, or Avro, Protobuf or JSON with a schema id.

Decoding never waits for the registry. Before a chunk is decoded, ``missing`` lists the schemas to fetch into the cache.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from app.adapters.schema_registry.schema_cache import Absent, SchemaCache
from app.adapters.schema_registry.wire_format import Framed, framed, is_framed
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde.json_codec import convert
from app.adapters.serde.schema_readers import reader
from app.errors import InvalidEvent, InvalidReason
from app.settings.kinds import variable

WHY_ABSENT = {
    Absent.UNKNOWN: (InvalidReason.UNKNOWN_SCHEMA, "the schema registry has no schema with this id"),
    Absent.AWAY: (
        InvalidReason.REGISTRY_AWAY,
        "the schema registry did not answer, and the schema with this id is not cached",
    ),
    Absent.TOO_LARGE: (
        InvalidReason.SCHEMA_MISMATCH,
        f"its schema, with those that it references, is longer than {variable('registry', 'schema_bytes')} allows",
    ),
    Absent.NO_ROOM: (
        InvalidReason.UNKNOWN_SCHEMA,
        f"its schema is not cached, and the cached ones have the length of {variable('registry', 'cached_schemas_bytes')}",
    ),
}
"""The reason and the detail of a record whose schema is not there."""


FramedDecoder = Callable[[Framed, Any], Any]
"""A function from a framed value and its record to an event. Raises InvalidEvent."""


class ChangeSchemas(Protocol):
    """Recognises the schemas of change events, whose records are not events themselves."""

    def decoder(self, schema: WriterSchema) -> FramedDecoder | None:
        """The decoder of values of this schema; None where it is not one of change events."""


class EventDecoder:
    """Decodes a record without a schema id with ``of_json``, others by the schemas in a SchemaCache.

    Records with a schema id are read as ``event`` and converted to ``into``, a struct with some of its fields; ``event``
    itself by default. Those whose schema ``changes`` recognises are decoded by it.
    """

    def __init__(
        self,
        event: type[msgspec.Struct],
        of_json: Callable[[Any], Any],
        book: SchemaCache,
        into: type[msgspec.Struct] | None = None,
        changes: ChangeSchemas | None = None,
    ) -> None:
        self._event = event
        self._into = into or event
        self._of_json = of_json
        self._book = book
        self._changes = changes
        self._decoders: dict[bytes, FramedDecoder] = {}

    def __call__(self, record: Any) -> Any:
        """The event in the record. Raises InvalidEvent."""
        value = record.value
        if value and value[0] and not record.headers:
            return self._of_json(record)
        if value is None or not is_framed(value, record.headers):
            return self._of_json(record)
        found = framed(value, record.headers)
        decode = self._decoders.get(found.schema) or self._decoder(found.schema)
        return decode(found, record)

    def missing(self, records: Iterable[Any]) -> list[bytes]:
        """The schema ids in the records whose schemas are not cached, without duplicates."""
        found: dict[bytes, None] = {}
        for record in records:
            value = record.value
            if value is None or (value and value[0] and not record.headers):
                continue
            if is_framed(value, record.headers) and (key := _key(record)) is not None:
                found[key] = None
        return [key for key in found if key not in self._decoders and self._book.find(key) is None]

    def _decoder(self, key: bytes) -> FramedDecoder:
        schema = self._book.last_known(key)
        if isinstance(schema, Absent):
            raise InvalidEvent(*WHY_ABSENT[schema])
        of_change = None if self._changes is None else self._changes.decoder(schema)
        self._decoders[key] = of_change or self._of_event(schema)
        return self._decoders[key]

    def _of_event(self, schema: WriterSchema) -> FramedDecoder:
        read, into = reader(schema, self._event), self._into
        return lambda value, _: convert(read(value), into)


def _key(record: Any) -> bytes | None:
    """The schema id, None where it is malformed: decoding the record raises InvalidEvent then."""
    try:
        return framed(record.value, record.headers).schema
    except InvalidEvent:
        return None
