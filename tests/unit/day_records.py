"""Decision and label records for the role analytics: several days, late events, repeats after takeovers, invalid records."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

FIRST_DAY = 20_512
DAY_MS = 86_400_000


class Record(NamedTuple):
    """A record as a consumer returns it."""

    value: bytes | None
    partition: int
    offset: int


def decision(number: int, source: tuple[int, int], random: Random) -> dict[str, Any]:
    """A decision as the role risk publishes it."""
    time_ms = (FIRST_DAY + random.choice((0, 0, 0, 1))) * DAY_MS + random.randrange(DAY_MS)
    country = {"country": random.choice(("DE", "FR"))} if random.random() < 0.8 else {}
    return {
        "decision_id": f"decision-t{number}",
        "transaction_id": f"t{number}",
        "customer_id": f"c{number % 7}",
        "event_time": time_ms,
        "scored_at": time_ms + 5,
        "score": 0.25,
        "outcome": random.choice(("approve", "approve", "review", "decline")),
        "thresholds": {"review": 0.5, "decline": 0.9},
        "model": {"name": "m", "version": "1", "digest": "d"},
        "catalog": "2",
        "features": [1.0, None],
        "source": {"topic": "transactions", "partition": source[0], "offset": source[1]},
        "transaction": {
            "transaction_id": f"t{number}",
            "customer_id": f"c{number % 7}",
            "terminal_id": f"m{number % 5}",
            "event_time": time_ms,
            "amount_minor": random.randrange(10_000),
            "currency": random.choice(("EUR", "JPY")),
            **country,
        },
    }


def decided(partition: int, count: int, random: Random) -> list[dict[str, Any]]:
    """Decisions of one partition in order; the last few before a takeover are repeated."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        if found and random.random() < 0.1:
            found += found[-random.randrange(1, 4) :]
        number = partition * 1_000_000 + len(found)
        sources = [one["source"]["offset"] for one in found]
        found.append(decision(number, (partition, max(sources, default=-1) + random.randrange(1, 3)), random))
    return found


def label(of: dict[str, Any], random: Random) -> dict[str, Any]:
    """A label of a decided transaction."""
    return {
        "transaction_id": of["transaction_id"],
        "customer_id": of["customer_id"],
        "terminal_id": of["transaction"]["terminal_id"],
        "event_time": of["event_time"],
        "is_fraud": random.random() < 0.5,
        "source": "analyst",
        "reported_at": of["event_time"] + random.randrange(1, 5),
    }


def records(partition: int, events: Sequence[dict[str, Any]], random: Random) -> list[Record]:
    """Records on their topic, with invalid records in between and gaps in the offsets."""
    found, offset = [], 0
    for event in events:
        if random.random() < 0.05:
            found.append(Record(random.choice((b"{", None, b'{"outcome": "approve"}')), partition, offset))
            offset += 1
        found.append(Record(json.dumps(event).encode(), partition, offset))
        offset += random.choice((1, 1, 1, 2))
    return found
