"""A customer's part of the log up to one transaction, and what it says about that transaction."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from math import isnan
from typing import NamedTuple

import msgspec
import numpy as np

from app.adapters.kafka.range_reader import LogReader, LogRecord
from app.domain.decision import Degradation
from app.domain.transaction import Transaction
from app.features.catalog import Coverage
from app.features.fold import APPLIED, REPEATED
from app.features.window import Bounds
from app.processing.fold_chunk import Applied
from app.scoring import scorer

Progress = Callable[[int], None]


class Fate(StrEnum):
    """What became of a record."""

    APPLIED = "applied"
    LATE = "late"
    """Applied after the allowed lateness: scored on what was still known."""
    REPEATED = "repeated"
    """Its transaction was there before, under another offset."""
    REJECTED = "rejected"
    """It went to the dead letters."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the customer."""

    offset: int
    fate: Fate
    code: str = ""
    """Why it was rejected."""
    transaction: Transaction | None = None
    """None for a rejected one: what it says counts for nothing."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a partition, and what of it was read."""

    topic: str
    partition: int
    begins: int
    """The first offset that is not deleted yet; above 0, retention has cut the log."""
    begins_ms: int | None
    """The timestamp of the first record, None where there is none."""
    ends: int
    read_from: int
    offset: int
    """The transaction's own: reading ends with it."""

    @property
    def is_cut(self) -> bool:
        """What was before the log's first record is not known any more."""
        return self.begins > 0

    @property
    def has_transaction(self) -> bool:
        """Otherwise it is deleted, or the topic was made anew."""
        return self.begins <= self.offset < self.ends


class FoldedTransaction(NamedTuple):
    """What the log says about one transaction, as of it."""

    transaction: Transaction
    features: list[float | None]
    degraded: list[Degradation]
    known: Coverage


def horizon_ms(bounds: Bounds, max_future_ms: int) -> int:
    """How much older than a transaction a record may be that still counts in its windows, or as its repetition.

    By the record's own timestamp, ahead of which its event may lie.
    """
    return bounds.retention_ms + bounds.allowed_lateness_ms + max_future_ms


async def span(reader: LogReader, partition: int, offset: int, since_ms: int) -> Span:
    """Reading begins with the first record that is as new as ``since_ms``."""
    begins, ends = await reader.extent(partition)
    first = await reader.offset_at(partition, since_ms)
    return Span(
        topic=reader.topic,
        partition=partition,
        begins=begins,
        begins_ms=await reader.timestamp(partition, begins) if begins < ends else None,
        ends=ends,
        read_from=max(begins, offset if first is None else min(first, offset)),
        offset=offset,
    )


async def read(
    reader: LogReader, span: Span, offsets: tuple[int, int], key: bytes, on_progress: Progress
) -> list[LogRecord]:
    """The customer's records of a range, all of them in memory."""
    found: list[LogRecord] = []
    async for records, reached in reader.records(span.partition, *offsets, key):
        found += records
        on_progress(reached)
    return found


def moments(applied: Applied) -> list[Moment]:
    """Every record's fate, in order of offset."""
    status, late = applied.folded.status.tolist(), applied.folded.late.tolist()
    found = [
        Moment(offset=entry.record.offset, fate=_fate(status[row], late[row]), transaction=entry.transaction)
        for row, entry in enumerate(applied.accepted)
        if status[row] in {APPLIED, REPEATED}
    ]
    found += [
        Moment(offset=entry.record.offset, fate=Fate.REJECTED, code=entry.error.reason)
        for share in applied.shares
        for entry in share.rejected
    ]
    return sorted(found, key=lambda moment: moment.offset)


def _fate(status: int, late: int) -> Fate:
    if status == REPEATED:
        return Fate.REPEATED
    return Fate.LATE if late else Fate.APPLIED


def folded_transaction(applied: Applied, offset: int) -> FoldedTransaction | None:
    """What is known about the transaction at ``offset``; None when it changed nothing."""
    for row in applied.rows:
        if applied.accepted[row].record.offset == offset:
            return _folded_transaction(applied, row)
    return None


def _folded_transaction(applied: Applied, row: int) -> FoldedTransaction:
    folded, transaction = applied.folded, applied.transactions[row]
    (degraded,) = scorer.degradations(folded, np.array([transaction.event_time]), [row]).tolist()
    return FoldedTransaction(
        transaction=transaction,
        features=as_published(folded.features[row].tolist()),
        degraded=scorer.DEGRADED[degraded],
        known=Coverage(int(folded.first_seen_ms[row]), int(folded.evicted_ms[row])),
    )


def as_published(values: Sequence[float]) -> list[float | None]:
    """NaN is None on the wire."""
    return [None if isnan(value) else value for value in values]
