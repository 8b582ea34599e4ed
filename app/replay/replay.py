"""Recomputes the decisions of a range of the log next to the live system and compares them with the published ones.

Profiles are rebuilt from records before the range, so that windows are complete where it begins, in a store of the replay.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from app.adapters.kafka.range_reader import LogRecord, RangeReader
from app.domain.decision import ModelReference
from app.processing.chunk import Chunk
from app.processing.fold_chunk import ChunkFold, FoldedChunks
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.replay.compare_decisions import Example, Kind, ReplayCounts, ReplayedRows, compare
from app.replay.customer_history import horizon_ms, moments
from app.replay.published_decisions import PublishedDecision, PublishedDecisions
from app.replay.refold import FoldRules
from app.replay.scratch_store import ScratchStore
from app.scoring.model import Model


class Range(NamedTuple):
    """Offsets of one partition: folded from ``read_from`` on, decided from ``start`` up to, not including, ``end``."""

    partition: int
    read_from: int
    start: int
    end: int


class Replay:
    """Folds, scores and compares. ``model_for`` returns the model of a decision; ``on_progress`` receives the number of
    records read.
    """

    def __init__(
        self,
        source: RangeReader,
        decisions: RangeReader,
        rules: FoldRules,
        scratch: ScratchStore,
        model_for: Callable[[ModelReference], Model],
        cache_bytes: int,
    ) -> None:
        self.counts = ReplayCounts()
        self.read = 0
        self.repeated = 0
        """Number of decisions beyond the first of a transaction: a takeover repeats some."""
        self.contradicting = 0
        """Number of these that differ from the first."""
        self.on_progress: Callable[[int], None] = lambda _: None
        self._source = source
        self._decisions = decisions
        self._rules = rules
        self._scratch = scratch
        self._model_for = model_for
        self._profiles = StateCache(scratch, cache_bytes)
        self._fold = ChunkFold(
            rules.log_of(source), rules.acceptance, rules.bounds, self._profiles, rules.computation
        )

    async def run(self, span: Range) -> None:
        """Replay one partition."""
        decided = PublishedDecisions(self._decisions, self._source.topic, span.partition)
        begun, first_ms = False, None
        async for records, next_offset in self._source.records(span.partition, span.read_from, span.end):
            if records and first_ms is None:
                first_ms = records[0].timestamp
            before = [record for record in records if record.offset < span.start]
            after = records[len(before) :]
            if before:
                self._apply(before)
            if after:
                if not begun:
                    begun = True
                    await decided.begin(span.start, after[0].timestamp, partial(self._end, span.partition))
                applied = self._apply(after)
                await self._compare(applied, decided, span, next_offset, first_ms or 0)
            self.read += len(records)
            self.on_progress(self.read)
        self.repeated += decided.repeated
        self.contradicting += decided.contradicting

    async def _end(self, partition: int) -> int:
        return (await self._source.extent(partition)).end

    def _apply(self, records: list[LogRecord]) -> FoldedChunks:
        partition = records[0].partition
        applied = self._fold.apply([Chunk(partition, records)], Stopwatch(time.perf_counter))
        (chunk_slice,) = applied.slices
        if chunk_slice.profiles:
            self._scratch.write(partition, chunk_slice.profiles)
        self._profiles.release(partition, chunk_slice.number)
        return applied

    async def _compare(
        self, applied: FoldedChunks, decided: PublishedDecisions, span: Range, up_to: int, first_ms: int
    ) -> None:
        published = await decided.take(up_to)
        groups: dict[ModelReference, list[tuple[int, PublishedDecision]]] = defaultdict(list)
        for row in applied.rows:
            offset = applied.accepted[row].record.offset
            found = published.pop(offset, None)
            if found is None:
                self._missing(applied, row, span, first_ms)
            elif found.catalog != self._rules.computation.features.digest:
                self.counts.kinds[Kind.OTHER_CATALOG] += 1
            else:
                groups[found.model].append((row, found))
        for offset, found in published.items():
            self._unexpected(applied, found, offset)
        for found in decided.without_transaction:
            self._count_unexpected(found, "no record")
        decided.without_transaction.clear()
        for reference, group in groups.items():
            names = self._rules.computation.features.names
            columns = self._columns(applied, group, span, first_ms)
            compare(columns, names, self._model_for(reference), self.counts)

    def _columns(
        self, applied: FoldedChunks, group: list[tuple[int, PublishedDecision]], span: Range, first_ms: int
    ) -> ReplayedRows:
        rows = [row for row, _ in group]
        return ReplayedRows(
            partition=span.partition,
            offsets=[applied.accepted[row].record.offset for row in rows],
            decided=[found for _, found in group],
            rows=applied.columns.features[rows],
            windows_read=np.array([self._windows_read(applied, row, first_ms) for row in rows]),
            reads_all=span.read_from == 0,
        )

    def _windows_read(self, applied: FoldedChunks, row: int, first_ms: int) -> bool:
        """Return whether every record in the windows of a transaction was read."""
        needed_ms = horizon_ms(self._rules.bounds, self._rules.acceptance.max_future_ms)
        return applied.transactions[row].event_time - needed_ms >= first_ms

    def _missing(self, applied: FoldedChunks, row: int, span: Range, first_ms: int) -> None:
        """Count a transaction without a decision; it may repeat a transaction from before the records that were read."""
        record, transaction = applied.accepted[row].record, applied.transactions[row]
        is_new = span.read_from == 0 or self._windows_read(applied, row, first_ms)
        self.counts.add(
            Example(
                kind=Kind.MISSING if is_new else Kind.OLDER_THAN_LOG,
                partition=record.partition,
                offset=record.offset,
                transaction_id=transaction.transaction_id,
                recorded={},
                replayed={"fate": "applied"},
            )
        )

    def _unexpected(self, applied: FoldedChunks, found: PublishedDecision, offset: int) -> None:
        fates = {moment.offset: moment for moment in moments(applied)}
        moment = fates.get(offset)
        self._count_unexpected(found, f"{moment.fate} {moment.code}".strip() if moment else "no record")

    def _count_unexpected(self, found: PublishedDecision, fate: str) -> None:
        self.counts.add(
            Example(
                kind=Kind.UNEXPECTED,
                partition=found.source.partition,
                offset=found.source.offset,
                transaction_id=found.transaction_id,
                recorded={"score": found.score, "outcome": found.outcome},
                replayed={"fate": fate},
            )
        )
