"""Chooses the decoder of the transactions topic by the settings."""

from collections.abc import Callable
from typing import Any

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import TABLE_SETTING, load_mapping
from app.adapters.serde.json_codec import decode_transaction
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.settings import Settings

Decode = Callable[[Any], Transaction | Ignored]
"""A function from a consumer's record to a transaction, or to why it is ignored. Raises InvalidEvent."""


def decode_plain(record: Any) -> Transaction:
    """The transaction in a plain JSON record. Raises InvalidEvent."""
    return decode_transaction(record.value)


def decoder_for(settings: Settings) -> Decode:
    """The decoder by FRAUDSTREAM_CDC_MAPPING. Raises ConfigurationError where that names no usable mapping."""
    if not settings.cdc.mapping:
        return decode_plain
    mapping = load_mapping(settings.cdc.mapping, TABLE_SETTING, settings.mapping.token_key_file)
    return ChangeEvents(mapping, score_updates=settings.cdc.updates == "score").decode
