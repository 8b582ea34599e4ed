"""Reads published decisions in step with the transactions they belong to, by the offset of each transaction."""

from collections.abc import Awaitable, Callable

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.range_reader import LogRecord, RangeReader
from app.domain.decision import Degradation, ModelReference, SourceOffset, Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import FiredRule, OutcomeBy, PolicyReference
from app.features.window import HOUR_MS

CLOCKS_MS = HOUR_MS
"""Tolerance between the clock of a transaction's timestamp and that of the worker that decided it."""
COMPARED = 20_000
"""Most decisions of a partition that a repeat is compared with: a takeover repeats the newest ones."""


class PublishedDecision(msgspec.Struct, frozen=True, gc=False):
    """The fields of a decision that a replay compares."""

    transaction_id: str
    score: float
    outcome: Outcome
    model: ModelReference
    catalog: str
    features: list[float | None]
    degraded: list[Degradation]
    source: SourceOffset
    thresholds: Thresholds
    policy: PolicyReference | None = None
    outcome_by: OutcomeBy = OutcomeBy.BAND
    fired: list[FiredRule] = []


_decision = BoundedDecoder(PublishedDecision)


class PublishedDecisions:
    """The decisions about one partition of transactions, read in step with it.

    Decisions are not in the order of their transactions; those read ahead wait in memory.
    """

    def __init__(self, reader: RangeReader, topic: str, partition: int) -> None:
        self.repeated = 0
        """Number of decisions beyond the first of a transaction: a takeover repeats some."""
        self.contradicting = 0
        """Number of these that differ from the first in score, outcome, model, features or what was missing."""
        self.without_transaction: list[PublishedDecision] = []
        """Those that name a position that the log does not have. Their offsets do not tell how far decisions were read."""
        self._newest: dict[int, PublishedDecision] = {}
        self._reader = reader
        self._topic = topic
        self._partition = partition
        self._ahead: dict[int, PublishedDecision] = {}
        self._read_up_to = -1
        self._taken_up_to = -1

    async def begin(self, offset: int, time_ms: int, source_end: Callable[[], Awaitable[int]]) -> None:
        """Find where to start reading for the transaction at ``offset``, whose timestamp is ``time_ms``.

        ``source_end`` gives the end of the partition of transactions. It is called when the last decision to read is there.
        """
        begins, self._end = await self._reader.extent(self._partition)
        first = await self._reader.offset_at(self._partition, time_ms - CLOCKS_MS)
        start = self._end if first is None else max(begins, first)
        self._begun_at, self._source_end = offset, await source_end()
        self._taken_up_to = self._read_up_to = offset - 1
        self._slices = self._reader.records(self._partition, start, self._end)

    async def take(self, up_to: int) -> dict[int, PublishedDecision]:
        """Return the decisions of transactions before ``up_to`` not returned before, by offset; the first of each."""
        while self._read_up_to < up_to and (records := await self._next()) is not None:
            for record in records:
                self._add(record)
        self._taken_up_to = up_to - 1
        return {offset: self._ahead.pop(offset) for offset in sorted(self._ahead) if offset < up_to}

    async def _next(self) -> list[LogRecord] | None:
        found = await anext(self._slices, None)
        return None if found is None else found[0]

    def _add(self, record: LogRecord) -> None:
        decided = _decision.attempt(record.value)
        if decided is None:
            return  # an unreadable decision; its transaction is then counted as missing
        offset = decided.source.offset
        if decided.source.topic != self._topic:
            return
        if decided.source.partition != self._partition or not 0 <= offset < self._source_end:
            self.without_transaction.append(decided)
            return
        self._read_up_to = max(self._read_up_to, offset)
        if offset in self._ahead or self._begun_at <= offset <= self._taken_up_to:
            self.repeated += 1
            self.contradicting += decided != self._newest.get(offset, decided)
        elif offset > self._taken_up_to:
            self._ahead[offset] = self._newest[offset] = decided
            if len(self._newest) > COMPARED:
                del self._newest[next(iter(self._newest))]
