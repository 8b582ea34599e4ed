"""The subjects under which this product's schemas are registered, and how each may change."""

from typing import NamedTuple

import msgspec

from app.domain.decision import Alert, Decision
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.settings import TopicSettings

BACKWARD, FULL = "BACKWARD", "FULL"


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
    """By the name that commands know them by."""
    return {
        "transactions": Subject(subject_of(topics.transactions), Transaction, BACKWARD),
        "labels": Subject(subject_of(topics.labels), Label, BACKWARD),
        "decisions": Subject(subject_of(topics.decisions), Decision, FULL),
        "alerts": Subject(subject_of(topics.alerts), Alert, FULL),
    }
