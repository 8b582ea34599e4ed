"""Records in any format to one kind of event: JSON as ever, or what the schema that a value names makes of it.

A value with a schema's id needs its schema at hand: ``missing`` says which are not, before a chunk is decoded.
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
    Absent.UNKNOWN: (InvalidReason.UNKNOWN_SCHEMA, "the schema registry knows no schema of this id"),
    Absent.AWAY: (
        InvalidReason.REGISTRY_AWAY,
        "the schema registry did not answer, and the schema's id is new",
    ),
}


class EventDecoder:
    """``of_json`` decodes a record without a schema's id; the others are read as ``event`` and become ``into``, which
    has some of its fields, where it is given. Never asks the registry: see SchemaCache.
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
        """Raises InvalidEvent."""
        value = record.value
        if value and value[0] and not record.headers:
            return self._of_json(record)
        if not is_framed(value, record.headers):
            return self._of_json(record)
        return convert(self.fields(record), self._into)

    def fields(self, record: Any) -> dict[str, Any]:
        """Of a record whose value comes with a schema's id. Raises InvalidEvent."""
        value = framed(record.value, record.headers)
        read = self._readers.get(value.schema) or self._reader(value.schema)
        return read(value)

    def missing(self, records: Iterable[Any]) -> list[bytes]:
        """Ids whose schemas are not at hand, each once."""
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
    """None where there is none to ask for: that is told when the record is decoded."""
    try:
        return framed(record.value, record.headers).schema
    except InvalidEvent:
        return None
