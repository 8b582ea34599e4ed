"""Seeded live traffic. A customer's transactions carry consecutive numbers, so that a gap is easy to see."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

START_MS = 1_760_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SPAN_MS = 28 * DAY_MS
TICK_SECONDS = 0.01
BAD = ("chaos", b"bad")
"""Header that marks a record for the verdict as one that must become a dead letter."""


class Sent(NamedTuple):
    """A record to send; ``bad`` when it can never be scored."""

    key: bytes | None
    value: bytes | None
    bad: bool = False
    partition: int | None = None
    """None: the partition of its key."""


def transactions(
    count: int, seed: int, customers: int, *, start_ms: int = START_MS, span_ms: int = SPAN_MS
) -> Iterator[Sent]:
    """``count`` transactions over the span, by default 28 days, mostly in order of event time: 5 % are up to 20 hours late, and
    5 % are older than any event that a profile keeps, so that only the guard by offset recognises their replay.
    """
    random, numbers = Random(seed), [0] * customers
    for number in range(count):
        customer = random.randrange(customers)
        numbers[customer] += 1
        yield transaction(
            customer=f"c{customer}",
            number=numbers[customer],
            time_ms=start_ms + number * span_ms // count - _behind(random),
            amount=random.randrange(100, 100_000),
            terminal=f"m{random.randrange(50)}",
        )


def transaction(customer: str, number: int, time_ms: int, amount: int = 1_000, terminal: str = "m1") -> Sent:
    """Make the ``number``-th transaction of a customer."""
    fields = {
        "transaction_id": f"{customer}-{number:06}",
        "customer_id": customer,
        "terminal_id": terminal,
        "event_time": time_ms,
        "amount_minor": amount,
        "currency": "EUR",
    }
    return Sent(customer.encode(), json.dumps(fields).encode())


def renamed(record: Sent) -> Sent:
    """Make another transaction of the same customer."""
    return record._replace(
        value=(record.value or b"").replace(b'"transaction_id": "', b'"transaction_id": "again-')
    )


def _behind(random: Random) -> int:
    kind = random.random()
    if kind < 0.05:
        return random.randrange(HOUR_MS, 20 * HOUR_MS)
    return random.randrange(40 * DAY_MS, 60 * DAY_MS) if kind < 0.10 else 0


class Traffic:
    """Sends records at a fixed rate, also while brokers are down (open loop), and retries every record until it is sent."""

    def __init__(self, servers: str, topic: str, records: Iterator[Sent], rate: float) -> None:
        self._topic = topic
        self._records = records
        self._rate = rate
        # An idempotent producer of aiokafka retries without limit and appends each record once, in order.
        self._producer = AIOKafkaProducer(
            bootstrap_servers=servers, enable_idempotence=True, acks="all", linger_ms=5
        )
        self._task: asyncio.Task[None] | None = None
        self.sent = 0

    async def start(self) -> None:
        """Connect and begin to send."""
        await self._producer.start()
        self._task = asyncio.create_task(self._run())

    async def reached(self, sent: int) -> None:
        """Return when ``count`` records were given to the client."""
        while self.sent < sent:  # noqa: ASYNC110  # paced by the rate
            await asyncio.sleep(max(TICK_SECONDS, (sent - self.sent) / self._rate))

    async def ended(self) -> None:
        """Return when every record of the source is in the topic."""
        assert self._task is not None
        await self._task
        await self._producer.stop()

    async def abandon(self) -> None:
        """Stop sending, for example after a failure of the scenario."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._producer.stop()

    async def _run(self) -> None:
        start = time.monotonic()
        acknowledged = []
        for record in self._records:
            early = self.sent / self._rate - (time.monotonic() - start)
            if early > 0:
                await asyncio.sleep(max(early, TICK_SECONDS))
            acknowledged.append(await self._send(record))
            self.sent += 1
            if len(acknowledged) >= 10_000:
                await asyncio.gather(*acknowledged)
                acknowledged.clear()
        await asyncio.gather(*acknowledged)

    async def _send(self, record: Sent) -> asyncio.Future[Any]:
        headers = [BAD] if record.bad else []
        while True:
            # With a full buffer the client raises after a time-out without accepting the record.
            with suppress(KafkaTimeoutError):
                acknowledged: asyncio.Future[Any] = await self._producer.send(
                    self._topic, record.value, key=record.key, headers=headers, partition=record.partition
                )
                return acknowledged
