"""Prints the report of a day on a console: headline figures, models, and the attacks with the highest amounts."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from app.domain.money import display
from app.domain.outcomes.outcome import Outcome
from app.rendering.console import SafeConsole
from app.rendering.palette import STYLES
from app.rendering.plain_table import plain_table
from app.reports.day_report import DayReport
from app.reports.headlines import Headline

MOST_ATTACKS = 5
PIPE_WIDTH = 160
"""Columns where standard output is no console."""


def print_report(console: SafeConsole, report: DayReport, headlines: Sequence[Headline], status: str) -> None:
    """Print the report; every amount is in the units that people use."""
    console.print(Text(f"Report of {report.day}", style="bold"))
    console.print(_headlines(headlines))
    console.print(Text(models(report)), soft_wrap=True)
    if report.attacks:
        console.print(_attacks(report))
    console.print(Text(status), soft_wrap=True)


def models(report: DayReport) -> str:
    """Name the models that decided."""
    named = [f"{one.model} ({one.digest[:12]}) of {one.transactions:,}" for one in report.models]
    return f"model: {', '.join(named) or 'not known, the figures were counted before version 0.2'}"


def _headlines(headlines: Sequence[Headline]) -> Table:
    table = plain_table("", value="this day", before="day before", change="change")
    for one in headlines:
        style = STYLES[Outcome(one.outcome)] if one.outcome else "bold"
        table.add_row(one.name, Text(one.text, style=style), one.text_before, one.change)
    return table


def _attacks(report: DayReport) -> Table:
    table = plain_table(
        "customer", "worst", "worst alert: fraudstream explain …", alerts="alerts", amount="amount"
    )
    for one in report.attacks[:MOST_ATTACKS]:
        worst = Text(one.outcome, style=STYLES[Outcome(one.outcome)])
        amount = display(one.amount_minor, one.currency)
        table.add_row(one.customer_id, worst, one.alert_id, f"{one.alerts:,}", amount)
    return table
