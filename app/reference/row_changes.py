"""From records of reference topics to the changes of rows in them, with a schema registry or without."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from app.adapters.cdc.reference_events import ReferenceChange, read_change
from app.adapters.kafka.records import Record
from app.adapters.schema_registry.registry_extra import require_extra
from app.errors import InvalidEvent
from app.settings import Settings

ValueOf = Callable[[Record], bytes | None]
"""From a record to its value in JSON. May raise InvalidEvent, and block."""

_log = structlog.get_logger("reference")


def plain_value(record: Record) -> bytes | None:
    """The value of a record without a schema id."""
    return record.value


def changes(
    records: Sequence[Record],
    kind_of: Mapping[str, str],
    value_of: ValueOf = plain_value,
    on_refused: Callable[[int], None] = lambda _: None,
) -> list[ReferenceChange]:
    """The row changes in the records. Those that are no change events are left out, and ``on_refused`` receives their number.

    Raises RegistryAway where ``value_of`` does.
    """
    found, refused = [], []
    for record in records:
        try:
            change = read_change(kind_of[record.topic], value_of(record))
        except InvalidEvent as error:
            refused.append((f"{record.topic}-{record.partition}:{record.offset}", error.detail))
            continue
        if change is not None:
            found.append(change)
    if refused:  # once for a batch: anyone with the right to write could fill a log
        first, why = refused[0]
        _log.warning("not_a_change_event", records=len(refused), first=first, why=why)
        on_refused(len(refused))
    return found


def value_reader(settings: Settings) -> ValueOf:
    if not settings.registry.url:
        return plain_value
    require_extra("FRAUDSTREAM_REGISTRY_URL")
    from app.adapters.cdc.values_as_json import ValuesAsJson  # noqa: PLC0415  # imports an optional extra
    from app.adapters.schema_registry.client import RegistryClient  # noqa: PLC0415  # as above

    return ValuesAsJson(RegistryClient(settings.registry), settings.registry.cached_schemas_bytes)
