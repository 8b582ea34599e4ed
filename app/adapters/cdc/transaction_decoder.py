"""How the records of the transactions topic are read, by the settings."""

from collections.abc import Callable
from typing import Any

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import TABLE_SETTING, load_mapping
from app.adapters.serde.json_codec import decode_transaction
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.settings import Settings

Decode = Callable[[Any], Transaction | Ignored]
"""Of a consumer's record. Raises InvalidEvent."""


def decode_plain(record: Any) -> Transaction:
    """JSON of the contract, and nothing else."""
    return decode_transaction(record.value)


def decoder_for(settings: Settings) -> Decode:
    """Raises ConfigurationError where the mapping of a table cannot be used."""
    if not settings.cdc.mapping:
        return decode_plain
    mapping = load_mapping(settings.cdc.mapping, TABLE_SETTING)
    return ChangeEvents(mapping, score_updates=settings.cdc.updates == "score").decode
