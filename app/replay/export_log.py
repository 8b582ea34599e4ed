"""A stretch of the log, with what became known of it, as the files that everything reads that folds a history."""

import heapq
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from app.adapters.kafka.range_reader import LogReader, LogRecord
from app.adapters.serde.json_codec import label_of
from app.adapters.tabular.table_writer import TRANSACTION_SCHEMA, ColumnType, TableWriter
from app.domain.acceptance import Acceptance
from app.domain.ignored import Ignored
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from app.features.entities import ENTITIES
from app.processing.decode_chunk import SourceLog
from app.replay.customer_history import Progress
from app.replay.refold import FoldRules

SLICE_ROWS = 50_000

_TRANSACTIONS: dict[str, ColumnType] = {
    name: kind for name, kind in TRANSACTION_SCHEMA.items() if name in Transaction.__struct_fields__
} | {"is_fraud": "boolean"}
_LABELS: dict[str, ColumnType] = {
    "transaction_id": "text",
    **{entity.field: "text" for entity in ENTITIES},
    "event_time": "integer",
    "is_fraud": "boolean",
    "reported_at": "integer",
}


class Exported(NamedTuple):
    """Two files."""

    transactions: Path
    """In order of event time, but for the late ones; each with what is known of it by now."""
    labels: Path
    """With the times at which each was reported."""
    rows: int


class _Known(NamedTuple):
    reported_ms: int
    is_fraud: bool


class Logs(NamedTuple):
    """What is read."""

    transactions: LogReader
    labels: LogReader
    label: Callable[[Any], Label] = label_of
    """How a record of the latter is read. Raises InvalidEvent."""


class Span(NamedTuple):
    """Times by the records' own timestamps."""

    since_ms: int
    """Of the first transaction."""
    now_ms: int


async def export(
    logs: Logs,
    span: Span,
    rules: FoldRules,
    directory: Path,
    on_progress: Progress = lambda _: None,
) -> Exported:
    """The transactions that arrived in the span, and all labels. What a worker refuses is left out."""
    known = await _write_labels(logs, rules.acceptance, span.now_ms, directory / "labels.parquet")
    frauds = {transaction_id for transaction_id, label in known.items() if label.is_fraud}
    rows, path = 0, directory / "transactions.parquet"
    with TableWriter(path, _TRANSACTIONS) as writer:
        async for accepted in _slices(logs.transactions, span, rules):
            writer.write(_columns(accepted, frauds))
            rows += len(accepted)
            on_progress(rows)
    return Exported(path, directory / "labels.parquet", rows)


async def in_order(
    logs: Sequence[AsyncIterator[list[Transaction]]],
) -> AsyncIterator[Transaction]:
    """Several logs as one, each in its own order: next comes the earliest of their next ones, so a late one at once. That
    is the same whether they were sent live or all together. Memory holds a slice of each.
    """
    waiting = [deque[Transaction]() for _ in logs]
    heads: list[tuple[int, int]] = []

    async def look(place: int) -> None:
        while not waiting[place] and (found := await anext(logs[place], None)) is not None:
            waiting[place].extend(found)
        if waiting[place]:
            heapq.heappush(heads, (waiting[place][0].event_time, place))

    for place in range(len(logs)):
        await look(place)
    while heads:
        _, place = heapq.heappop(heads)
        yield waiting[place].popleft()
        await look(place)


async def _slices(reader: LogReader, span: Span, rules: FoldRules) -> AsyncIterator[list[Transaction]]:
    accepted: list[Transaction] = []
    logs = [_accepted(reader, partition, span, rules) for partition in range(reader.partitions)]
    async for transaction in in_order(logs):
        accepted.append(transaction)
        if len(accepted) == SLICE_ROWS:
            yield accepted
            accepted = []
    if accepted:
        yield accepted


async def _accepted(
    reader: LogReader, partition: int, span: Span, rules: FoldRules
) -> AsyncIterator[list[Transaction]]:
    """What a worker takes of a partition, in its order."""
    log = rules.log_of(reader)
    begins, ends = await reader.extent(partition)
    first = await reader.offset_at(partition, span.since_ms)
    start = ends if first is None else max(first, begins)
    async for records, _ in reader.records(partition, start, ends):
        found = []
        for record in records:
            with suppress(InvalidEvent):
                found.append(_transaction(record, log, rules.acceptance, span.now_ms))
        yield [transaction for transaction in found if transaction is not None]


def _transaction(
    record: LogRecord, log: SourceLog, acceptance: Acceptance, now_ms: int
) -> Transaction | None:
    """As a worker takes it, None where there is none in it. Raises InvalidEvent where a worker refuses it."""
    key, transaction = record.key or b"", log.decode(record)
    if isinstance(transaction, Ignored):
        return None
    reference_ms = acceptance.reference_time(record.timestamp, now_ms)
    acceptance.check(transaction, key=key, reference_ms=reference_ms)
    if log.misplaced([key], [record.partition]):
        raise InvalidEvent(InvalidReason.WRONG_PARTITION, "murmur2 puts its key in another partition")
    return transaction


def _columns(transactions: list[Transaction], frauds: set[str]) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        name: [getattr(transaction, name) for transaction in transactions]
        for name in Transaction.__struct_fields__
    }
    return columns | {"is_fraud": [transaction.transaction_id in frauds for transaction in transactions]}


async def _write_labels(logs: Logs, acceptance: Acceptance, now_ms: int, path: Path) -> dict[str, _Known]:
    """What is known of each transaction in the end: the label that was reported last, of two at once the later."""
    known: dict[str, _Known] = {}
    reader = logs.labels
    with TableWriter(path, _LABELS) as writer:
        for partition in range(reader.partitions):
            async for records, _ in reader.records(partition, *await reader.extent(partition)):
                labels = [label for record in records for label in _label(record, logs, acceptance, now_ms)]
                writer.write({name: [getattr(label, name) for label in labels] for name in _LABELS})
                for label in labels:
                    found = _Known(label.reported_at, label.is_fraud)
                    if found.reported_ms >= known.get(label.transaction_id, found).reported_ms:
                        known[label.transaction_id] = found
    return known


def _label(record: LogRecord, logs: Logs, acceptance: Acceptance, now_ms: int) -> list[Label]:
    """One, or none where a worker refuses it."""
    try:
        label = logs.label(record)
        reference_ms = acceptance.reference_time(record.timestamp, now_ms)
        acceptance.check_label(label, key=record.key or b"", reference_ms=reference_ms)
    except InvalidEvent:
        return []
    return [label]
