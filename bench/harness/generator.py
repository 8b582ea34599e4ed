"""An open-loop sender in a process of its own: `python -m bench.harness.generator FIRST COUNT RATE REPORT`.

Event i is due at ``start + i / rate``, independent of the events before it, and latency is measured from that time: a
delayed sender increases the latency instead of hiding it. Everything is encoded beforehand. The events due at a tick are
sent as one batch per partition, because a send() per event would take a whole core at 8,000 events per second.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import uvloop
from aiokafka import AIOKafkaProducer
from numpy.typing import NDArray

from app.adapters.kafka.partitioner import partition_of
from app.settings import Settings
from bench.data.numbered import numbered

TICK_SECONDS = 0.002
LEAD_SECONDS = 0.5
"""Time between the start and the first event."""


class Prepared(NamedTuple):
    """An event ready to be sent."""

    partition: int
    key: bytes
    value: bytes


class Report(msgspec.Struct):
    """Start and delays of the sender; nanoseconds of the machine's monotonic clock."""

    start_ns: int
    late_ms: dict[str, float]
    """Percentiles of the delay from the intended time until an event was given to the client."""


async def run(first: int, count: int, rate: float) -> Report:
    """Send ``count`` events from number ``first`` on; return when all are acknowledged."""
    settings = Settings.from_env()
    events = prepare(first, count, settings.topics.partitions)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, acks="all", linger_ms=0)
    async with producer:
        await producer.partitions_for(settings.topics.transactions)
        start_ns = time.monotonic_ns() + int(LEAD_SECONDS * 1e9)
        late_ns = await _send(producer, settings.topics.transactions, events, start_ns, rate)
    return Report(start_ns, percentiles(late_ns / 1e6))


def prepare(first: int, count: int, partitions: int) -> list[Prepared]:
    """Return the encoded events with their partitions."""
    encode = msgspec.json.Encoder().encode
    keyed = ((event.customer_id.encode(), event) for event in numbered(first, count))
    return [Prepared(partition_of(key, partitions), key, encode(event)) for key, event in keyed]


async def _send(
    producer: Any, topic: str, events: list[Prepared], start_ns: int, rate: float
) -> NDArray[np.float64]:
    intended_ns = start_ns + np.arange(len(events)) * 1e9 / rate
    given_ns = np.empty(len(events))
    acknowledgements: list[Any] = []
    sent = 0
    while sent < len(events):
        now_ns = time.monotonic_ns()
        due = int(np.searchsorted(intended_ns, now_ns, side="right"))
        if due > sent:
            given_ns[sent:due] = now_ns
            acknowledgements += await _send_batches(producer, topic, events[sent:due])
            sent = due
        if sent < len(events):
            wait = (intended_ns[sent] - time.monotonic_ns()) / 1e9
            await asyncio.sleep(max(wait, TICK_SECONDS if rate * TICK_SECONDS > 1 else 0))
    await asyncio.gather(*acknowledgements)
    late: NDArray[np.float64] = given_ns - intended_ns
    return late


async def _send_batches(producer: Any, topic: str, events: list[Prepared]) -> list[Any]:
    batches: dict[int, Any] = {}
    for partition, key, value in events:
        batch = batches.get(partition)
        if batch is None or batch.append(key=key, value=value, timestamp=None) is None:
            if batch is not None:
                await producer.send_batch(batch, topic, partition=partition)
            batch = batches[partition] = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    return [await producer.send_batch(batch, topic, partition=at) for at, batch in batches.items()]


def percentiles(values_ms: NDArray[np.float64]) -> dict[str, float]:
    """Return p50, p99, p99.9 and the maximum, rounded to 2 decimals."""
    found = np.quantile(values_ms, [0.5, 0.99, 0.999, 1.0])
    return {
        name: round(float(value), 2) for name, value in zip(("p50", "p99", "p999", "max"), found, strict=True)
    }


if __name__ == "__main__":
    _first, _count, _rate, _report = sys.argv[1:]
    _sent = uvloop.run(run(int(_first), int(_count), float(_rate)))
    Path(_report).write_bytes(msgspec.json.encode(_sent))
