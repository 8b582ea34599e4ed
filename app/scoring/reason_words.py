"""What a feature of an alert shows, in a phrase of at most 31 characters: the beginning of a reason's text.

A console shows the phrase alone where it has no room for the text.
"""

import re
from collections.abc import Callable
from math import isnan
from typing import NamedTuple

from app.domain.money import display
from app.domain.words import duration
from app.features.catalog import FEATURES, Feature
from app.features.entities import ENTITIES, Function
from app.scoring.quantity_text import figure, percent, quantity, time_of_day

_WINDOW = re.compile(r"_(\d+)([hd])$")
_SHIPPED = {feature.name: feature for feature in FEATURES}


class _Found(NamedTuple):
    value: float
    usual: float | None
    window: str
    """``30 d``; empty for a feature without a window."""
    currency: str

    @property
    def times_usual(self) -> str:
        """``14.5 x usual``; empty where nothing is usual."""
        if not self.usual or self.usual < 0:
            return ""
        return f"{figure(self.value / self.usual)} x usual"

    @property
    def money(self) -> str:
        return display(round(self.value), self.currency)


def phrase(feature: Feature, value: float, usual: float | None, currency: str) -> str:
    """Return what a feature shows. ``value`` is NaN where it is missing; ``usual`` is that of legitimate transactions.

    A feature of a bank's own catalog is named by its meaning.

    >>> phrase(_SHIPPED["customer_amount_ratio_30d"], 14.54, 1.0, "EUR")
    'amount 14.5 x the mean of 30 d'
    """
    window = _WINDOW.search(feature.name)
    name = feature.name[: window.start()] if window else feature.name
    words = _WORDS.get(name) if is_shipped(feature) else None
    if words is None:
        known = f"unknown ({feature.missing})" if isnan(value) else quantity(value, feature, currency)
        return f"{feature.meaning}: {known}"
    if isnan(value):
        return _UNKNOWN.get(name, f"{feature.meaning}: unknown")
    return words(_Found(value, usual, f"{window[1]} {window[2]}" if window else "", currency))


def is_shipped(feature: Feature) -> bool:
    """Whether it is a feature of the shipped catalog, and not another one that a bank has given the same name."""
    return _SHIPPED.get(feature.name) == feature


def _amount(found: _Found) -> str:
    return f"amount {found.times_usual}" if found.times_usual else f"amount {found.money}"


def _hour(found: _Found) -> str:
    return f"at {time_of_day(found.value)}"


def _weekend(found: _Found) -> str:
    return "on a weekend" if found.value else "on a weekday"


def _count(found: _Found) -> str:
    usual = "" if found.usual is None else f", usual {figure(found.usual)}"
    return f"{_counted(found.value, 'payment')} in {found.window}{usual}"


def _sum(found: _Found) -> str:
    return f"spending {found.times_usual or found.money} in {found.window}"


def _mean(found: _Found) -> str:
    return f"mean amount {found.times_usual or found.money}, {found.window}"


def _std(found: _Found) -> str:
    varied = f"vary {found.times_usual}" if found.times_usual else f"± {found.money}"
    return f"amounts {varied}, {found.window}"


def _ratio(found: _Found) -> str:
    return f"amount {figure(found.value)} x the mean of {found.window}"


def _zscore(found: _Found) -> str:
    side = "above" if found.value >= 0 else "below"
    return f"{figure(abs(found.value))} deviations {side} {found.window}"


def _at_terminal(found: _Found) -> str:
    if found.value <= 1:
        return "first payment at this terminal"
    return f"{_counted(found.value, 'payment')} here in {found.window}"


def _since_last(found: _Found) -> str:
    return f"last payment {duration(found.value)} ago"


def _travel(found: _Found) -> str:
    return f"travelled at {figure(found.value)} km/h"


def _of_entity(name: str, function: Function) -> Callable[[_Found], str]:
    def words(found: _Found) -> str:
        if function is Function.RISK:
            shown = f"{percent(found.value)} fraud"
        else:
            shown = _counted(found.value, "payment" if function is Function.COUNT else "fraud")
        return f"{name}: {shown} in {found.window}"

    return words


_WORDS: dict[str, Callable[[_Found], str]] = {
    "transaction_amount": _amount,
    "transaction_hour": _hour,
    "transaction_weekend": _weekend,
    "customer_count": _count,
    "customer_amount_sum": _sum,
    "customer_amount_mean": _mean,
    "customer_amount_std": _std,
    "customer_amount_ratio": _ratio,
    "customer_amount_zscore": _zscore,
    "customer_terminal_count": _at_terminal,
    "customer_seconds_since_last": _since_last,
    "customer_travel_kmh": _travel,
} | {
    f"{entity.name}_{function}": _of_entity(entity.name, function)
    for entity in ENTITIES
    for function in entity.functions
}
"""By the name of the feature without its window."""
_UNKNOWN = {
    "customer_amount_ratio": "no other amount to compare with",
    "customer_amount_zscore": "other amounts do not vary",
    "customer_seconds_since_last": "first payment of the customer",
    "customer_travel_kmh": "place unknown",
} | {
    f"{entity.name}_{function}": f"{entity.name} unknown"
    for entity in ENTITIES
    for function in entity.functions
}
"""Where the value is missing, and its absence is the reason."""


def _counted(number: float, what: str) -> str:
    return f"{number:,.0f} {what}{'' if round(number) == 1 else 's'}"
