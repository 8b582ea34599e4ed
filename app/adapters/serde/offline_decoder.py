"""Records in any format, read beside the workers: every reader here may wait for the schema registry.

``decoder`` gives events of one kind; ``readable`` gives the values of the service's own topics as JSON.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.schema_cache import SchemaCache
from app.adapters.schema_registry.wire_format import is_framed
from app.errors import InvalidEvent
from app.settings import STREAM_EVENTS, RegistrySettings, Settings, Stream

if TYPE_CHECKING:
    from app.adapters.serde.event_decoder import ChangeSchemas

_log = logging.getLogger(__name__)

_STREAMS = (Stream.DECISIONS, Stream.ALERTS, Stream.LABELS)

Readable = Callable[[Any], bytes | None]
"""From a record to its value as JSON. A value that is JSON already, or cannot be decoded, is returned unchanged."""


def decoder(
    settings: RegistrySettings,
    event: type[msgspec.Struct],
    of_json: Callable[[Any], Any],
    changes: "ChangeSchemas | None" = None,
) -> Callable[[Any], Any]:
    """A function from a record to an ``event``; ``of_json`` decodes records without a schema id. See EventDecoder.

    The function blocks while it fetches a schema that it meets for the first time. It raises InvalidEvent for a record
    that cannot be decoded, and RegistryAway where the registry does not answer.
    """
    if not settings.url:
        return of_json
    require_extra("FRAUDSTREAM_REGISTRY_URL")
    from app.adapters.schema_registry.client import RegistryClient  # noqa: PLC0415  # the extra brings its imports
    from app.adapters.serde.event_decoder import EventDecoder  # noqa: PLC0415  # as above

    schemas = SchemaCache(RegistryClient(settings), most_bytes=settings.cached_schemas_bytes)
    decode_event = EventDecoder(event, of_json, schemas, changes=changes)

    def decode(record: Any) -> Any:
        for key in decode_event.missing([record]):
            schemas.find_or_fetch(key)
        return decode_event(record)

    return decode


def readable(settings: Settings) -> Readable:
    """A Readable of decisions, alerts and labels; records of other topics are returned unchanged.

    It fetches schemas and blocks as ``decoder`` does, and raises RegistryAway where the registry does not answer. Where no registry is
    set, a value with a schema id is returned unchanged, since anyone with the right to write may have sent it; the first one of each
    topic is logged with the setting to set.
    """
    kinds = {settings.topics.name_of(stream): STREAM_EVENTS[stream] for stream in _STREAMS}
    decoders: dict[str, Readable] = {}

    def read(record: Any) -> bytes | None:
        if record.topic not in kinds or not is_framed(record.value, record.headers):
            return _unchanged(record)
        if record.topic not in decoders:
            decoders[record.topic] = _to_json(settings.registry, kinds[record.topic], record.topic)
        return decoders[record.topic](record)

    return read


def _to_json(settings: RegistrySettings, event: type[msgspec.Struct], topic: str) -> Readable:
    if not settings.url:
        _log.warning(
            "%s holds values with a schema id (Avro or Protobuf), which are left out. Set FRAUDSTREAM_REGISTRY_URL to read them.",
            topic,
        )
        return _unchanged
    decode = decoder(settings, event, _without_schema_id)

    def to_json(record: Any) -> bytes | None:
        try:
            return msgspec.json.encode(decode(record))
        except InvalidEvent:
            return _unchanged(record)

    return to_json


def _unchanged(record: Any) -> bytes | None:
    value: bytes | None = record.value
    return value


def _without_schema_id(_: Any) -> Any:
    raise AssertionError("only values with a schema id are decoded here")
