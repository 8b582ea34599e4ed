"""Small source logs with repeats, late and invalid records, and the results they must lead to."""

import json
from collections import Counter
from functools import lru_cache
from random import Random
from typing import NamedTuple

from tests.simulation.world import Record
from tests.support import oracle

NOW_MS = 1_760_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
EVENTS, CUSTOMERS = 24, 3
LOGS = 40
"""Number of different logs. Schedules use them in turn, so that each expected result is computed once."""


class Source(NamedTuple):
    """A source log and its expected results."""

    records: list[Record]
    customers: dict[str, oracle.Customer]
    features: dict[str, list[float]]
    """Of the transactions within the allowed lateness."""
    last_offsets: dict[str, int]
    """Offset of each customer's last record, including repeats."""
    bad: Counter[tuple[bytes | None, bytes | None]]

    @property
    def transactions(self) -> set[str]:
        return {event.transaction_id for customer in self.customers.values() for event in customer.events}


@lru_cache(maxsize=LOGS)
def source(seed: int) -> Source:
    """Make a log: a tenth of the records is invalid, a tenth repeated, a tenth late, a twentieth too old to be kept."""
    random = Random(seed)
    good: list[Record] = []
    kept: list[Record] = []
    records: list[Record] = []
    bad: Counter[tuple[bytes | None, bytes | None]] = Counter()
    for offset in range(EVENTS):
        kind = random.random()
        if kind < 0.1:
            record = Record(b"c0", b"{" * random.randint(1, 3), offset, timestamp=NOW_MS)
            bad[record.key, record.value] += 1
        elif kind < 0.2 and kept:
            record = random.choice(kept)._replace(offset=offset)
        else:
            record = _transaction(offset, kind, random)
        records.append(record)
        if kind >= 0.1:
            good.append(record)
        if kind >= 0.35:
            kept.append(record)  # the id of an older one may be evicted: its repeat then counts as new
    customers = oracle.fold(good)
    features = {
        n: f for customer in customers.values() for n, f in oracle.expected_features(customer).items()
    }
    last = {(record.key or b"").decode(): record.offset for record in good}
    return Source(records, customers, features, last, bad)


def _transaction(offset: int, kind: float, random: Random) -> Record:
    customer = f"c{random.randrange(CUSTOMERS)}"
    behind = random.randrange(20 * HOUR_MS) if kind < 0.3 else 50 * DAY_MS if kind < 0.35 else 0
    fields = {
        "transaction_id": f"t{offset}",
        "customer_id": customer,
        "terminal_id": f"m{random.randrange(3)}",
        "event_time": NOW_MS - 20 * DAY_MS + offset * 12 * HOUR_MS - behind,
        "amount_minor": random.choice((100, 900, 1_500, 80_000)),
        "currency": "EUR",
    }
    return Record(customer.encode(), json.dumps(fields).encode(), offset, timestamp=NOW_MS)
