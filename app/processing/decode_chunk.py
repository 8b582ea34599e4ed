"""Decodes and checks the records of a chunk: each is accepted, rejected or ignored, or was already applied."""

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
    """The source topic of the profiles. A topic that was deleted and created again has another id: it is another log."""

    topic: str
    topic_id: int
    partitions: int = 0
    """Number of partitions among which murmur2 distributes keys; 0 where producers use another rule."""
    decode: Decode = decode_plain
    """Decodes one record."""

    def misplaced(self, keys: Sequence[bytes], found_in: Sequence[int]) -> list[int]:
        """Return the indexes of keys that belong to another partition than ``found_in``, where their profiles are."""
        if not self.partitions or not keys:
            return []
        found: list[int] = np.flatnonzero(partitions_of(keys, self.partitions) != found_in).tolist()
        return found


class Rejected(NamedTuple):
    """An invalid record; it goes to the dead-letter topic."""

    record: Record
    error: InvalidEvent

    @classmethod
    def of(cls, record: Record, error: InvalidEvent) -> "Rejected":
        """With the error's reason and detail, but without its stack: the frames there lead back to all records of the chunk, and
        such a cycle keeps their bytes until a full garbage collection.
        """
        return cls(record, InvalidEvent(error.reason, error.detail))


def state_corrupt() -> InvalidEvent:
    """Why the records of a key are rejected whose stored state cannot be decoded. The state is not overwritten."""
    return InvalidEvent(
        InvalidReason.STATE_CORRUPT,
        "the stored state of its key cannot be decoded: move the data directory aside, then replay the dead letters",
    )


class Accepted(NamedTuple):
    """A valid transaction; the fold decides whether it changes its customer's profile."""

    record: Record
    transaction: Transaction
    profile_index: int
    """Index of its customer's profile in ``StoredProfiles.profiles``."""


class StoredProfiles(NamedTuple):
    """Profiles of a chunk's customers before the chunk is folded."""

    indexes: dict[bytes, int]
    """Index in ``profiles`` of each key."""
    profiles: list[bytes]
    """Encoded profiles of all chunks that are folded together."""
    misplaced: set[bytes]
    """Keys that belong to another partition."""

    def require_placed(self, key: bytes) -> None:
        """Raise InvalidEvent for a key that belongs to another partition, where its profile is."""
        if key in self.misplaced:
            raise InvalidEvent(InvalidReason.WRONG_PARTITION, "murmur2 puts its key in another partition")

    def has_applied(self, record: Record, topic_id: int) -> bool:
        """True when the customer's profile has applied this offset or a later one: its outputs were delivered before."""
        if not record.key:
            return False
        applied_in, applied_offset = lineage(self.profiles[self.indexes[record.key]] or EMPTY)
        return applied_in == topic_id and bool(record.offset <= applied_offset)


class DecodedChunk(NamedTuple):
    """The decoded records of a chunk. An already applied record is neither rejected nor ignored again."""

    accepted: list[Accepted]
    rejected: list[Rejected]
    ignored: list[Ignored]
    """Why each ignored record is not a transaction."""


def decode_records(
    records: Iterable[Record], before: StoredProfiles, log: SourceLog, acceptance: Acceptance
) -> DecodedChunk:
    """Decode and check the records of one chunk, in order."""
    found = DecodedChunk([], [], [])
    decode, topic_id = log.decode, log.topic_id
    check = acceptance.check
    for record in records:
        try:
            transaction = decode(record)
            if isinstance(transaction, Ignored):
                if not before.has_applied(record, topic_id):
                    found.ignored.append(transaction)
                continue
            key = record.key or b""
            check(transaction, key=key, reference_ms=record.timestamp)
            before.require_placed(key)
        except InvalidEvent as error:
            if not before.has_applied(record, topic_id):
                found.rejected.append(Rejected.of(record, error))
        else:
            found.accepted.append(Accepted(record, transaction, before.indexes[key]))
    return found
