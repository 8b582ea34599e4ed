"""The report of a day: volumes, outcomes, money, and the precision of alerts according to the labels so far."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.identifiers import alert_id
from app.domain.outcomes.outcome import Outcome

ALERTED = (Outcome.REVIEW.value, Outcome.DECLINE.value)
HOURS = 24


class Tallies(NamedTuple):
    """The sums from which a report is built, from the incremental figures or from the events."""

    hours: pa.Table
    """hour, outcome, transactions"""
    places: pa.Table
    """terminal_id, country, currency, outcome, transactions, amount_minor"""
    judged: pa.Table
    """terminal_id, country, outcome, judged, frauds; judged counts the alerts with a label"""
    frauds_known: int
    """Transactions of the day with a fraud label, with or without an alert."""
    repeated: int
    models: pa.Table
    """model, digest, transactions"""
    attacks: pa.Table
    """customer_id, currency, alerts, declines, amount_minor; of the worst alert outcome, score, event_time, transaction_id,
    terminal_id"""


class ModelPart(msgspec.Struct, frozen=True, kw_only=True):
    """A model that decided transactions of the day."""

    model: str
    """Name and version."""
    digest: str
    transactions: int


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts of a customer in one currency, and the worst of them."""

    customer_id: str
    currency: str
    alerts: int
    declines: int
    amount_minor: int
    """Sum of the amounts of all alerts."""
    outcome: str
    score: float
    event_time: int
    alert_id: str
    terminal_id: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one terminal, of one country, or of all transactions."""

    name: str
    transactions: int
    review: int
    decline: int
    amount_minor: dict[str, int]
    """Sum of amounts by currency."""
    judged: int
    """Alerts with a label."""
    frauds: int
    """Frauds among the alerts with a label."""
    precision: float | None
    """frauds / judged, so far; null before the first label."""


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """Report of one day of event time, UTC."""

    day: str
    total: Part
    frauds_known: int
    """Frauds reported so far, with or without an alert."""
    repeated: int
    """Decisions repeated after a takeover; not counted elsewhere."""
    money_minor: dict[str, dict[str, int]]
    """Sum of amounts by currency and outcome."""
    hours: list[dict[str, int]]
    """Transactions by outcome, for each hour."""
    terminals: list[Part]
    """Terminals with the most alerts."""
    countries: list[Part]
    models: list[ModelPart] = []
    """By transactions. Figures that were counted before version 0.2 name none."""
    attacks: list[Attack] = []
    """In each currency the customers with the highest amounts in alerts."""


def report(day: str, tallies: Tallies, top: int) -> DayReport:
    """Build a report with at most ``top`` terminals and ``top`` countries."""
    places, judged = tallies.places, tallies.judged
    return DayReport(
        day=day,
        total=_part("", places, judged),
        frauds_known=tallies.frauds_known,
        repeated=tallies.repeated,
        money_minor=_money(places),
        hours=_hours(tallies.hours),
        terminals=list(_parts("terminal_id", tallies, top)),
        countries=list(_parts("country", tallies, top)),
        models=[ModelPart(**row) for row in _ordered(tallies.models, "transactions", "model", "digest")],
        attacks=list(_attacks(tallies.attacks, top)),
    )


def _attacks(attacks: pa.Table, top: int) -> Iterable[Attack]:
    for currency in sorted(set(attacks["currency"].to_pylist())):
        of_currency = _where(attacks, "currency", currency)
        for row in _ordered(of_currency, "amount_minor", "customer_id")[:top]:
            yield Attack(alert_id=alert_id(row.pop("transaction_id")), **row)


def _ordered(rows: pa.Table, largest: str, *then: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows.sort_by(
        [(largest, "descending"), *((name, "ascending") for name in then)]
    ).to_pylist()
    return found


def _parts(column: str, tallies: Tallies, top: int) -> Iterable[Part]:
    """Yield the parts ordered by alerts, then by transactions, both descending, then by name."""
    places = tallies.places
    alerts = pc.if_else(pc.is_in(places["outcome"], pa.array(ALERTED)), places["transactions"], 0)
    counted = pa.table(
        {"name": places[column], "alerts": alerts, "transactions": places["transactions"]}
    ).group_by("name", use_threads=False)
    ranked = counted.aggregate([("alerts", "sum"), ("transactions", "sum")]).sort_by(
        [("alerts_sum", "descending"), ("transactions_sum", "descending"), ("name", "ascending")]
    )
    for name in ranked["name"].slice(0, top).to_pylist():
        yield _part(name, _where(places, column, name), _where(tallies.judged, column, name))


def _part(name: str, places: pa.Table, judged: pa.Table) -> Part:
    outcomes = _by(places, "outcome", "transactions")
    known, frauds = pc.sum(judged["judged"]).as_py() or 0, pc.sum(judged["frauds"]).as_py() or 0
    return Part(
        name=name,
        transactions=sum(outcomes.values()),
        review=outcomes.get("review", 0),
        decline=outcomes.get("decline", 0),
        amount_minor=_by(places, "currency", "amount_minor"),
        judged=known,
        frauds=frauds,
        precision=frauds / known if known else None,
    )


def _money(places: pa.Table) -> dict[str, dict[str, int]]:
    currencies = sorted(set(places["currency"].unique().to_pylist()))
    return {
        currency: _by(_where(places, "currency", currency), "outcome", "amount_minor")
        for currency in currencies
    }


def _hours(hours: pa.Table) -> list[dict[str, int]]:
    return [_by(_where(hours, "hour", hour), "outcome", "transactions") for hour in range(HOURS)]


def _by(rows: pa.Table, key: str, value: str) -> dict[str, int]:
    """Return the sums of ``value`` by the values of ``key``, in order of key."""
    sums = rows.group_by(key, use_threads=False).aggregate([(value, "sum")]).sort_by(key)
    return dict(zip(sums[key].to_pylist(), map(int, sums[f"{value}_sum"].to_pylist()), strict=True))


def _where(rows: pa.Table, column: str, value: Any) -> pa.Table:
    return rows.filter(pc.equal(rows[column], value))
