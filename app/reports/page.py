"""Formats the report of a day as tables and charts."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import numpy as np

from app.domain.clock import utc_text
from app.domain.money import display
from app.domain.outcomes.outcome import Outcome
from app.domain.safe_text import one_line
from app.evaluation.drawing import COLOURS as CHART_COLOURS
from app.evaluation.drawing import drawing, legend, svg
from app.evaluation.report import html
from app.evaluation.text_table import Cell, TextTable
from app.rendering.palette import COLOURS
from app.reports.day_report import HOURS, Attack, DayReport, Part
from app.reports.headlines import Headline

MEANINGS = {
    "Transactions by hour": "By event time, UTC. A late transaction counts in the hour of its event time.",
    "Alerts by hour": "Transactions to review or decline, which analysts or customers handle.",
    "Precision so far": "Share of frauds among the alerts with a label. It becomes stable as labels arrive.",
}
ALERT_ID = "{alert_id}"
_NAME_CHARS = 30
"""Of a name in a chart; the table has all of it."""
_DIGEST_CHARS = 12
_ATTACK_HEAD = (
    "customer",
    "alerts",
    "declined",
    "amount",
    "worst",
    "score",
    "time, UTC",
    "terminal",
    "worst alert",
)
_HEAD = ("", "transactions", "review", "decline", "amount", "labelled alerts", "frauds", "precision so far")


def page(report: DayReport, headlines: Sequence[Headline], facts: str, alert_url: str = "") -> str:
    """Return a self-contained HTML page. ``alert_url`` is the address of an alert elsewhere, with ``{alert_id}`` in it."""
    shown = tables(report, headlines, alert_url)
    return html(f"Report of {report.day}", facts, shown, _pictures(report), MEANINGS)


def tables(report: DayReport, headlines: Sequence[Headline], alert_url: str = "") -> Iterator[TextTable]:
    """Yield all tables of the report, the headline figures first."""
    yield TextTable("Headlines", ["", "this day", "day before", "change"], list(map(_headline, headlines)))
    models = [[one.model, one.digest[:_DIGEST_CHARS], f"{one.transactions:,}"] for one in report.models]
    yield TextTable("Models that decided", ["model", "digest", "transactions"], models)
    rows = [_attack(attack, alert_url) for attack in report.attacks]
    yield TextTable("Customers with the highest amounts in alerts", _ATTACK_HEAD, rows)
    yield TextTable("The day", _HEAD, [_row("all", report.total)])
    known, repeated = f"{report.frauds_known:,}", f"{report.repeated:,}"
    yield TextTable("Beside", ["frauds known", "decided again after a takeover"], [[known, repeated]])
    outcomes = [outcome.value for outcome in Outcome]
    yield TextTable(
        "Money by outcome",
        ["currency", *map(_coloured, outcomes)],
        [
            [currency, *(display(money.get(outcome, 0), currency) for outcome in outcomes)]
            for currency, money in report.money_minor.items()
        ],
    )
    yield TextTable("Countries", _HEAD, [_row(part.name or "not said", part) for part in report.countries])
    yield TextTable(
        "Terminals with the most alerts", _HEAD, [_row(part.name, part) for part in report.terminals]
    )


def _headline(headline: Headline) -> Sequence[str]:
    value = Cell(headline.text, colour=COLOURS[Outcome(headline.outcome)] if headline.outcome else "")
    return [headline.name, value, headline.text_before, headline.change]


def _attack(attack: Attack, alert_url: str) -> Sequence[str]:
    """One line for all alerts of a customer; its worst alert leads to the alert itself, or is named for `explain`."""
    url = alert_url.replace(ALERT_ID, quote(attack.alert_id, safe="", errors="replace"))
    when = utc_text(attack.event_time, "%H:%M:%S")
    counts = [f"{attack.alerts:,}", f"{attack.declines:,}", display(attack.amount_minor, attack.currency)]
    worst = [_coloured(attack.outcome), f"{attack.score:.4f}", when, attack.terminal_id]
    return [attack.customer_id, *counts, *worst, Cell(attack.alert_id, url=url)]


def _coloured(outcome: str) -> Cell:
    return Cell(outcome, colour=COLOURS[Outcome(outcome)])


def _row(name: str, part: Part) -> Sequence[str]:
    money = ", ".join(display(amount, currency) for currency, amount in part.amount_minor.items())
    counts = [f"{count:,}" for count in (part.transactions, part.review, part.decline)]
    precision = "no label yet" if part.precision is None else f"{part.precision:.4f}"
    return [name, *counts, money, f"{part.judged:,}", f"{part.frauds:,}", precision]


def _pictures(report: DayReport) -> dict[str, str]:
    drawn = {
        "Transactions by hour": _hours(report, [outcome.value for outcome in Outcome]),
        "Alerts by hour": _hours(report, ["review", "decline"]),
    }
    if report.total.judged:
        drawn["Precision so far"] = _precision(report)
    return drawn


def _hours(report: DayReport, outcomes: Sequence[str]) -> str:
    figure, axes = drawing("hour of the day, UTC", "transactions")
    below = np.zeros(HOURS)
    for outcome in outcomes:
        counts = np.array([hour.get(outcome, 0) for hour in report.hours])
        axes.bar(range(HOURS), counts, bottom=below, color=COLOURS[Outcome(outcome)], label=outcome)
        below = below + counts
    legend(axes)
    return svg(figure)


def _precision(report: DayReport) -> str:
    """Draw the precision of all alerts and of each country with labelled alerts."""
    parts = [part for part in [report.total, *report.countries] if part.precision is not None]
    figure, axes = drawing("frauds among labelled alerts", "")
    names = ["all", *(one_line(part.name or "not said")[:_NAME_CHARS] for part in parts[1:])]
    axes.barh(names, [part.precision or 0.0 for part in parts], color=CHART_COLOURS[0])
    axes.set_xlim(0, 1)
    axes.invert_yaxis()
    return svg(figure)
