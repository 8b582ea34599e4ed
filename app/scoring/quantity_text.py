"""Values of features as people write them: money with its currency, durations by their units, shares in percent."""

from app.domain.money import display
from app.domain.words import duration
from app.features.catalog import Feature

_MINOR_UNITS, _SECONDS, _HOURS = "minor units", "seconds", "hours"
_WITHOUT_UNIT = {"1", "0 or 1", "transactions"}


def quantity(value: float, feature: Feature, currency: str) -> str:
    """Return a value of the feature with its unit.

    >>> hour, risk = Feature("transaction_hour", "", "hours", ""), Feature("terminal_risk_7d", "", "1", "")
    >>> quantity(3.2, hour, "EUR"), quantity(0.2273, risk, "EUR")
    ('03:12 UTC', '23 %')
    """
    if feature.name == "transaction_hour":
        return time_of_day(value)
    if "_risk_" in feature.name:
        return percent(value)
    if feature.unit == _MINOR_UNITS:
        return display(round(value), currency)
    if feature.unit == _SECONDS:
        return duration(value)
    return figure(value) if feature.unit in _WITHOUT_UNIT else f"{figure(value)} {feature.unit}"


def time_of_day(hours: float) -> str:
    """Hours since midnight as a time."""
    hour, minute = divmod(round(hours * 60) % 1440, 60)
    return f"{hour:02}:{minute:02} UTC"


def percent(share: float) -> str:
    """A share in percent, without decimals."""
    return f"{share:.0%}".replace("%", " %")


def figure(value: float) -> str:
    """An integer from 100, three significant digits from 1, two decimals below.

    >>> figure(14700.4), figure(14.54), figure(0.4032)
    ('14,700', '14.5', '0.4')
    """
    if abs(value) >= 1:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:.2f}".rstrip("0").rstrip(".")
