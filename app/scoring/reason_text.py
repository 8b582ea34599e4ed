"""The text of a reason: what the feature shows, how it compares, and what it does to the score.

``amount 5.83 x usual; 235.80 EUR: higher than the 40.43 EUR usual for legitimate transactions, lower than the 900.00 EUR
usual for this customer; multiplies the odds of fraud by 24``
"""

from math import exp, isnan
from typing import NamedTuple

from app.domain.decision import Direction
from app.features.catalog import Feature
from app.scoring.model import Scale
from app.scoring.quantity_text import figure, quantity
from app.scoring.reason_words import phrase

MOST_TIMES = 1_000
"""Beyond it a factor says no more than that the odds are high."""
_LEAST_EFFECT = 0.005
_THAN = {Direction.HIGHER: "higher than", Direction.LOWER: "lower than", Direction.EQUAL: "equal to"}
_TIMES = {Direction.HIGHER: "later than", Direction.LOWER: "earlier than", Direction.EQUAL: "at"}
_BINARY = "0 or 1"


class Compared(NamedTuple):
    """The value of a feature, and what it is compared with."""

    feature: Feature
    value: float
    """NaN where it is missing."""
    usual: float | None
    """Median of the legitimate transactions of the training: what the contribution is measured against."""
    own: float | None
    """Usual value of this customer."""
    currency: str

    @property
    def direction(self) -> Direction | None:
        """On which side of the usual value the value is."""
        return None if self.usual is None or isnan(self.value) else self.against(self.usual)

    def against(self, usual: float) -> Direction:
        """The side on which people see the value: equal where both are written alike."""
        if self.written(self.value) == self.written(usual):
            return Direction.EQUAL
        return Direction.HIGHER if self.value > usual else Direction.LOWER

    def written(self, value: float) -> str:
        """A value of the feature as text."""
        return quantity(value, self.feature, self.currency)


def text(compared: Compared, effect: str) -> str:
    """The text of a reason with what it does to the score."""
    shown = phrase(compared.feature, compared.value, compared.usual, compared.currency)
    return "; ".join(filter(None, [shown, comparison(compared), effect]))


def comparison(compared: Compared) -> str:
    """The value against the usual ones; empty where there is nothing to compare."""
    if isnan(compared.value) or compared.feature.unit == _BINARY:
        return ""
    usual = [
        f"{_than(compared, value)} {compared.written(value)} usual for {whose}"
        for value, whose in ((compared.usual, "legitimate transactions"), (compared.own, "this customer"))
        if value is not None
    ]
    return f"{compared.written(compared.value)}: {', '.join(usual)}" if usual else ""


def effect_on_score(added: float, scale: Scale) -> str:
    """What a contribution does to the score, on its scale.

    >>> effect_on_score(3.2, Scale.LOG_ODDS), effect_on_score(9.6, Scale.LOG_ODDS)
    ('multiplies the odds of fraud by 24.5', 'multiplies the odds of fraud by more than 1,000')
    >>> effect_on_score(0.001, Scale.LOG_ODDS), effect_on_score(-0.3, Scale.PROBABILITY)
    ('hardly changes the score', 'lowers the score')
    """
    if abs(added) < _LEAST_EFFECT:
        return "hardly changes the score"
    if added < 0:
        return "lowers the score"
    if scale is Scale.PROBABILITY:
        return f"adds {added:.2f} to the score"
    times = exp(min(added, 700.0))
    many = f"more than {MOST_TIMES:,}" if times > MOST_TIMES else figure(times)
    return f"multiplies the odds of fraud by {many}"


def _than(compared: Compared, usual: float) -> str:
    words = _TIMES if compared.feature.name == "transaction_hour" else _THAN
    return f"{words[compared.against(usual)]} the"
