"""A worker that writes day files in a process that can be killed at any point, and the recounts of its files.

A kill is an exception from a disk operation; the next run starts with the files as they are.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pyarrow.parquet as pq

from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.row_schemas import Feed
from app.processing.chunk import Chunk
from app.reports.day_report import DayReport
from app.streaming.roles.parquet_buffer import BufferContext, ParquetBuffer
from tests.unit.day_records import DAY_MS, FIRST_DAY, Record

DAY = "2026-02-28"
Event = dict[str, Any]


class Killed(BaseException):
    """Simulates the end of the process."""


class Consumer:
    """A consumer in one fetch epoch."""

    def __init__(self) -> None:
        self.fetch_epoch = 1
        self.held: list[Any] = []

    def is_current(self, chunk: Chunk) -> bool:
        return chunk.fetch_epoch == self.fetch_epoch

    def track(self, message: Any) -> None:
        self.held.append(message)

    def untrack(self, message: Any) -> None:
        if message in self.held:
            self.held.remove(message)


def event(part: Sequence[Record], fetch_epoch: int) -> Any:
    acknowledged: list[int] = []
    last = part[-1].offset
    return SimpleNamespace(
        value=Chunk(part[0].partition, cast(Any, list(part)), fetch_epoch),
        message=SimpleNamespace(offset=last),
        ack=lambda: acknowledged.append(last),
        acknowledged=acknowledged,
    )


@contextmanager
def killed_after(syncs: int) -> Iterator[None]:
    """End the block at the fsync behind this number of them, if there is one."""
    left = [syncs]

    def sync(_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    with mock.patch.object(os, "fsync", sync), suppress(Killed):
        yield


async def unbounded(_: Chunk, __: int) -> int | None:
    """The transactions reach as far as any decision says."""
    return 2**63 - 1


def new_context(
    directory: Path, roll_rows: int, source_end: Callable[[Chunk, int], Awaitable[int | None]] = unbounded
) -> BufferContext:
    return BufferContext(
        DayFiles(directory),
        DayFigureFiles(directory),
        PrometheusMetrics(),
        roll_rows,
        1.0,
        lambda: 0.0,
        lambda: None,
        source_end,
    )


def read_on(feed: Feed, log: Sequence[Record], context: BufferContext, random: Random) -> None:
    """Run a worker from the end of the files to the end of the log."""
    begin = context.files.progress(feed.name, log[0].partition).next_offset
    left = [record for record in log if record.offset >= begin]
    buffer, consumer = ParquetBuffer(feed, log[0].partition, context), Consumer()

    async def live() -> None:
        place = 0
        while place < len(left):
            size = random.randrange(1, 9)
            await buffer.add(event(left[place : place + size], 1), consumer)
            place += size
            if random.random() < 0.3:
                await buffer.flush_due(consumer)

    asyncio.run(live())


def finish(feed: Feed, log: Sequence[Record], directory: Path, random: Random) -> None:
    """Write everything to files, including the last rows."""
    read_on(feed, log, new_context(directory, 1), random)


def offsets(directory: Path, feed: Feed) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for path in (directory / feed.name).glob("day=*/*.parquet"):
        rows = pq.read_table(path, partitioning=None)
        found.update(zip(rows["kafka_partition"].to_pylist(), rows["kafka_offset"].to_pylist(), strict=True))
    return found


def readable(logs: Sequence[Sequence[Record]]) -> Counter[tuple[int, int]]:
    return Counter(
        (record.partition, record.offset)
        for log in logs
        for record in log
        if record.value and b"_id" in record.value
    )


def check(report: DayReport, events: Sequence[Sequence[Event]], labelled: Sequence[Event]) -> None:
    """Compare with a recount in plain Python: each transaction once, with its last label."""
    first = {one["transaction_id"]: one for part in events for one in part if of_day(one)}
    labels: dict[str, Event] = {}
    for one in filter(of_day, labelled):
        known = labels.get(one["transaction_id"])
        if known is None or one["reported_at"] >= known["reported_at"]:
            labels[one["transaction_id"]] = one
    alerts = {name for name, one in first.items() if one["outcome"] != "approve"}
    labelled_alerts = [one["is_fraud"] for name, one in labels.items() if name in alerts]
    assert len(first) == report.total.transactions
    assert sum(one["outcome"] == "decline" for one in first.values()) == report.total.decline
    assert (len(labelled_alerts), sum(labelled_alerts)) == (report.total.judged, report.total.frauds)
    assert sum(one["is_fraud"] for one in labels.values()) == report.frauds_known
    assert sum(sum(map(of_day, part)) for part in events) - len(first) == report.repeated
    assert _sums(first, "currency") == report.total.amount_minor
    assert _sums(first, "terminal_id") == {
        part.name: sum(part.amount_minor.values()) for part in report.terminals
    }
    assert {"m/1": len(first)} == {part.model: part.transactions for part in report.models}
    _check_attacks(report, [first[name] for name in sorted(alerts)])


def _check_attacks(report: DayReport, alerts: Sequence[Event]) -> None:
    """Each customer with alerts once per currency, with their sum, and the earliest of the declined, else of the others."""
    expected: dict[tuple[str, str], list[Event]] = {}
    for one in alerts:
        expected.setdefault((one["customer_id"], one["transaction"]["currency"]), []).append(one)
    found = {(attack.customer_id, attack.currency): attack for attack in report.attacks}
    assert len(found) == len(report.attacks)
    assert found.keys() == expected.keys()
    for key, of_customer in expected.items():
        worst = min(of_customer, key=lambda one: (one["outcome"], one["event_time"], one["transaction_id"]))
        amount = sum(one["transaction"]["amount_minor"] for one in of_customer)
        attack = found[key]
        assert (len(of_customer), amount) == (attack.alerts, attack.amount_minor)
        assert (worst["outcome"], f"alert-{worst['transaction_id']}") == (attack.outcome, attack.alert_id)


def _sums(first: dict[str, Event], field: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in first.values():
        sums[one["transaction"][field]] += one["transaction"]["amount_minor"]
    return dict(sums)


def of_day(one: Event) -> bool:
    return bool(one["event_time"] // DAY_MS == FIRST_DAY)
