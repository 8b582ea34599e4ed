"""The subjects under which the service's schemas are registered, and their compatibility levels."""

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
    """The subject of the values of one topic."""

    name: str
    event: type[msgspec.Struct]
    level: str
    """BACKWARD for topics that the service only reads: a new schema reads values of older producers. FULL for topics that
    others read: older readers also read values of a new release.
    """


def subject_of(topic: str) -> str:
    """The subject of a topic's values by Confluent's TopicNameStrategy, the default of its serializers."""
    return f"{topic}-value"


def subjects(topics: TopicSettings) -> dict[str, Subject]:
    """Every subject by the name of its stream, which is the name that commands accept."""
    return {
        stream.value: Subject(subject_of(topics.name_of(stream)), STREAM_EVENTS[stream], level)
        for stream, level in _LEVELS.items()
    }
