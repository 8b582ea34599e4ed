"""A synthetic day of decisions and labels, large enough to measure a report; no model scores them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord
from app.domain.label import Label, LabelSource
from app.settings import Settings

DAY, DAY_NAME = 20_600, "2026-05-27"
DAY_MS = 86_400_000
START_MS = DAY * DAY_MS
TERMINALS, CUSTOMERS = 10_000, 100_000
COUNTRIES = ("AT", "BE", "CH", "DE", "ES", "FR", "IT", "LU", "NL", "PL")
OUTCOMES = ("approve", "review", "decline")
SHARES = (0.994, 0.005, 0.001)
LABELLED_SHARE, FRAUD_SHARE = 0.5, 0.3
"""Shares of the alerts that are labelled by the end of the day, and of those that are fraud."""
BLOCK = 40_000
_FEATURES = ",".join(["0.123456789", "17.0", "null"] * 11)
_TEMPLATE = (
    b'{"decision_id":"decision-day-%d","transaction_id":"day-%d","customer_id":"c%d","event_time":%d,"scored_at":%d,'
    b'"score":0.012345,"outcome":"%b","thresholds":{"review":0.5,"decline":0.9},"model":{"name":"baseline","version":"2",'
    b'"digest":"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"},"catalog":"2",'
    b'"features":['
    + _FEATURES.encode()
    + b'],"source":{"topic":"payments.transactions.v1","partition":%d,"offset":%d},'
    b'"transaction":{"transaction_id":"day-%d","customer_id":"c%d","terminal_id":"m%d","event_time":%d,'
    b'"amount_minor":%d,"currency":"EUR","country":"%b"}}'
)


class Block(NamedTuple):
    """Decisions by partition, and the labels of their alerts."""

    decisions: list[list[OutRecord]]
    labels: list[list[OutRecord]]


class Day:
    """``count`` decisions from midnight to midnight in order of time, with consecutive source offsets per partition."""

    def __init__(self, count: int, partitions: int, seed: int = 7) -> None:
        self.count = count
        self._partitions = partitions
        self._random = np.random.default_rng(seed)
        self._offsets = [0] * partitions

    def blocks(self, first: int, end: int) -> Iterator[Block]:
        """Yield the decisions with numbers from ``first`` up to, not including, ``end``."""
        for start in range(first, end, BLOCK):
            yield self._block(range(start, min(start + BLOCK, end)))

    def close(self) -> list[list[OutRecord]]:
        """Return one decision of the next day for each partition: it closes the day."""
        return [
            [self._decision(self.count + at, START_MS + DAY_MS, (at, 0, 0, 0), at)]
            for at in range(self._partitions)
        ]

    def _block(self, numbers: Sequence[int]) -> Block:
        random, size = self._random, len(numbers)
        columns = zip(
            random.integers(0, CUSTOMERS, size).tolist(),
            random.integers(0, TERMINALS, size).tolist(),
            random.integers(100, 100_000, size).tolist(),
            random.choice(len(OUTCOMES), size, p=SHARES).tolist(),
            strict=True,
        )
        block = Block([[] for _ in range(self._partitions)], [[] for _ in range(self._partitions)])
        for number, drawn in zip(numbers, columns, strict=True):
            time_ms, partition = START_MS + number * DAY_MS // self.count, drawn[0] % self._partitions
            block.decisions[partition].append(self._decision(number, time_ms, drawn, partition))
            if drawn[3] and random.random() < LABELLED_SHARE:
                block.labels[drawn[1] % self._partitions].append(self._label(number, time_ms, drawn))
        return block

    def _decision(
        self, number: int, time_ms: int, drawn: tuple[int, int, int, int], partition: int
    ) -> OutRecord:
        customer, terminal, amount, outcome = drawn
        offset = self._offsets[partition]
        self._offsets[partition] += 1
        country = COUNTRIES[terminal % len(COUNTRIES)].encode()
        value = _TEMPLATE % (
            *(number, number, customer, time_ms, time_ms + 5, OUTCOMES[outcome].encode()),
            *(partition, offset, number, customer, terminal, time_ms, amount, country),
        )
        return OutRecord(b"c%d" % customer, value)

    def _label(self, number: int, time_ms: int, drawn: tuple[int, int, int, int]) -> OutRecord:
        label = Label(
            transaction_id=f"day-{number}",
            customer_id=f"c{drawn[0]}",
            terminal_id=f"m{drawn[1]}",
            event_time=time_ms,
            is_fraud=bool(self._random.random() < FRAUD_SHARE),
            source=LabelSource.ANALYST,
            reported_at=time_ms + 1,
        )
        return OutRecord(label.terminal_id.encode(), msgspec.json.encode(label))


class DaySender:
    """Sends blocks to the topics of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._topics = settings.topics
        self.sender = BatchProducer(settings.kafka)

    async def send(self, block: Block) -> None:
        """Send a block; return when it is acknowledged."""
        await asyncio.gather(
            *self._sending(self._topics.decisions, block.decisions),
            *self._sending(self._topics.labels, block.labels),
        )

    def _sending(self, topic: str, parts: Sequence[Sequence[OutRecord]]) -> Iterator[asyncio.Future[int]]:
        for partition, records in enumerate(parts):
            if records:
                yield asyncio.ensure_future(self.sender.send(topic, partition, records))
