"""Records to be sent, as values: no Kafka client is needed to make them."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

Headers = Sequence[tuple[str, bytes]]


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
