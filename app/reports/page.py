"""Formats the report of a day as tables and charts."""

from collections.abc import Iterator, Sequence

import numpy as np

from app.domain.decision import Outcome
from app.domain.money import display
from app.domain.safe_text import one_line
from app.evaluation.drawing import COLOURS, drawing, legend, svg
from app.evaluation.report import html
from app.evaluation.text_table import TextTable
from app.reports.day_report import HOURS, DayReport, Part

MEANINGS = {
    "Transactions by hour": "By event time, UTC. A late transaction counts in the hour of its event time.",
    "Alerts by hour": "Transactions to review or decline, which analysts or customers handle.",
    "Precision so far": "Share of frauds among the alerts with a label. It becomes stable as labels arrive.",
}
_NAME_CHARS = 30
"""Of a name in a chart; the table has all of it."""
_HEAD = ("", "transactions", "review", "decline", "amount", "labelled alerts", "frauds", "precision so far")


def page(report: DayReport, facts: str) -> str:
    """Return a self-contained HTML page."""
    return html(f"Report of {report.day}", facts, tables(report), _pictures(report), MEANINGS)


def tables(report: DayReport) -> Iterator[TextTable]:
    """Yield all tables of the report."""
    yield TextTable("The day", _HEAD, [_row("all", report.total)])
    known, repeated = f"{report.frauds_known:,}", f"{report.repeated:,}"
    yield TextTable("Beside", ["frauds known", "decided again after a takeover"], [[known, repeated]])
    outcomes = [outcome.value for outcome in Outcome]
    yield TextTable(
        "Money by outcome",
        ["currency", *outcomes],
        [
            [currency, *(display(money.get(outcome, 0), currency) for outcome in outcomes)]
            for currency, money in report.money_minor.items()
        ],
    )
    yield TextTable("Countries", _HEAD, [_row(part.name or "not said", part) for part in report.countries])
    yield TextTable(
        "Terminals with the most alerts", _HEAD, [_row(part.name, part) for part in report.terminals]
    )


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
    for outcome, colour in zip(outcomes, COLOURS, strict=False):
        counts = np.array([hour.get(outcome, 0) for hour in report.hours])
        axes.bar(range(HOURS), counts, bottom=below, color=colour, label=outcome)
        below = below + counts
    legend(axes)
    return svg(figure)


def _precision(report: DayReport) -> str:
    """Draw the precision of all alerts and of each country with labelled alerts."""
    parts = [part for part in [report.total, *report.countries] if part.precision is not None]
    figure, axes = drawing("frauds among labelled alerts", "")
    names = ["all", *(one_line(part.name or "not said")[:_NAME_CHARS] for part in parts[1:])]
    axes.barh(names, [part.precision or 0.0 for part in parts], color=COLOURS[2])
    axes.set_xlim(0, 1)
    axes.invert_yaxis()
    return svg(figure)
