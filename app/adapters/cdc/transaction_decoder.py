"""Chooses the decoder of the transactions topic by the settings."""

from collections.abc import Callable
from typing import Any, NamedTuple

from app.adapters.catalog_file.deployed import declared
from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import TABLE_SETTING, load_mapping
from app.adapters.serde.json_codec import decode_transaction, transaction_decoder
from app.catalog.transaction_type import transaction_type
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.settings import Settings

Decode = Callable[[Any], Transaction | Ignored]
"""A function from a consumer's record to a transaction, or to why it is ignored. Raises InvalidEvent."""


class Decoding(NamedTuple):
    """How the records of the transactions topic are read."""

    of_json: Decode
    """Decodes a record without a schema id."""
    changes: ChangeEvents | None = None
    """Decodes change events with a schema id; None where a topic has none."""
    event: type[Transaction] = Transaction
    """The type of the transactions, with the declared fields of a catalog."""


def decode_plain(record: Any) -> Transaction:
    """The transaction in a plain JSON record. Raises InvalidEvent."""
    return decode_transaction(record.value)


def decoding_of(settings: Settings) -> Decoding:
    """By FRAUDSTREAM_CDC_MAPPING and FRAUDSTREAM_CATALOG_FILE. Raises ConfigurationError where one names nothing usable."""
    fields = declared(settings.catalog.file)
    event = transaction_type(fields)
    if not settings.cdc.mapping:
        return Decoding(_plain(event), event=event)
    mapping = load_mapping(settings.cdc.mapping, TABLE_SETTING, settings.mapping.token_key_file, fields)
    changes = ChangeEvents(mapping, score_updates=settings.cdc.updates == "score")
    return Decoding(changes.decode, changes, event)


def _plain(event: type[Transaction]) -> Decode:
    if event is Transaction:
        return decode_plain
    decode = transaction_decoder(event)
    return lambda record: decode(record.value)
