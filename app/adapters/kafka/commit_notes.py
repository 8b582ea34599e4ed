"""What a worker stores with each committed offset, as its metadata: the id of the topic, and a loss of records.

An offset means nothing in another topic of the same name. A loss that a worker has passed is stored with the offset, since
nothing else shows it later; ``fraudstream doctor`` and ``state verify`` read it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.errors import RecordsLost

REPORTED_MS = 32 * 24 * 3_600_000
"""A loss is reported for as long as a window of a profile may miss the records."""


class CommitNote(NamedTuple):
    """The metadata of a commit. Tools that reset offsets store none, which removes the note of a loss."""

    topic_id: str = ""
    """The low 64 bits of the topic's id in hexadecimal digits; empty: any topic."""
    lost_records: int = 0
    """Records that retention deleted before the group read them."""
    lost_at_ms: int = 0
    """The time of the latest loss, in ms since the epoch."""

    @classmethod
    def parse(cls, metadata: str) -> "CommitNote":
        """The note in a commit's metadata; without a loss when it contains none, or text of another program."""
        topic_id, _, loss = metadata.partition(";")
        records, _, at_ms = loss.removeprefix("lost=").partition(";at=")
        if not (records.isdecimal() and at_ms.isdecimal()):
            return cls(topic_id)
        return cls(topic_id, int(records), int(at_ms))

    def __str__(self) -> str:
        """The metadata; only the topic id when nothing was lost, as in every earlier release."""
        if not self.lost_records:
            return self.topic_id
        return f"{self.topic_id};lost={self.lost_records};at={self.lost_at_ms}"

    def belongs_to(self, topic_id: str) -> bool:
        return self.topic_id in {"", topic_id}

    def after_loss(self, records: int, now_ms: int) -> "CommitNote":
        """The note after ``records`` more were lost."""
        return self._replace(lost_records=self.lost_records + records, lost_at_ms=now_ms)

    def recent_loss(self, now_ms: int) -> int:
        """The lost records while they are reported, later 0."""
        return self.lost_records if now_ms - self.lost_at_ms < REPORTED_MS else 0


class Commit(NamedTuple):
    """The committed offset of a group in one partition."""

    offset: int
    note: CommitNote = CommitNote()

    def lost_records(self, log_start: int, now_ms: int) -> int:
        """The records that the next worker will miss in a log that begins at ``log_start``, and those noted as lost."""
        return max(0, log_start - self.offset) + self.note.recent_loss(now_ms)


class LostRecords(NamedTuple):
    """Records that retention deleted before the group read them."""

    topic: str
    partition: int
    records: int
    """The number of their offsets: transaction markers and aborted records are among them."""
    next_offset: int
    """The first offset of the log, at which the group would continue."""

    def __str__(self) -> str:
        return f"{self.records} of {self.topic}-{self.partition}, which begins at offset {self.next_offset}"


def refusal(group: str, lost: Sequence[LostRecords]) -> RecordsLost:
    """The error of a group that must not continue behind lost records, with the remedy."""
    total = sum(each.records for each in lost)
    return RecordsLost(
        f"retention deleted {total} records that group {group} has not read: {', '.join(map(str, lost))}. To "
        "continue without them, set FRAUDSTREAM_WORKER_WHEN_RECORDS_LOST=continue; docs/operate/operations.md#recordslost"
    )
