"""From a chunk's records to transactions that may change profiles, and what is none: decoded, accepted, rejected."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from app.adapters.cdc.transaction_decoder import Decode, decode_plain
from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import Record
from app.domain.acceptance import Acceptance
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from app.features.state import EMPTY, lineage


class SourceLog(NamedTuple):
    """The log that profiles are folded from. A topic that was deleted and made again has another topic id."""

    topic: str
    topic_id: int
    partitions: int = 0
    """Among which keys are placed by murmur2; 0 where another rule places them."""
    decode: Decode = decode_plain
    """How its records are read."""

    def misplaced(self, keys: Sequence[bytes], found_in: Sequence[int]) -> list[int]:
        """Indexes of the keys that belong to another partition than they were ``found_in``: their profiles are there."""
        if not self.partitions or not keys:
            return []
        found: list[int] = np.flatnonzero(partitions_of(keys, self.partitions) != found_in).tolist()
        return found


class Rejected(NamedTuple):
    """A record that will never be scored."""

    record: Record
    error: InvalidEvent


class Accepted(NamedTuple):
    """A record that may change its customer's profile."""

    record: Record
    transaction: Transaction
    place: int
    """Index of the profile."""


class Before(NamedTuple):
    """The profiles of a chunk's customers, as the chunks before it left them."""

    places: dict[bytes, int]
    """Index in ``profiles`` of each key."""
    profiles: list[bytes]
    """Of all chunks that are applied together."""
    misplaced: set[bytes]
    """Keys that belong to another partition."""

    def require_placed(self, key: bytes) -> None:
        """Raise InvalidEvent for a key whose profile another partition has."""
        if key in self.misplaced:
            raise InvalidEvent(InvalidReason.WRONG_PARTITION, "murmur2 puts its key in another partition")

    def has_applied(self, record: Record, topic_id: int) -> bool:
        """A replay: its customer's profile is past it, so what it became was delivered before."""
        if not record.key:
            return False
        applied_in, applied_offset = lineage(self.profiles[self.places[record.key]] or EMPTY)
        return applied_in == topic_id and bool(record.offset <= applied_offset)


class Read(NamedTuple):
    """A chunk's records, decoded. One that was replayed is neither rejected nor ignored."""

    accepted: list[Accepted]
    rejected: list[Rejected]
    ignored: list[Ignored]
    """Why records are no transactions."""


def read(
    records: Iterable[Record], before: Before, log: SourceLog, acceptance: Acceptance, now_ms: int
) -> Read:
    """Records of one chunk, in their order."""
    found = Read([], [], [])
    decode, topic_id = log.decode, log.topic_id
    reference_time, check = acceptance.reference_time, acceptance.check
    for record in records:
        try:
            transaction = decode(record)
            if isinstance(transaction, Ignored):
                if not before.has_applied(record, topic_id):
                    found.ignored.append(transaction)
                continue
            key = record.key or b""
            check(transaction, key=key, reference_ms=reference_time(record.timestamp, now_ms))
            before.require_placed(key)
        except InvalidEvent as error:
            if not before.has_applied(record, topic_id):
                found.rejected.append(Rejected(record, error))
        else:
            found.accepted.append(Accepted(record, transaction, before.places[key]))
    return found
