"""The demo's traffic: weeks of history, then live events in which a simulated day takes seconds, up to yesterday."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple

import msgspec

from app.adapters.tabular.batches import TransactionBatch
from app.demo.plan import Plan
from app.domain.transaction import Transaction
from app.traffic.simulate import Simulation, simulate

DAY_MS = 86_400_000
LONGEST_SEASON_DAYS = 365
EVENTS_A_DAY = 2.0
"""Least mean number of events per simulated customer; see app/traffic/population.py."""

Record = tuple[bytes, bytes]
_encode = msgspec.json.Encoder().encode


def live_days(plan: Plan) -> int:
    """Return the number of simulated days of the live traffic, at most a year; ``live`` then starts another year."""
    if plan.seconds is None:
        return LONGEST_SEASON_DAYS
    needed = plan.rate * plan.seconds / (plan.customers * EVENTS_A_DAY)
    return min(int(needed) + 2, LONGEST_SEASON_DAYS)


class Event(NamedTuple):
    """A transaction and its label."""

    transaction: Transaction
    is_fraud: bool


def history(plan: Plan, today: date) -> Iterator[Event]:
    """Yield the weeks before the live traffic."""
    days = live_days(plan)
    for batch in simulate(_simulation(plan, today, plan.history_days, days, season=0)):
        yield from _events(batch)


def history_span(plan: Plan, today: date) -> tuple[int, int]:
    """Return the begin and the end of the history, in milliseconds since the epoch."""
    end_ms = _midnight_ms(today - timedelta(days=live_days(plan)))
    return end_ms - plan.history_days * DAY_MS, end_ms


def live(plan: Plan, today: date) -> Iterator[Event]:
    """Yield the events after the history, without end.

    Each further year has new customers, because the profiles of the earlier ones have already reached its end.
    """
    days = live_days(plan)
    _, begin_ms = history_span(plan, today)
    for batch in simulate(_simulation(plan, today, plan.history_days + days, days, season=0)):
        if batch.event_time[-1] >= begin_ms:  # earlier rows belong to the history
            yield from (event for event in _events(batch) if event.transaction.event_time >= begin_ms)
    for season in count(1):
        for batch in simulate(_simulation(plan, today, plan.history_days + days, days, season)):
            for row, is_fraud in _events(batch):
                yield Event(msgspec.structs.replace(row, customer_id=f"y{season}{row.customer_id}"), is_fraud)


def _events(batch: TransactionBatch) -> Iterator[Event]:
    frauds = [] if batch.is_fraud is None else batch.is_fraud.tolist()
    return map(Event, batch.transactions(), frauds)


def renamed(event: Event, transaction_id: str) -> Event:
    """Give a transaction an id of this run, by which the reconciliation counts it."""
    return event._replace(
        transaction=msgspec.structs.replace(event.transaction, transaction_id=transaction_id)
    )


def record(transaction: Transaction) -> Record:
    """Return key and value of the record."""
    return transaction.customer_id.encode(), _encode(transaction)


def malformed(number: int) -> Record:
    """Return a message that cannot be scored; five kinds of errors take turns."""
    event = {
        "transaction_id": f"malformed{number}",
        "customer_id": "c0000001",
        "terminal_id": "m0000001",
        "event_time": 1_735_689_600_000,
        "amount_minor": 1_250,
        "currency": "EUR",
    }
    key = b"c0000001"
    without_amount = {name: value for name, value in event.items() if name != "amount_minor"}
    broken = [
        (key, b'{"transaction_id": "cut off in the mid'),
        (key, _encode(without_amount)),
        (key, _encode(event | {"amount_minor": "12.50"})),
        (b"c0000002", _encode(event)),
        (key, _encode(event | {"event_time": 1_735_689_600})),
    ]
    return broken[number % len(broken)]


def _midnight_ms(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_MS


def _simulation(plan: Plan, today: date, days: int, live: int, season: int) -> Simulation:
    return Simulation(
        customers=plan.customers,
        terminals=plan.terminals,
        days=days,
        seed=plan.seed + season,
        start=today - timedelta(days=plan.history_days + live),
    )
