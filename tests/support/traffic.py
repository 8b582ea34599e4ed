"""Seeded traffic for the workers under test."""

from collections.abc import Iterator
from random import Random

from app.domain.transaction import Transaction

START_MS = 1_760_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def traffic(count: int, seed: int, customers: int = 400, prefix: str = "t") -> Iterator[Transaction]:
    """Transactions of a month, mostly in order of time.

    Some are up to a day late. Some are older than anything a profile keeps: no profile has their transaction id, so that
    only the guard by offset prevents a double count after a replayed record.
    """
    random = Random(seed)
    for number in range(count):
        time_ms = START_MS + number * (28 * DAY_MS // count)
        kind = random.random()
        if kind < 0.05:
            time_ms -= random.randrange(HOUR_MS, 20 * HOUR_MS)
        elif kind < 0.10:
            time_ms -= random.randrange(40 * DAY_MS, 60 * DAY_MS)
        yield Transaction(
            transaction_id=f"{prefix}-{seed}-{number}",
            customer_id=f"c{random.randrange(customers)}",
            terminal_id=f"m{random.randrange(50)}",
            event_time=time_ms,
            amount_minor=random.randrange(100, 100_000),
            currency="EUR",
        )
