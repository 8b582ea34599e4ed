"""Simulates labelled traffic: customers with habits, and five fraud patterns.

The same simulation gives the same transactions on every machine, in order of event time, one day at a time.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import blake2b
from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Meta

from app.adapters.tabular.batches import TransactionBatch, encoded
from app.traffic.cities import FAR, HOMES
from app.traffic.habits import DAY_MS, LEGITIMATE, NO_DEVICE, Rows, draw_day
from app.traffic.patterns import PATTERNS, Fraudsters
from app.traffic.population import (
    CHANNELS,
    ECOMMERCE,
    MCCS,
    Customers,
    Integers,
    Terminals,
    draw_customers,
    draw_terminals,
)

BATCH_ROWS = 20_000
"""Rows per batch. A busy day is split, because its texts take many times the memory of its numbers."""
_EPOCH = date(1970, 1, 1)
_POPULATION, _DAYS = range(2)
_SCRAMBLE = 0x9E3779B97F4A7C15
"""An odd number: multiplication by it modulo a power of two maps different numbers to different numbers."""


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a simulation; equal parameters give equal transactions."""

    customers: Annotated[int, Meta(ge=1)]
    terminals: Annotated[int, Meta(ge=2)]
    """At least one at home and one far away."""
    days: Annotated[int, Meta(ge=1)]
    seed: Annotated[int, Meta(ge=0)]
    start: date

    def tag(self) -> str:
        """Return ten hexadecimal digits that identify the traffic, so that two simulations share no transaction_id.

        The number of days is left out: a longer simulation begins with the same transactions.
        """
        text = f"{self.customers}/{self.terminals}/{self.seed}/{self.start}"
        return blake2b(text.encode(), digest_size=5, person=b"simulation").hexdigest()


def simulate(simulation: Simulation) -> Iterator[TransactionBatch]:
    """Yield the transactions in order of event time, with ``is_fraud`` and ``fraud_pattern``."""
    rng = _generator(simulation.seed, _POPULATION, 0)
    terminals = draw_terminals(rng, simulation.terminals)
    customers = draw_customers(rng, simulation.customers, terminals)
    fraudsters = Fraudsters(customers, terminals)
    writer = _Rendering(simulation.tag(), customers, terminals)
    for day in range(simulation.days):
        today = simulation.start + timedelta(days=day)
        rng = _generator(simulation.seed, _DAYS, day)
        legitimate = draw_day(rng, today.weekday(), customers, terminals)
        yield from writer.batches(today, fraudsters.attack(rng, day, legitimate))


def _generator(seed: int, purpose: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose, number])))


class _Rendering:
    """Turns arrays into the columns of the transaction schema. Every identifier starts with a letter and holds no
    separator, so that none can be taken for a card number.
    """

    def __init__(self, tag: str, customers: Customers, terminals: Terminals) -> None:
        self._tag = tag
        self._customers = customers
        self._terminals = terminals
        self._first_row = 1
        self._customer_ids = _texts([f"c{n:07d}" for n in range(customers.city.size)])
        self._tokens = _texts([f"tok{n * _SCRAMBLE % 2**64:016x}" for n in range(customers.city.size)])
        self._terminal_ids = _texts([f"m{n:07d}" for n in range(terminals.city.size)])
        self._mccs = _texts([MCCS[c][m] for c, m in zip(terminals.channel, terminals.mcc, strict=True)])
        self._channels = _texts(list(CHANNELS))
        self._countries = _texts([place.country for place in HOMES + FAR])
        self._patterns = _texts(list(PATTERNS))

    def batches(self, today: date, rows: Rows) -> Iterator[TransactionBatch]:
        """Yield the rows of a day, BATCH_ROWS at a time."""
        prefix = f"s{self._tag}d{(today - _EPOCH).days}t"
        for start in range(0, len(rows), BATCH_ROWS):
            columns = {
                name: getattr(rows, name)[start : start + BATCH_ROWS] for name in Rows.__struct_fields__
            }
            batch = self._batch(Rows(**columns), (today - _EPOCH).days * DAY_MS, prefix, start)
            self._first_row += len(batch)
            yield batch

    def _batch(self, rows: Rows, midnight_ms: int, prefix: str, start: int) -> TransactionBatch:
        terminals, customers = self._terminals, self._customers
        legitimate = rows.pattern == LEGITIMATE
        online = terminals.channel[rows.terminal] == ECOMMERCE
        # The position of an internet purchase is the customer's home, otherwise the terminal.
        latitude = np.where(online, customers.latitude[rows.customer], terminals.latitude[rows.terminal])
        longitude = np.where(online, customers.longitude[rows.customer], terminals.longitude[rows.terminal])
        return TransactionBatch(
            first_row=self._first_row,
            transaction_id=pa.array([f"{prefix}{number}" for number in range(start, start + len(rows))]),
            customer_id=encoded(self._customer_ids.take(rows.customer)),
            terminal_id=encoded(self._terminal_ids.take(rows.terminal)),
            event_time=midnight_ms + rows.day_ms,
            amount_minor=rows.amount_minor,
            currency=pa.repeat("EUR", len(rows)),
            channel=self._channels.take(terminals.channel[rows.terminal]),
            mcc=self._mccs.take(rows.terminal),
            country=self._countries.take(terminals.city[rows.terminal]),
            device_id=_devices(rows.device),
            card_token=self._tokens.take(rows.customer),
            latitude=latitude,
            longitude=longitude,
            is_fraud=~legitimate,
            fraud_pattern=self._patterns.take(pa.array(rows.pattern, mask=legitimate)),
        )


def _devices(numbers: Integers) -> pa.Array:
    return _texts(
        [
            None if number == NO_DEVICE else f"dev{number * _SCRAMBLE % 2**48:012x}"
            for number in numbers.tolist()
        ]
    )


def _texts(values: list[str] | list[str | None]) -> pa.Array:
    return pa.array(values, pa.string())
