"""A report of a day in which every text is given."""

from app.reports.day_report import HOURS, Attack, DayReport, ModelPart, Part


def day_report(name: str) -> DayReport:
    return DayReport(
        day="2026-01-01",
        total=part("all"),
        frauds_known=1,
        repeated=0,
        money_minor={name: {"approve": 1}},
        hours=[{"approve": 1}] * HOURS,
        terminals=[part(name)],
        countries=[part(name)],
        models=[ModelPart(model=name, digest=name, transactions=1)],
        attacks=[attack(name)],
    )


def part(name: str) -> Part:
    counts = {"transactions": 1, "review": 1, "decline": 0, "judged": 1, "frauds": 1}
    return Part(name=name, amount_minor={name: 1}, precision=1.0, **counts)


def attack(name: str) -> Attack:
    return Attack(
        customer_id=name,
        currency=name,
        alerts=1,
        declines=1,
        amount_minor=1,
        outcome="decline",
        score=1.0,
        event_time=0,
        alert_id=name,
        terminal_id=name,
    )
