"""The headline figures of a day against the day before."""

from collections.abc import Callable, Iterator

import msgspec

from app.domain.money import display
from app.domain.outcomes.outcome import Outcome
from app.reports.day_report import DayReport, Part

COUNT, SHARE = "count", "share"
Read = Callable[[Part], float | None]


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of two days."""

    name: str
    unit: str
    """``count``, ``share``, or the currency of an amount in minor units."""
    value: float | None
    before: float | None
    """None where the day before has no such figure."""
    outcome: str = ""
    """The outcome that the figure is about."""

    @property
    def text(self) -> str:
        return _shown(self.value, self.unit)

    @property
    def text_before(self) -> str:
        return _shown(self.before, self.unit)

    @property
    def change(self) -> str:
        """The change in percent; of a share, in points. Empty where there is nothing to compare with."""
        if self.value is None or self.before is None:
            return ""
        if self.unit == SHARE:
            return f"{100 * (self.value - self.before):+.2f} points"
        return f"{self.value / self.before - 1:+,.1%}".replace("%", " %") if self.before else ""


def headlines(day: DayReport, before: DayReport | None) -> list[Headline]:
    """Return the figures of a day, most important first; ``before`` is the day before, if it is known."""
    return list(_headlines(day, before))


def _headlines(day: DayReport, before: DayReport | None) -> Iterator[Headline]:
    now, past = day.total, before.total if before else None

    def of_parts(name: str, unit: str, read: Read, outcome: str = "") -> Headline:
        value, earlier = read(now), read(past) if past else None
        return Headline(name=name, unit=unit, value=value, before=earlier, outcome=outcome)

    yield of_parts("transactions", COUNT, lambda part: part.transactions)
    yield of_parts("to review", COUNT, lambda part: part.review, Outcome.REVIEW)
    yield of_parts("declined", COUNT, lambda part: part.decline, Outcome.DECLINE)
    yield of_parts("alerts among transactions", SHARE, _alert_share)
    yield from _money(day, before)
    known = before.frauds_known if before else None
    yield Headline(name="frauds known so far", unit=COUNT, value=day.frauds_known, before=known)
    yield of_parts("precision so far", SHARE, lambda part: part.precision)


def _money(day: DayReport, before: DayReport | None) -> Iterator[Headline]:
    for currency, amounts in day.money_minor.items():
        past = before.money_minor.get(currency) if before else None
        for name, outcome in (("amount declined", Outcome.DECLINE), ("amount to review", Outcome.REVIEW)):
            earlier = past.get(outcome, 0) if past else None
            yield Headline(
                name=name, unit=currency, value=amounts.get(outcome, 0), before=earlier, outcome=outcome
            )


def _alert_share(part: Part) -> float | None:
    return (part.review + part.decline) / part.transactions if part.transactions else None


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == SHARE:
        return f"{value:.2%}".replace("%", " %")
    return f"{value:,.0f}" if unit == COUNT else display(int(value), unit)
