"""A customer's records in the log up to one transaction, and the features they give for it."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from math import isnan
from typing import NamedTuple

import msgspec
import numpy as np

from app.adapters.kafka.range_reader import LogRecord, RangeReader
from app.domain.decision import Degradation
from app.domain.transaction import Transaction
from app.features.catalog import Coverage
from app.features.fold import APPLIED, REPEATED
from app.features.window import Bounds
from app.processing.fold_chunk import FoldedChunks
from app.scoring import scorer

Progress = Callable[[int], None]


class Fate(StrEnum):
    """What the fold did with a record."""

    APPLIED = "applied"
    LATE = "late"
    """Applied after the allowed lateness: scored on the events still in the profile."""
    REPEATED = "repeated"
    """A record of the same transaction came earlier, at another offset."""
    REJECTED = "rejected"
    """Written to the dead letters."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the customer, and what the fold did with it."""

    offset: int
    fate: Fate
    code: str = ""
    """Error code of a rejected record."""
    transaction: Transaction | None = None
    """None for a rejected record."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The offsets that a partition holds, and the part of them that was read."""

    topic: str
    partition: int
    begins: int
    """First offset that still exists; above 0, retention has deleted records."""
    begins_ms: int | None
    """Timestamp of the first record; None when the partition is empty."""
    ends: int
    """Offset after the last record."""
    read_from: int
    offset: int
    """Offset of the transaction; reading ends with it."""

    @property
    def is_cut(self) -> bool:
        """True when retention has deleted records."""
        return self.begins > 0

    @property
    def has_transaction(self) -> bool:
        """False when the transaction was deleted, or the topic was created again."""
        return self.begins <= self.offset < self.ends


class FoldedTransaction(NamedTuple):
    """One transaction with the features and flags that the log gives for it."""

    transaction: Transaction
    features: list[float | None]
    degraded: list[Degradation]
    coverage: Coverage


def horizon_ms(bounds: Bounds, max_future_ms: int) -> int:
    """Return how much older, by record timestamp, a record may be that still counts in a transaction's windows or makes it
    a repetition.

    ``max_future_ms`` is part of it because an event may lie that far ahead of the timestamp of its record.
    """
    return bounds.retention_ms + bounds.allowed_lateness_ms + max_future_ms


async def span(reader: RangeReader, partition: int, offset: int, since_ms: int) -> Span:
    """Plan reading from the first record with a timestamp of at least ``since_ms`` up to ``offset``."""
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
    reader: RangeReader, span: Span, offsets: tuple[int, int], key: bytes, on_progress: Progress
) -> list[LogRecord]:
    """Read the customer's records of a range of offsets into memory."""
    found: list[LogRecord] = []
    async for records, reached in reader.records(span.partition, *offsets, key):
        found += records
        on_progress(reached)
    return found


def moments(applied: FoldedChunks) -> list[Moment]:
    """Return what the fold did with each record, in order of offset."""
    status, late = applied.columns.status.tolist(), applied.columns.late.tolist()
    found = [
        Moment(offset=entry.record.offset, fate=_fate(status[row], late[row]), transaction=entry.transaction)
        for row, entry in enumerate(applied.accepted)
        if status[row] in {APPLIED, REPEATED}
    ]
    found += [
        Moment(offset=entry.record.offset, fate=Fate.REJECTED, code=entry.error.reason)
        for chunk_slice in applied.slices
        for entry in chunk_slice.rejected
    ]
    return sorted(found, key=lambda moment: moment.offset)


def _fate(status: int, late: int) -> Fate:
    if status == REPEATED:
        return Fate.REPEATED
    return Fate.LATE if late else Fate.APPLIED


def folded_transaction(applied: FoldedChunks, offset: int, longest_ms: int) -> FoldedTransaction | None:
    """Return the folded transaction at ``offset``; None when the record was not applied."""
    for row in applied.rows:
        if applied.accepted[row].record.offset == offset:
            return _folded_transaction(applied, row, longest_ms)
    return None


def _folded_transaction(applied: FoldedChunks, row: int, longest_ms: int) -> FoldedTransaction:
    folded, transaction = applied.columns, applied.transactions[row]
    (degraded,) = scorer.degradations(
        folded, np.array([transaction.event_time]), np.array([row]), longest_ms
    ).tolist()
    return FoldedTransaction(
        transaction=transaction,
        features=as_published(folded.features[row].tolist()),
        degraded=scorer.DEGRADED[degraded],
        coverage=Coverage(int(folded.first_seen_ms[row]), int(folded.evicted_ms[row])),
    )


def as_published(values: Sequence[float]) -> list[float | None]:
    """Replace NaN by None, as on the wire."""
    return [None if isnan(value) else value for value in values]
