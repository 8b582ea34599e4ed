"""The subjects under which this product's schemas are registered, and how each may change."""

from typing import NamedTuple

import msgspec

from app.settings import STREAM_EVENTS, Stream, TopicSettings

BACKWARD, FULL = "BACKWARD", "FULL"

_LEVELS = {
    Stream.TRANSACTIONS: BACKWARD,
    Stream.LABELS: BACKWARD,
    Stream.DECISIONS: FULL,
    Stream.ALERTS: FULL,
}
"""The streams whose values may be Avro or Protobuf, and the compatibility of their schemas."""


class Subject(NamedTuple):
    """One topic's values."""

    name: str
    event: type[msgspec.Struct]
    level: str
    """BACKWARD for what we read: a new schema reads what older producers write. FULL for what others read too: old
    readers read what a new release writes.
    """


def subject_of(topic: str) -> str:
    """Of a topic's values: Confluent's TopicNameStrategy, which its serializers use where nothing else is said."""
    return f"{topic}-value"


def subjects(topics: TopicSettings) -> dict[str, Subject]:
    """Every subject by the name of its stream, which is the name that commands accept."""
    return {
        stream.value: Subject(subject_of(topics.name_of(stream)), STREAM_EVENTS[stream], level)
        for stream, level in _LEVELS.items()
    }
