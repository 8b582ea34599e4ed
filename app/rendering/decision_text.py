"""Decisions, alerts and attacks as text for a console, coloured by outcome."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from app.domain.clock import utc_text
from app.domain.decision import Decision
from app.domain.money import display
from app.domain.safe_text import one_line
from app.rendering.attacks import Attack
from app.rendering.palette import STYLES
from app.rendering.reason_words import SEPARATOR, phrase


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


def attack_line(attack: Attack) -> Text:
    """One line: latest event time, worst outcome, its score, sum of the amounts, number of alerts, who, reasons of the worst."""
    worst = attack.worst
    style = STYLES[worst.outcome]
    text = Text(f"{event_time(attack.latest_time)}  ")
    text.append(f"{worst.outcome:<7}", style=style).append(f"  {worst.score:6.4f}", style=style)
    text.append(one_line(f"  {money(attack):>14}  {times(attack.alerts):>5}  {attack.target.value}"))
    words = SEPARATOR.join(phrase(reason) for reason in worst.reasons)
    return text.append(one_line(f"  {words}")) if words else text


def money(attack: Attack) -> str:
    """The sum of an attack's amounts, in each currency."""
    return ", ".join(display(amount, currency) for currency, amount in attack.amounts.items())


def times(count: int) -> str:
    """How many alerts a line stands for; nothing for one.

    >>> times(1), times(1400)
    ('', 'x1,400')
    """
    return f"x{count:,}" if count > 1 else ""
