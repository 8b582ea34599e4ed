"""Exports a range of the transactions topic and all labels as files for the commands that fold a history."""

import heapq
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from app.adapters.kafka.range_reader import LogRecord, RangeReader
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
    """The files of an export."""

    transactions: Path
    """Transactions in order of event time except late ones, with is_fraud by the labels known now."""
    labels: Path
    """Labels with the time at which each was reported."""
    rows: int


class _Known(NamedTuple):
    reported_ms: int
    is_fraud: bool


class Logs(NamedTuple):
    """The topics to export."""

    transactions: RangeReader
    labels: RangeReader
    label: Callable[[Any], Label] = label_of
    """Decodes a record of the labels topic. Raises InvalidEvent."""


async def export(
    logs: Logs,
    since_ms: int,
    rules: FoldRules,
    directory: Path,
    on_progress: Progress = lambda _: None,
) -> Exported:
    """Write the transactions with a timestamp of ``since_ms`` or later, and all labels.

    Records that a worker rejects are left out.
    """
    known = await _write_labels(logs, rules.acceptance, directory / "labels.parquet")
    frauds = {transaction_id for transaction_id, label in known.items() if label.is_fraud}
    rows, path = 0, directory / "transactions.parquet"
    with TableWriter(path, _TRANSACTIONS) as writer:
        async for accepted in _slices(logs.transactions, since_ms, rules):
            writer.write(_columns(accepted, frauds))
            rows += len(accepted)
            on_progress(rows)
    return Exported(path, directory / "labels.parquet", rows)


async def in_order(
    logs: Sequence[AsyncIterator[list[Transaction]]],
) -> AsyncIterator[Transaction]:
    """Merge partitions into one stream and keep the order of each: the next transaction is the earliest among the heads.

    A late transaction therefore follows its predecessor at once. The order does not depend on how the partitions were
    interleaved when they were sent. Memory holds one slice per partition.
    """
    waiting = [deque[Transaction]() for _ in logs]
    heads: list[tuple[int, int]] = []

    async def push_head(index: int) -> None:
        while not waiting[index] and (found := await anext(logs[index], None)) is not None:
            waiting[index].extend(found)
        if waiting[index]:
            heapq.heappush(heads, (waiting[index][0].event_time, index))

    for index in range(len(logs)):
        await push_head(index)
    while heads:
        _, index = heapq.heappop(heads)
        yield waiting[index].popleft()
        await push_head(index)


async def _slices(reader: RangeReader, since_ms: int, rules: FoldRules) -> AsyncIterator[list[Transaction]]:
    accepted: list[Transaction] = []
    logs = [_accepted(reader, partition, since_ms, rules) for partition in range(reader.partitions)]
    async for transaction in in_order(logs):
        accepted.append(transaction)
        if len(accepted) == SLICE_ROWS:
            yield accepted
            accepted = []
    if accepted:
        yield accepted


async def _accepted(
    reader: RangeReader, partition: int, since_ms: int, rules: FoldRules
) -> AsyncIterator[list[Transaction]]:
    """Yield the transactions of a partition that a worker accepts, in order of offset."""
    log = rules.log_of(reader)
    begins, ends = await reader.extent(partition)
    first = await reader.offset_at(partition, since_ms)
    start = ends if first is None else max(first, begins)
    async for records, _ in reader.records(partition, start, ends):
        found = []
        for record in records:
            with suppress(InvalidEvent):
                found.append(_transaction(record, log, rules.acceptance))
        yield [transaction for transaction in found if transaction is not None]


def _transaction(record: LogRecord, log: SourceLog, acceptance: Acceptance) -> Transaction | None:
    """Decode and check a record as a worker does. None when it holds no transaction; raises InvalidEvent when rejected."""
    key, transaction = record.key or b"", log.decode(record)
    if isinstance(transaction, Ignored):
        return None
    acceptance.check(transaction, key=key, reference_ms=record.timestamp)
    if log.misplaced([key], [record.partition]):
        raise InvalidEvent(InvalidReason.WRONG_PARTITION, "murmur2 puts its key in another partition")
    return transaction


def _columns(transactions: list[Transaction], frauds: set[str]) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        name: [getattr(transaction, name) for transaction in transactions]
        for name in Transaction.__struct_fields__
    }
    return columns | {"is_fraud": [transaction.transaction_id in frauds for transaction in transactions]}


async def _write_labels(logs: Logs, acceptance: Acceptance, path: Path) -> dict[str, _Known]:
    """Write all labels; return the last reported label of each transaction, of two at the same time the later one."""
    known: dict[str, _Known] = {}
    reader = logs.labels
    with TableWriter(path, _LABELS) as writer:
        for partition in range(reader.partitions):
            async for records, _ in reader.records(partition, *await reader.extent(partition)):
                labels = [label for record in records for label in _label(record, logs, acceptance)]
                writer.write({name: [getattr(label, name) for label in labels] for name in _LABELS})
                for label in labels:
                    found = _Known(label.reported_at, label.is_fraud)
                    if found.reported_ms >= known.get(label.transaction_id, found).reported_ms:
                        known[label.transaction_id] = found
    return known


def _label(record: LogRecord, logs: Logs, acceptance: Acceptance) -> list[Label]:
    """Decode a label; an empty list when a worker rejects it."""
    try:
        label = logs.label(record)
        acceptance.check_label(label, key=record.key or b"", reference_ms=record.timestamp)
    except InvalidEvent:
        return []
    return [label]
