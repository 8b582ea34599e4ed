"""Decisions and alerts as text for a console, coloured by outcome."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from app.domain.clock import utc_text
from app.domain.decision import Decision, Outcome, Reason
from app.domain.money import display
from app.domain.safe_text import one_line

STYLES = {Outcome.APPROVE: "green", Outcome.REVIEW: "yellow", Outcome.DECLINE: "bold red"}


def as_line(decision: Decision) -> Text:
    """One line: event time, outcome, score, amount, customer, reasons."""
    amount = display(decision.transaction.amount_minor, decision.transaction.currency)
    style = STYLES[decision.outcome]
    text = Text(f"{event_time(decision.event_time)}  ")
    text.append(f"{decision.outcome:<7}", style=style).append(f"  {decision.score:6.4f}", style=style)
    text.append(one_line(f"  {amount:>14}  {decision.customer_id}"))
    if decision.reasons:
        text.append(one_line("  " + "; ".join(reason.text for reason in decision.reasons)), style="dim")
    return text


def reference_text(terminal: Mapping[str, Any], customer: Mapping[str, Any]) -> str:
    """Name and place of a decision's terminal, and the customer's segment and country, from the bank's tables.

    >>> reference_text({"name": "Fuel 24", "city": "Lyon", "country": "FR"}, {"segment": "student", "country": "DE"})
    'at Fuel 24, Lyon, FR; customer: student, DE'
    """
    place = ", ".join(str(terminal[name]) for name in ("name", "city", "country") if terminal.get(name))
    person = ", ".join(str(customer[name]) for name in ("segment", "country") if customer.get(name))
    return one_line("; ".join(filter(None, [place and f"at {place}", person and f"customer: {person}"])))


def event_time(event_time_ms: int) -> str:
    """An event time in UTC, to the second.

    >>> event_time(1_735_689_600_000)
    '2025-01-01 00:00:00'
    """
    return utc_text(event_time_ms, "%Y-%m-%d %H:%M:%S")


def short(reason: Reason) -> str:
    """A reason in short: the feature, its value and the usual value.

    >>> short(Reason(code="customer_count_1h", text="…", value=9.0, baseline=1.0))
    'customer_count_1h 9 (usually 1)'
    """
    value = "?" if reason.value is None else f"{reason.value:,.4g}"
    usual = "" if reason.baseline is None else f" (usually {reason.baseline:,.4g})"
    return f"{reason.code} {value}{usual}"
