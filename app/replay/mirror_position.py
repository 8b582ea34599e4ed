"""Finds where workers continue on a mirror of the cluster: at the first transaction whose outputs the mirror lacks.

Offsets that the group has committed in the primary cluster are of no use. They are offsets of other topics, and a mirror copies
each topic by itself: at the moment of the failover a transaction may be committed and mirrored, but its alert is not. The ids in
the mirrored decisions and alerts show which transactions are finished in the mirror.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.range_reader import Extent, LogRecord, RangeReader
from app.adapters.kafka.records import Record
from app.domain.identifiers import digest64
from app.domain.outcomes.outcome import Outcome
from app.errors import ConfigurationError
from app.processing.fold_chunk import FoldedChunks
from app.replay.published_decisions import CLOCKS_MS
from app.replay.refold import FoldRules, refold

LAST_RECORDS = 100
"""Offsets in which the newest timestamp of a partition is looked for."""


class MirroredTopics(NamedTuple):
    """The readers of the mirrored topics."""

    transactions: RangeReader
    decisions: RangeReader
    alerts: RangeReader


class Search(NamedTuple):
    """Which transactions are looked at, and how many are decided twice."""

    look_back_ms: int
    """Before the newest transaction; everything older is taken for finished."""
    repeat_ms: int
    """Transactions of this time before the first unfinished one are decided again: their facts about entities and their dead letters,
    which are not compared, may be missing.
    """


class _Published(msgspec.Struct, gc=False):
    """The fields that decisions and alerts share."""

    transaction_id: str
    outcome: Outcome


_decoder = BoundedDecoder(_Published)


class FinishedTransactions:
    """The transactions of a partition with a decision and, where one is due, an alert."""

    def __init__(self) -> None:
        self._approved: set[bytes] = set()
        self._suspicious: set[bytes] = set()
        self._alerted: set[bytes] = set()

    def add_decision(self, value: bytes | None) -> None:
        if published := _published(value):
            found = self._approved if published.outcome is Outcome.APPROVE else self._suspicious
            found.add(digest64(published.transaction_id))

    def add_alert(self, value: bytes | None) -> None:
        if published := _published(value):
            self._alerted.add(digest64(published.transaction_id))

    def __contains__(self, transaction_id: str) -> bool:
        digest = digest64(transaction_id)
        return digest in self._approved or (digest in self._suspicious and digest in self._alerted)


def _published(value: bytes | None) -> _Published | None:
    """None for an unreadable record: its transaction is decided again."""
    return _decoder.attempt(value)


async def resume_offsets(topics: MirroredTopics, rules: FoldRules, search: Search) -> dict[int, int]:
    """The offset of each partition of the mirrored transactions at which workers continue.

    Raises ConfigurationError when ``look_back_ms`` does not reach back to finished transactions.
    """
    extents = [await topics.transactions.extent(one) for one in range(topics.transactions.partitions)]
    newest = [await _newest_ms(topics.transactions, one, extent) for one, extent in enumerate(extents)]
    since_ms = max(newest, default=0) - search.look_back_ms
    return {
        partition: await _resume_offset(topics, rules, partition, since_ms, search.repeat_ms)
        for partition in range(len(extents))
    }


async def _newest_ms(log: RangeReader, partition: int, extent: Extent) -> int:
    """The timestamp of the last record of a partition; 0 without one."""
    newest = 0
    # The last offsets may be markers of Kafka transactions.
    start = max(extent.begin, extent.end - LAST_RECORDS)
    async for records, _ in log.records(partition, start, extent.end):
        newest = max([newest, *(record.timestamp for record in records)])
    return newest


async def _resume_offset(
    topics: MirroredTopics, rules: FoldRules, partition: int, since_ms: int, repeat_ms: int
) -> int:
    log = topics.transactions
    extent = await log.extent(partition)
    start = await log.offset_at(partition, since_ms)
    if start is None:
        return extent.end
    finished = await _finished(topics, partition, since_ms - CLOCKS_MS)
    last_ms, any_finished = since_ms, start <= extent.begin
    async for records, _ in log.records(partition, start, extent.end):
        for record, transaction_id in _transactions(rules, log, records):
            if transaction_id in finished:
                any_finished = True
            elif any_finished:
                return await _first_after(log, partition, record.timestamp - repeat_ms, record.offset)
            else:
                raise _not_found(topics, partition)
        last_ms = max([last_ms, *(record.timestamp for record in records)])
    return await _first_after(log, partition, last_ms - repeat_ms, extent.end)


async def _first_after(log: RangeReader, partition: int, time_ms: int, at_most: int) -> int:
    """The offset of the first record that is newer than ``time_ms``, but no offset behind ``at_most``."""
    found = await log.offset_at(partition, time_ms + 1)
    return at_most if found is None else min(found, at_most)


async def _finished(topics: MirroredTopics, partition: int, since_ms: int) -> FinishedTransactions:
    finished = FinishedTransactions()
    async for record in _since(topics.decisions, partition, since_ms):
        finished.add_decision(record.value)
    async for record in _since(topics.alerts, partition, since_ms):
        finished.add_alert(record.value)
    return finished


async def _since(log: RangeReader, partition: int, time_ms: int) -> AsyncIterator[LogRecord]:
    _, end = await log.extent(partition)
    start = await log.offset_at(partition, time_ms)
    async for records, _ in log.records(partition, end if start is None else start, end):
        for record in records:
            yield record


def _transactions(
    rules: FoldRules, log: RangeReader, records: Sequence[LogRecord]
) -> list[tuple[Record, str]]:
    """The records that are valid transactions, with their ids: only these are decided."""
    if not records:
        return []
    folded: FoldedChunks = refold(rules.log_of(log), records, rules)
    return [(entry.record, entry.transaction.transaction_id) for entry in folded.accepted]


def _not_found(topics: MirroredTopics, partition: int) -> ConfigurationError:
    return ConfigurationError(
        f"{topics.transactions.topic}-{partition}: no transaction of the time that was looked at has its decision and alert in "
        f"{topics.decisions.topic} and {topics.alerts.topic}. The mirror of these topics ended earlier: give a longer "
        "--look-back-hours. If they were not mirrored, run this command without --from-mirror: workers then decide the whole log again."
    )
