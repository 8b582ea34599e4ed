"""Kafka's InitProducerId request, version 4: a producer id, or the next epoch of one.

aiokafka's own request ends at version 0, which cannot name the epoch that it replaces. Brokers support it since Kafka 2.7.
"""

from typing import Any

from aiokafka.protocol.types import CompactString, Int16, Int32, Int64

from app.adapters.kafka.protocol.versioned import VersionedRequest, structure

NO_PRODUCER_ID, NO_EPOCH = -1, -1
_TRANSACTION_TIMEOUT_MS = 60_000
"""Required by the request; no transaction is ever begun."""
_INIT_PRODUCER_ID = VersionedRequest(
    "InitProducerId",
    api_key=22,
    api_version=4,
    sent=structure(
        ("transactional_id", CompactString()),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
    ),
    received=structure(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
    ),
)


def init_producer_id(
    transactional_id: str | None, producer_id: int = NO_PRODUCER_ID, epoch: int = NO_EPOCH
) -> Any:
    """Ask for an identity: a new one without ``transactional_id``, otherwise the next epoch of its producer id.

    With ``producer_id`` and ``epoch`` the broker refuses when they are not the current ones.
    """
    return _INIT_PRODUCER_ID(transactional_id, _TRANSACTION_TIMEOUT_MS, producer_id, epoch)
