"""Customers by number, cheap to make by the million: how many there are and how often they pay is what counts."""

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.domain.transaction import Transaction

START_MS = 1_009_843_200_000
"""2002-01-01: an event may not lie in the future, and few customers make years of many events."""
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
        """Until everybody has paid as often as that."""
        return self.number * self.events_per_window

    def everyone(self, times: int) -> Iterator[int]:
        """Each customer's number ``times`` times, in another order each time."""
        order = list(range(self.number))
        chance = random.Random(self.number)
        for _ in range(times):
            chance.shuffle(order)
            yield from order

    def anyone(self, seed: int) -> Iterator[int]:
        """Uniformly random numbers without end."""
        chance = random.Random(seed)
        while True:
            yield int(chance.random() * self.number)

    def transactions(self, payers: Iterable[int], first: int = 0) -> Iterator[Transaction]:
        """One of each payer in turn, from number ``first`` of the stream on, in order of event time.

        Raises ValueError when they reach too far: then there must be more customers, or fewer events.
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
