"""How long it takes from a row in the bank's table to its decision on Kafka.

Counted from right before the row is sent to the database until a consumer has its decision: the commit, Postgres's log,
Debezium, Kafka Connect, the worker and Kafka twice lie in between. One clock measures both ends.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import msgspec

from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.domain.transaction import Transaction
from app.settings import Settings
from app.traffic.bank_table import BankTable

DRAIN_SECONDS = 120.0
POLL_SECONDS = 0.05
OnRecord = Callable[[Any], None]


class InsertLatency(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows."""

    rows: int
    decided: int
    repeated: int
    """Decisions beyond the first of a row."""
    p50_ms: float
    p99_ms: float
    most_ms: float


class LatencyRecorder:
    """OnSend of each row and of each decision."""

    def __init__(self) -> None:
        self._sent: dict[str, int] = {}
        self._decided: dict[str, int] = {}
        self._repeated = 0

    def sent(self, transaction_id: str, now_ns: int) -> None:
        self._sent[transaction_id] = now_ns

    def decided(self, transaction_id: str, now_ns: int) -> None:
        """Those of others are none of ours."""
        if transaction_id in self._decided:
            self._repeated += 1
        elif transaction_id in self._sent:
            self._decided[transaction_id] = now_ns

    @property
    def missing(self) -> int:
        return len(self._sent) - len(self._decided)

    def figures(self) -> InsertLatency:
        """Raises no error where nothing was decided: the figures are then 0."""
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
    """The value that ``share`` of them do not pass.

    >>> quantile([1.0, 2.0, 3.0, 50.0], 0.5), quantile([1.0, 2.0, 3.0, 50.0], 0.99), quantile([], 0.5)
    (2.0, 50.0, 0.0)
    """
    at = -(-len(ordered) * share // 1) - 1
    return round(ordered[max(int(at), 0)], 3) if ordered else 0.0


class _Decided(msgspec.Struct):
    transaction_id: str


_decode = msgspec.json.Decoder(_Decided).decode


def plain_rows(prefix: str) -> Iterator[Transaction]:
    """Small amounts of a thousand customers, at the time when they are asked for, without end."""
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
    """Insert the rows and wait for their decisions; ``on_alert`` is given the records of alerts meanwhile."""
    topics, recorder = settings.topics, LatencyRecorder()
    async with open_tail_reader(
        settings.kafka, [topics.decisions, topics.alerts], from_beginning=False
    ) as reader:
        listening = asyncio.create_task(_listen(reader, topics.decisions, recorder, on_alert))
        await asyncio.to_thread(bank.insert, transactions, rate, recorder.sent)
        deadline = time.monotonic() + DRAIN_SECONDS
        while recorder.missing and time.monotonic() < deadline and not listening.done():  # noqa: ASYNC110  # told by two others, row by row
            await asyncio.sleep(POLL_SECONDS)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return recorder.figures()


async def _listen(reader: TailReader, decisions: str, recorder: LatencyRecorder, on_alert: OnRecord) -> None:
    async for records in reader.batches():
        now_ns = time.time_ns()
        for record in records:
            if record.topic == decisions:
                recorder.decided(_decode(record.value).transaction_id, now_ns)
            else:
                on_alert(record)
