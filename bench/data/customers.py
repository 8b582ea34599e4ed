"""Customers by number, cheap to generate by the million; only their number and how often they pay matter."""

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.domain.transaction import Transaction

START_MS = 1_009_843_200_000
"""2002-01-01: many events of few customers span years, and an event must not lie in the future."""
LONGEST_MS = 20 * 365 * 86_400_000
WINDOW_MS = 30 * 86_400_000
"""The longest window."""
TERMINALS = 10_000
TERMINALS_EACH = 5
MOST_MINOR = 20_000


class Customers(NamedTuple):
    """``number`` customers who pay ``events_per_window`` times each in the longest window, on average."""

    number: int
    events_per_window: int

    @property
    def events(self) -> int:
        """Number of events until each customer has paid ``events_per_window`` times."""
        return self.number * self.events_per_window

    def everyone(self, times: int) -> Iterator[int]:
        """Yield the number of every customer ``times`` times, in a new random order each time."""
        order = list(range(self.number))
        chance = random.Random(self.number)
        for _ in range(times):
            chance.shuffle(order)
            yield from order

    def anyone(self, seed: int) -> Iterator[int]:
        """Yield uniformly random customer numbers without end."""
        chance = random.Random(seed)
        while True:
            yield int(chance.random() * self.number)

    def transactions(self, payers: Iterable[int], first: int = 0) -> Iterator[Transaction]:
        """Yield a transaction per payer in order of event time, numbered from ``first``.

        Raises ValueError when they span more than 20 years: use more customers or fewer events.
        """
        gap_ms = WINDOW_MS / self.events
        for event, payer in enumerate(payers, first):
            if event * gap_ms > LONGEST_MS:
                raise ValueError(f"{event} events of {self.number} customers reach over more than 20 years")
            yield Transaction(
                transaction_id=f"t{event:012}",
                customer_id=f"c{payer:09}",
                terminal_id=f"m{(payer * 7 + event % TERMINALS_EACH) % TERMINALS:06}",
                event_time=START_MS + int(event * gap_ms),
                amount_minor=100 + (payer * 31 + event * 7919) % MOST_MINOR,
                currency="EUR",
            )
