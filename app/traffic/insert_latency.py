"""Measures the time from an INSERT into the bank's table to the decision on Kafka.

It is measured from right before the row is sent to the database until a consumer has its decision, and includes the commit,
Postgres's log, Debezium, Kafka Connect, Kafka twice and the worker. One clock measures both ends.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.domain.transaction import Transaction
from app.settings import Settings
from app.traffic.bank_table import BankTable

DRAIN_SECONDS = 120.0
POLL_SECONDS = 0.05
OnRecord = Callable[[Any], None]


class InsertLatency(msgspec.Struct, frozen=True, kw_only=True):
    """Number of rows, of decisions, and the latencies in milliseconds."""

    rows: int
    decided: int
    repeated: int
    """Number of decisions beyond the first of a row."""
    p50_ms: float
    p99_ms: float
    most_ms: float


class LatencyRecorder:
    """Records when each row is sent and when its decision arrives."""

    def __init__(self) -> None:
        self._sent: dict[str, int] = {}
        self._decided: dict[str, int] = {}
        self._repeated = 0

    def sent(self, transaction_id: str, now_ns: int) -> None:
        self._sent[transaction_id] = now_ns

    def decided(self, transaction_id: str, now_ns: int) -> None:
        """Record a decision; those of rows that were not sent here are ignored."""
        if transaction_id in self._decided:
            self._repeated += 1
        elif transaction_id in self._sent:
            self._decided[transaction_id] = now_ns

    @property
    def missing(self) -> int:
        return len(self._sent) - len(self._decided)

    def figures(self) -> InsertLatency:
        """Return the latencies; they are 0 when nothing was decided."""
        took_ms = sorted((at - self._sent[name]) / 1e6 for name, at in self._decided.items())
        return InsertLatency(
            rows=len(self._sent),
            decided=len(took_ms),
            repeated=self._repeated,
            p50_ms=quantile(took_ms, 0.5),
            p99_ms=quantile(took_ms, 0.99),
            most_ms=quantile(took_ms, 1.0),
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of the ordered values do not exceed, rounded to 3 decimals; 0 for none.

    >>> quantile([1.0, 2.0, 3.0, 50.0], 0.5), quantile([1.0, 2.0, 3.0, 50.0], 0.99), quantile([], 0.5)
    (2.0, 50.0, 0.0)
    """
    at = -(-len(ordered) * share // 1) - 1
    return round(ordered[max(int(at), 0)], 3) if ordered else 0.0


class _Decided(msgspec.Struct):
    transaction_id: str


_decision = BoundedDecoder(_Decided)


def plain_rows(prefix: str) -> Iterator[Transaction]:
    """Yield transactions of small amounts by a thousand customers, without end; event time is the time of the call."""
    for number in count():
        yield Transaction(
            transaction_id=f"{prefix}{number}",
            customer_id=f"{prefix}c{number % 1_000}",
            terminal_id=f"{prefix}m{number % 50}",
            event_time=time.time_ns() // 1_000_000,
            amount_minor=100 + number % 5_000,
            currency="EUR",
        )


async def measure(
    settings: Settings,
    bank: BankTable,
    transactions: Iterable[Transaction],
    rate: float,
    on_alert: OnRecord = lambda _: None,
) -> InsertLatency:
    """Insert the rows, ``rate`` per second, and wait for their decisions, at most ``DRAIN_SECONDS``.

    ``on_alert`` receives the records of alerts that arrive meanwhile.
    """
    topics, recorder = settings.topics, LatencyRecorder()
    async with open_tail_reader(
        settings.kafka, [topics.decisions, topics.alerts], from_beginning=False
    ) as reader:
        listening = asyncio.create_task(_listen(reader, topics.decisions, recorder, on_alert))
        await asyncio.to_thread(bank.insert, transactions, rate, recorder.sent)
        deadline = time.monotonic() + DRAIN_SECONDS
        while recorder.missing and time.monotonic() < deadline and not listening.done():  # noqa: ASYNC110  # changes with every row and decision
            await asyncio.sleep(POLL_SECONDS)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return recorder.figures()


async def _listen(reader: TailReader, decisions: str, recorder: LatencyRecorder, on_alert: OnRecord) -> None:
    async for records in reader.batches():
        now_ns = time.time_ns()
        for record in records:
            if record.topic == decisions:
                if (decision := _decision.attempt(record.value)) is not None:
                    recorder.decided(decision.transaction_id, now_ns)
            else:
                on_alert(record)
