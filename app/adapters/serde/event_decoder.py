"""Decodes records of one kind of event: plain JSON, or Avro, Protobuf or JSON with a schema id.

Decoding never waits for the registry. Before a chunk is decoded, ``missing`` lists the schemas to fetch into the cache.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from app.adapters.schema_registry.schema_cache import Absent, SchemaCache
from app.adapters.schema_registry.wire_format import framed, is_framed
from app.adapters.serde.json_codec import convert
from app.adapters.serde.schema_readers import Reader, reader
from app.errors import InvalidEvent, InvalidReason

_WHY = {
    Absent.UNKNOWN: (InvalidReason.UNKNOWN_SCHEMA, "the schema registry has no schema with this id"),
    Absent.AWAY: (
        InvalidReason.REGISTRY_AWAY,
        "the schema registry did not answer, and the schema with this id is not cached",
    ),
}


class EventDecoder:
    """Decodes a record without a schema id with ``of_json``, others by the schemas in a SchemaCache.

    Records with a schema id are read as ``event`` and converted to ``into``, a struct with some of its fields; ``event``
    itself by default.
    """

    def __init__(
        self,
        event: type[msgspec.Struct],
        of_json: Callable[[Any], Any],
        book: SchemaCache,
        into: type[msgspec.Struct] | None = None,
    ) -> None:
        self._event = event
        self._into = into or event
        self._of_json = of_json
        self._book = book
        self._readers: dict[bytes, Reader] = {}

    def __call__(self, record: Any) -> Any:
        """The event in the record. Raises InvalidEvent."""
        value = record.value
        if value and value[0] and not record.headers:
            return self._of_json(record)
        if not is_framed(value, record.headers):
            return self._of_json(record)
        return convert(self.fields(record), self._into)

    def fields(self, record: Any) -> dict[str, Any]:
        """The fields of a record that has a schema id. Raises InvalidEvent."""
        value = framed(record.value, record.headers)
        read = self._readers.get(value.schema) or self._reader(value.schema)
        return read(value)

    def missing(self, records: Iterable[Any]) -> list[bytes]:
        """The schema ids in the records whose schemas are not cached, without duplicates."""
        found: dict[bytes, None] = {}
        for record in records:
            value = record.value
            if value and value[0] and not record.headers:
                continue
            if is_framed(value, record.headers) and (key := _key(record)) is not None:
                found[key] = None
        return [key for key in found if key not in self._readers and self._book.find(key) is None]

    def _reader(self, key: bytes) -> Reader:
        schema = self._book.last_known(key)
        if isinstance(schema, Absent):
            raise InvalidEvent(*_WHY[schema])
        self._readers[key] = reader(schema, self._event)
        return self._readers[key]


def _key(record: Any) -> bytes | None:
    """The schema id, None where it is malformed: decoding the record raises InvalidEvent then."""
    try:
        return framed(record.value, record.headers).schema
    except InvalidEvent:
        return None
