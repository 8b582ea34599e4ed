"""Kafka's Metadata request, version 12: topics with their ids, without creating missing ones.

aiokafka's own request ends at version 5, which has no topic ids. Brokers support it since Kafka 3.1.
"""

from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32

from app.adapters.kafka.protocol.versioned import NO_TAGS, VersionedRequest, array, structure

NO_ID = UUID(int=0)


class Uuid:
    """A type of aiokafka's schemas: 16 bytes, most significant first."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


METADATA = VersionedRequest(
    "Metadata",
    api_key=3,
    api_version=12,
    sent=structure(
        ("topics", array(("topic_id", Uuid), ("topic", CompactString()))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
    ),
    received=structure(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            array(("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString())),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            array(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    ),
)


def describe_topics(names: list[str] | None) -> Any:
    """Ask for the named topics, or for all when ``names`` is None; never creates a missing topic."""
    wanted = None if names is None else [(NO_ID, name, NO_TAGS) for name in names]
    return METADATA(wanted, False, False)
