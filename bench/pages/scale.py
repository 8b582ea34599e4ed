"""Estimates the resources for a million events per second from the figures of one machine: arithmetic, no measurement."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.settings import Settings
from app.topics.topic_specs import DAY_MS, topic_table
from bench.harness.results import median

EVENTS_PER_S = 1_000_000
HEADROOM = 0.6
"""Share of a worker's highest speed used for planning: the rest is for peaks and for the partitions of a dead worker."""
COPIES = 3
PARTITIONS_PER_WORKER = 2
BROKERS_BYTES_PER_S = 300e6
"""Bytes written by one broker: an ordinary disk and a 10 Gbit/s link carry this well below their limits."""
CUSTOMERS = 100_000_000

Row = tuple[str, str, str]


def past_one_machine(found: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Return rows of name, value and derivation. Needs the results of throughput and memory."""
    speed = _speed(found["throughput"])
    sizes = _bytes_per_event(found["memory"])
    return [*_workers(speed), *_traffic(sizes), *_retention(sizes), *_state(found["memory"], speed)]


def _speed(throughput: Mapping[str, Any]) -> float:
    rows = (row for row in throughput["results"] if (row["contestant"], row["workers"]) == ("ours", 1))
    return float(median(next(rows)["events_per_s"]))


def _workers(speed: float) -> list[Row]:
    workers = worker_count(speed)
    partitions = workers * PARTITIONS_PER_WORKER
    return [
        ("one worker, one core", f"{speed:,.0f} events/s", "median above, with the broker on the same cores"),
        ("workers", f"{workers:,}", f"{EVENTS_PER_S:,} / ({speed:,.0f} x {HEADROOM}), rounded up"),
        (
            "partitions",
            f"{partitions:,}",
            f"{PARTITIONS_PER_WORKER} per worker, so that there is room to grow",
        ),
        ("a partition", f"{EVENTS_PER_S / partitions:,.0f} events/s", f"{EVENTS_PER_S:,} / {partitions:,}"),
    ]


def worker_count(speed: float) -> int:
    """Return the number of workers of this speed, in events/s, for ``EVENTS_PER_S``.

    >>> worker_count(20_000)
    84
    """
    return math.ceil(EVENTS_PER_S / (speed * HEADROOM))


def _bytes_per_event(memory: Mapping[str, Any]) -> dict[str, float]:
    """Return the bytes per event and topic of the measurement with the most transactions per customer, which is the
    nearest to the profile of a month.
    """
    rows = [row for row in memory["results"] if "topic_bytes_per_event" in row]
    sizes: dict[str, float] = max(rows, key=lambda row: row["events_per_customer"])["topic_bytes_per_event"]
    return sizes


def _traffic(sizes: Mapping[str, float]) -> list[Row]:
    event = sum(sizes.values())
    written = event * EVENTS_PER_S * COPIES
    brokers = max(COPIES, math.ceil(written / BROKERS_BYTES_PER_S))
    summands = " + ".join(f"{name} {size:,.0f}" for name, size in sizes.items())
    return [
        ("an event in Kafka, compressed", f"{event:,.0f} bytes", summands),
        ("produced", _rate(event * EVENTS_PER_S), f"{event:,.0f} bytes x {EVENTS_PER_S:,}/s"),
        ("written to disks", _rate(written), f"{COPIES} copies"),
        ("brokers", f"{brokers:,}", f"of {_rate(BROKERS_BYTES_PER_S)} each, and at least {COPIES}"),
        (
            "network into a broker",
            _rate(written / brokers),
            "records and the copies of others'; it sends as much, and to every reader once more",
        ),
    ]


def _retention(sizes: Mapping[str, float]) -> list[Row]:
    settings = Settings.from_env({})
    names = {settings.topics.transactions: "transactions", settings.topics.decisions: "decisions"}
    return [
        (
            f"{names[topic.name]} kept {topic.retention_ms // DAY_MS} days",
            f"{sizes[names[topic.name]] * EVENTS_PER_S * topic.retention_ms / 1000 * COPIES / 1e15:,.2f} PB",
            f"{sizes[names[topic.name]]:,.0f} bytes x {EVENTS_PER_S:,}/s x {COPIES} copies",
        )
        for topic in topic_table(settings)
        if topic.name in names and topic.retention_ms
    ]


def _state(memory: Mapping[str, Any], speed: float) -> list[Row]:
    rows: Sequence[Mapping[str, Any]] = [r for r in memory["results"] if "disk_bytes_per_customer" in r]
    row = max(rows, key=lambda row: row["events_per_customer"])
    size, workers = row["disk_bytes_per_customer"], worker_count(speed)
    return [
        ("customers a worker owns", f"{CUSTOMERS / workers:,.0f}", f"{CUSTOMERS:,} / {workers:,}"),
        (
            "state on a worker's disk",
            f"{CUSTOMERS / workers * size / 1e9:,.1f} GB",
            f"{size:,.0f} bytes a customer at {row['events_per_customer']:,} transactions; twice during compaction",
        ),
    ]


def _rate(bytes_per_s: float) -> str:
    return f"{bytes_per_s / 1e6:,.0f} MB/s"
