"""Kafka records as values: no Kafka client is needed to make or to read them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

Headers = Sequence[tuple[str, bytes]]
"""Names and values. A name that is not UTF-8 is decoded with ``surrogateescape``, which keeps its bytes."""


class Unreadable(bytes):
    """The stored bytes of a record that cannot be parsed, in place of its value. It has no key and no headers."""

    why: str


CLAIM_KEY = b"\0owner"
"""Key of the record that claims a partition. No state has it: ids hold no control characters. Its value is None, so that a
reader of states removes what never existed.
"""
CLAIM_TOPIC_ID = "topic_id"
"""Header of a claim: the id of the topic for which it was made, as hexadecimal digits. A copy of the topic has another id."""


def claimed_topic_id(headers: Headers) -> str:
    """The topic id in the headers of a claim; empty for a claim of a release that did not name it."""
    named = (value for name, value in headers if name == CLAIM_TOPIC_ID)
    return (next(named, None) or b"").decode("ascii", "replace")


class Record(Protocol):
    """A consumed record; the Kafka client's ConsumerRecord is one."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Headers: ...


class OutRecord(msgspec.Struct, frozen=True, gc=False):
    """A record to be sent; None as timestamp is now. Three are made for a transaction, so each must be cheap."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    headers: Headers = ()


class TopicBatch(NamedTuple):
    """Records for one partition of one topic, in the order in which they are sent."""

    topic: str
    partition: int
    records: Sequence[OutRecord]
