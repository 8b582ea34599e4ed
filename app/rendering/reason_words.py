"""Reasons of an alert as short phrases, so that a line of a console has room for them.

The sentence of a reason (``Reason.text``) is complete, but takes a line or two. A phrase says the same in 31 characters.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.domain.decision import Reason
from app.domain.money import display
from app.domain.words import duration
from app.features.entities import ENTITIES, Function

SEPARATOR = "; "
_WINDOW = re.compile(r"_(\d+)([hd])$")


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
        return f"{_figure(self.value / self.usual)} x usual"

    @property
    def money(self) -> str:
        return display(round(self.value), self.currency)


def phrases(reasons: Sequence[Reason], currency: str, width: int) -> str:
    """Return as many whole phrases as fit into ``width`` characters, the most important first; cut only the first.

    >>> many = Reason(code="customer_count_1h", text="…", value=9.0, baseline=1.0)
    >>> phrases([many, many], "EUR", 60), phrases([many, many], "EUR", 30)
    ('9 payments in 1 h, usual 1; 9 payments in 1 h, usual 1', '9 payments in 1 h, usual 1')
    """
    whole = [phrase(reason, currency) for reason in reasons]
    while len(shown := SEPARATOR.join(whole)) > width and len(whole) > 1:
        whole.pop()
    return shown if len(shown) <= width else _cut(shown, width)


def phrase(reason: Reason, currency: str) -> str:
    """Return a reason in words. One of a feature that this version does not know is its sentence without the effect.

    >>> phrase(Reason(code="customer_amount_ratio_30d", text="…", value=14.54, baseline=1.0), "EUR")
    'amount 14.5 x the mean of 30 d'
    """
    window = _WINDOW.search(reason.code)
    code = reason.code[: window.start()] if window else reason.code
    words = _WORDS.get(code)
    if reason.value is None or words is None:
        return _UNKNOWN.get(code) or reason.text.partition(";")[0]
    span = f"{window[1]} {window[2]}" if window else ""
    return words(_Found(reason.value, reason.baseline, span, currency))


def _amount(found: _Found) -> str:
    return f"amount {found.times_usual}" if found.times_usual else f"amount {found.money}"


def _hour(found: _Found) -> str:
    hours, minutes = divmod(round(found.value * 60) % 1440, 60)
    return f"at {hours:02}:{minutes:02} UTC"


def _weekend(found: _Found) -> str:
    return "on a weekend" if found.value else "on a weekday"


def _count(found: _Found) -> str:
    usual = "" if found.usual is None else f", usual {_figure(found.usual)}"
    return f"{_counted(found.value, 'payment')} in {found.window}{usual}"


def _sum(found: _Found) -> str:
    return f"spending {found.times_usual or found.money} in {found.window}"


def _mean(found: _Found) -> str:
    return f"mean amount {found.times_usual or found.money}, {found.window}"


def _std(found: _Found) -> str:
    varied = f"vary {found.times_usual}" if found.times_usual else f"± {found.money}"
    return f"amounts {varied}, {found.window}"


def _ratio(found: _Found) -> str:
    return f"amount {_figure(found.value)} x the mean of {found.window}"


def _zscore(found: _Found) -> str:
    side = "above" if found.value >= 0 else "below"
    return f"{_figure(abs(found.value))} deviations {side} {found.window}"


def _at_terminal(found: _Found) -> str:
    if found.value <= 1:
        return "first payment at this terminal"
    return f"{_counted(found.value, 'payment')} here in {found.window}"


def _since_last(found: _Found) -> str:
    return f"last payment {duration(found.value)} ago"


def _travel(found: _Found) -> str:
    return f"travelled at {_figure(found.value)} km/h"


def _of_entity(name: str, function: Function) -> Callable[[_Found], str]:
    def words(found: _Found) -> str:
        if function is Function.RISK:
            told = f"{found.value:.0%} fraud".replace("%", " %")
        else:
            told = _counted(found.value, "payment" if function is Function.COUNT else "fraud")
        return f"{name}: {told} in {found.window}"

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


def _figure(value: float) -> str:
    """An integer from 100, three significant digits from 1, two decimals below."""
    if abs(value) >= 1:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _cut(text: str, width: int) -> str:
    """Cut behind a word where there is one."""
    kept = text[: max(width - 1, 0)]
    return (kept.rpartition(" ")[0] or kept) + "…"
