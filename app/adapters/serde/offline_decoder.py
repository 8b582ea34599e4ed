"""What the topics of this product hold, as JSON whatever its format: for everything that reads them beside the
workers.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.schema_cache import SchemaBook
from app.adapters.schema_registry.wire_format import is_framed
from app.domain.decision import Alert, Decision
from app.domain.label import Label
from app.errors import ConfigurationError, InvalidEvent
from app.settings import RegistrySettings, Settings

Readable = Callable[[Any], bytes | None]
"""From a record to its value in JSON, as it would be published in JSON. What is JSON already, and what cannot be
read, is given back as it is.
"""


def readable(settings: Settings) -> Readable:
    """Of decisions, alerts and labels; records of other topics are left alone. Asks the registry for a schema when
    the first of its values comes, and blocks meanwhile. The Readable raises ConfigurationError where a value needs a
    registry and none is set, and RegistryAway.
    """
    topics = settings.topics
    kinds: dict[str, type[msgspec.Struct]] = {
        topics.decisions: Decision,
        topics.alerts: Alert,
        topics.labels: Label,
    }
    decoders: dict[str, Callable[[Any], bytes | None]] = {}

    def read(record: Any) -> bytes | None:
        if record.topic not in kinds or not is_framed(record.value, record.headers):
            value: bytes | None = record.value
            return value
        if record.topic not in decoders:
            decoders[record.topic] = _through_registry(settings.registry, kinds[record.topic], record.topic)
        return decoders[record.topic](record)

    return read


def _through_registry(
    settings: RegistrySettings, event: type[msgspec.Struct], topic: str
) -> Callable[[Any], bytes | None]:
    if not settings.url:
        raise ConfigurationError(
            f"{topic} holds values in Avro or Protobuf. Set FRAUDSTREAM_REGISTRY_URL to read them."
        )
    require_extra("FRAUDSTREAM_REGISTRY_URL")
    from app.adapters.schema_registry.client import Registry  # noqa: PLC0415
    from app.adapters.serde.event_decoder import EventDecoder  # noqa: PLC0415

    book = SchemaBook(Registry(settings))
    decoder = EventDecoder(event, _not_called, book)

    def decode(record: Any) -> bytes | None:
        for key in decoder.missing([record]):
            book.learnt(key)
        try:
            return msgspec.json.encode(decoder(record))
        except InvalidEvent:
            value: bytes | None = record.value
            return value

    return decode


def _not_called(_: Any) -> Any:
    raise AssertionError("only values with a schema's id come here")
