"""Continues behind records that retention deleted before the group read them, and notes the loss with its commits."""

import time
from collections.abc import Iterable, Mapping
from typing import Literal, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata

from app.adapters.kafka.commit_notes import CommitNote, LostRecords, refusal
from app.adapters.kafka.protocol.rights import named_rights
from app.adapters.kafka.records import Record

Fetched = dict[TopicPartition, list[Record]]

_log = structlog.get_logger("reference")


class LossGuard:
    """Fetches and commits for a consumer with ``auto_offset_reset="none"``.

    With it the client raises an error where the log does not have the next offset; otherwise it would continue at the first
    one without a report. It raises before it takes records of other partitions, so none of them is passed over.
    """

    def __init__(self, group: str, when_lost: Literal["stop", "continue"]) -> None:
        self._group, self._when_lost = group, when_lost
        self._notes: dict[TopicPartition, CommitNote] = {}

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002  # aiokafka's signature
        """The next owner may note a loss."""
        self._notes.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing to do: notes are read before the first commit."""

    async def fetch(self, consumer: AIOKafkaConsumer, timeout_ms: int, max_records: int) -> Fetched:
        """The next records; none where a partition was moved to the first offset of its log. Raises RecordsLost."""
        try:
            return cast(Fetched, await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records))
        except NoOffsetForPartitionError as error:
            next_offsets = {error.args[0]: None}
        except OffsetOutOfRangeError as error:
            next_offsets = error.args[0]
        try:
            with named_rights("Read"):
                await self._continue(consumer, next_offsets)
        except KafkaError as error:  # a rebalance, or no broker: the next fetch finds the same, or the note is committed later
            _log.warning("not_moved_or_not_noted", why=type(error).__name__)
        return {}

    async def commit(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit with the notes, so that an earlier loss stays reported."""
        await self._read_notes(consumer, offsets)
        noted = {tp: OffsetAndMetadata(offset, str(self._notes[tp])) for tp, offset in offsets.items()}
        await consumer.commit(noted)

    async def _continue(
        self, consumer: AIOKafkaConsumer, next_offsets: Mapping[TopicPartition, int | None]
    ) -> None:
        """Seek to the first offsets. A partition without a commit loses nothing, nor does one whose log is shorter."""
        first = await consumer.beginning_offsets(list(next_offsets))
        assigned = consumer.assignment() & next_offsets.keys()
        lost = {
            tp: LostRecords(tp.topic, tp.partition, first[tp] - offset, first[tp])
            for tp, offset in next_offsets.items()
            if tp in assigned and offset is not None and first[tp] > offset
        }
        if lost and self._when_lost == "stop":
            raise refusal(self._group, list(lost.values()))
        for tp in assigned:
            consumer.seek(tp, first[tp])
        if lost:
            await self._note(consumer, lost)

    async def _note(self, consumer: AIOKafkaConsumer, lost: Mapping[TopicPartition, LostRecords]) -> None:
        """Commit at once: no record may follow, and a later start must not find the same loss."""
        await self._read_notes(consumer, lost)
        for tp, each in lost.items():
            _log.error("records_lost", group=self._group, **each._asdict())
            self._notes[tp] = self._notes[tp].after_loss(each.records, time.time_ns() // 1_000_000)
        await self.commit(consumer, {tp: each.next_offset for tp, each in lost.items()})

    async def _read_notes(
        self, consumer: AIOKafkaConsumer, partitions: Mapping[TopicPartition, object]
    ) -> None:
        unknown = [tp for tp in partitions if tp not in self._notes]
        if not unknown:
            return
        # The public call returns offsets without the metadata noted with them.
        found = await consumer._coordinator.fetch_committed_offsets(unknown)  # noqa: SLF001
        self._notes |= {
            tp: CommitNote.parse(found[tp].metadata) if tp in found else CommitNote() for tp in unknown
        }


ConsumerRebalanceListener.register(LossGuard)  # the client accepts no other listeners
