"""Records of one kind of event in any format, for who reads a topic beside the workers and has time to ask the
registry.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.schema_cache import SchemaBook
from app.settings import RegistrySettings


def decoder(
    settings: RegistrySettings, event: type[msgspec.Struct], of_json: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """``of_json`` reads a record without a schema's id. Blocks when a record brings a new schema's id. What it gives
    raises InvalidEvent, and RegistryAway: what a worker made of the record is not known then.
    """
    if not settings.url:
        return of_json
    require_extra("FRAUDSTREAM_REGISTRY_URL")
    from app.adapters.schema_registry.client import Registry  # noqa: PLC0415
    from app.adapters.serde.event_decoder import EventDecoder  # noqa: PLC0415

    book = SchemaBook(Registry(settings))
    known = EventDecoder(event, of_json, book)

    def decode(record: Any) -> Any:
        for key in known.missing([record]):
            book.learnt(key)
        return known(record)

    return decode
