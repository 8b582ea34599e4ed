"""What is told of a day: volumes, outcomes, money, and how many alerts turned out to be fraud so far."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.decision import Outcome

ALERTED = (Outcome.REVIEW.value, Outcome.DECLINE.value)
HOURS = 24


class Tallies(NamedTuple):
    """What a report is made of, whether it was kept up to date or computed from the events."""

    hours: pa.Table
    """hour, outcome, transactions"""
    places: pa.Table
    """terminal_id, country, currency, outcome, transactions, amount_minor"""
    judged: pa.Table
    """terminal_id, country, outcome, judged, frauds: of alerts of which a label says what they were"""
    frauds_known: int
    """Labels of the day's transactions that say fraud, alerted or not."""
    repeated: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One terminal, one country, or all."""

    name: str
    transactions: int
    review: int
    decline: int
    amount_minor: dict[str, int]
    """By currency."""
    judged: int
    """Alerts that have a label."""
    frauds: int
    """Of those."""
    precision: float | None
    """Frauds among judged alerts, so far; null before the first label."""


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """One day of event time, UTC."""

    day: str
    total: Part
    frauds_known: int
    """Reported so far, whether an alert was raised or not."""
    repeated: int
    """Decisions that a takeover made again; counted here only."""
    money_minor: dict[str, dict[str, int]]
    """By currency and outcome."""
    hours: list[dict[str, int]]
    """Transactions by outcome, of each hour."""
    terminals: list[Part]
    """Those with the most alerts."""
    countries: list[Part]


def report(day: str, tallies: Tallies, top: int) -> DayReport:
    """``top``: how many terminals, and how many countries, are told."""
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
    )


def _parts(column: str, tallies: Tallies, top: int) -> Iterable[Part]:
    """Most alerts first, then most transactions, then by name."""
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
    """Sums by the values of a column, in their order."""
    sums = rows.group_by(key, use_threads=False).aggregate([(value, "sum")]).sort_by(key)
    return dict(zip(sums[key].to_pylist(), map(int, sums[f"{value}_sum"].to_pylist()), strict=True))


def _where(rows: pa.Table, column: str, value: Any) -> pa.Table:
    return rows.filter(pc.equal(rows[column], value))
