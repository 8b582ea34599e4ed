"""Profiles as in a changelog, computed by the service's fold for synthetic customers."""

from collections.abc import Iterator

import numpy as np

from app.adapters.kafka.records import OutRecord
from app.features.fold import Events, fold
from app.features.window import DAY_MS, Bounds

TRANSACTIONS = 21
"""Transactions per customer within a month: a profile of about 700 bytes."""
_START_MS = 1_700_000_000_000
_BOUNDS = Bounds(allowed_lateness_ms=DAY_MS, max_events=4096)


def records(partition: int, customers: int, seed: int) -> Iterator[list[OutRecord]]:
    """Yield the changelog records of the ``customers`` of a partition, 5,000 at a time.

    Another ``seed`` gives other profiles under the same keys.
    """
    for start in range(0, customers, 5_000):
        numbers = range(start, min(start + 5_000, customers))
        values = profiles(len(numbers), np.random.default_rng((seed, partition, start)), offset=seed)
        yield [
            OutRecord(b"customer-%d-%d" % (partition, number), value)
            for number, value in zip(numbers, values, strict=True)
        ]


def profiles(count: int, random: np.random.Generator, offset: int) -> list[bytes]:
    """Return encoded profiles of ``count`` customers; ``offset`` determines the log offsets of their transactions."""
    size = count * TRANSACTIONS
    whole = np.iinfo(np.int64)
    events = Events(
        customer=np.repeat(np.arange(count), TRANSACTIONS),
        time_ms=_START_MS + np.sort(random.integers(0, 30 * DAY_MS, (count, TRANSACTIONS))).ravel(),
        amount_minor=random.integers(100, 50_000, size),
        terminal=random.integers(whole.min, whole.max, size),
        transaction=random.integers(whole.min, whole.max, size),
        latitude=random.uniform(45, 55, size),
        longitude=random.uniform(0, 15, size),
        offset=offset * size + np.arange(size),
    )
    return fold([b""] * count, events, _BOUNDS, topic_id=1).profiles
