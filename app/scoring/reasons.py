"""Reasons of an alert: the features that raised its score most, each compared with what is usual.

For a model without contributions, the reasons are the features whose values are rarest among the transactions of its
training. The model need not have used these features, so the alert names the method. Contributions are preferred
because they explain the score; rarity only describes the transaction.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from app.computation.feature_set import FeatureSet
from app.domain.decision import Method, Reason
from app.features.catalog import Feature
from app.scoring.baselines import Values, own_usual
from app.scoring.model import Contributions, Distribution, Model, Scale
from app.scoring.reason_text import Compared, effect_on_score, text
from app.scoring.reason_words import is_shipped

MOST_REASONS = 3


class Alerted(NamedTuple):
    """A transaction to explain."""

    features: FeatureSet
    values: Sequence[float]
    """In the order of the features."""
    currency: str
    observed_ms: int
    """Time over which the customer's events have been kept, as of this transaction."""


class Explanation(NamedTuple):
    """The reasons of an alert, the most important first, and the method by which they were computed."""

    reasons: list[Reason]
    method: Method


def explain(alerted: Alerted, model: Model) -> Explanation:
    """Return at most MOST_REASONS reasons."""
    contributions = model.contributions(np.array([alerted.values]))
    if contributions is None:
        return Explanation(rarest(alerted, model.distributions), Method.RARITY)
    return Explanation(contributing(alerted, contributions, model.distributions), contributions.method)


def contributing(
    alerted: Alerted, contributions: Contributions, distributions: dict[str, Distribution]
) -> list[Reason]:
    """Return the features that raised the score of the first row most; at least one, even if no feature raised it."""
    (added,) = contributions.values[:1].tolist()
    ranked = sorted(range(len(added)), key=lambda column: -added[column])[:MOST_REASONS]
    raised = [column for column in ranked if added[column] > 0] or ranked[:1]
    by_name = dict(zip(alerted.features.names, alerted.values, strict=True))
    return [
        _contribution(
            alerted.features.features[column],
            by_name,
            alerted,
            added[column],
            contributions.scale,
            distributions,
        )
        for column in raised
    ]


def _contribution(
    feature: Feature,
    values: Values,
    alerted: Alerted,
    added: float,
    scale: Scale,
    distributions: dict[str, Distribution],
) -> Reason:
    distribution = distributions.get(feature.name)
    usual = None if distribution is None else distribution.median
    own = own_usual(feature, values, alerted.observed_ms) if is_shipped(feature) else None
    compared = Compared(feature, values[feature.name], usual, own, alerted.currency)
    return _reason(compared, effect_on_score(added, scale), added)


def _reason(compared: Compared, effect: str, added: float | None) -> Reason:
    return Reason(
        code=compared.feature.name,
        text=text(compared, effect),
        value=None if isnan(compared.value) else compared.value,
        baseline=compared.usual,
        contribution=added,
        direction=compared.direction,
        customer_usual=compared.own,
    )


def rarest(alerted: Alerted, distributions: dict[str, Distribution]) -> list[Reason]:
    """Return the features with the rarest values, the rarest first."""
    found = []
    for feature, value in zip(alerted.features.features, alerted.values, strict=True):
        distribution = distributions.get(feature.name)
        if distribution is None or isnan(value):
            continue
        found.append((share_as_extreme(value, distribution), feature, value, distribution))
    found.sort(key=lambda entry: entry[0])
    return [_rare(*entry, alerted.currency) for entry in found[:MOST_REASONS]]


def share_as_extreme(value: float, distribution: Distribution) -> float:
    """Return the share of training rows in the value's bin or beyond it, on the rarer side; at most 1."""
    return distribution.shares[bisect_left(distribution.edges, value)]


def _rare(share: float, feature: Feature, value: float, distribution: Distribution, currency: str) -> Reason:
    compared = Compared(feature, value, distribution.median, None, currency)
    return _reason(compared, f"as extreme in {share:.2%} of transactions".replace("%", " %"), None)
