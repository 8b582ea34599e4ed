"""Why an alert: the features whose values are rarest among the transactions the model was trained on."""

from bisect import bisect_left
from math import isnan

from app.domain.decision import Reason
from app.features.catalog import FEATURES, Feature
from app.scoring.model import Distribution

MOST_REASONS = 3


def stand_outs(values: list[float], distributions: dict[str, Distribution]) -> list[Reason]:
    """The features that stand out most, rarest first; ``values`` in the catalog's order."""
    found = []
    for feature, value in zip(FEATURES, values, strict=True):
        distribution = distributions.get(feature.name)
        if distribution is None or isnan(value):
            continue
        found.append((share_as_extreme(value, distribution), feature, value, distribution))
    found.sort(key=lambda entry: entry[0])
    return [_reason(*entry) for entry in found[:MOST_REASONS]]


def share_as_extreme(value: float, distribution: Distribution) -> float:
    """Share of training rows in the value's bin or beyond it, on the rarer side; at most 1."""
    return distribution.shares[bisect_left(distribution.edges, value)]


def _reason(share: float, feature: Feature, value: float, distribution: Distribution) -> Reason:
    median = distribution.median
    unit = "" if feature.unit == "1" else f" {feature.unit}"
    usual = "" if median is None else f", usually {_figure(median)}"
    return Reason(
        code=feature.name,
        text=f"{feature.meaning}: {_figure(value)}{unit}{usual}; as extreme in {share:.2%} of transactions",
        value=value,
        baseline=median,
    )


def _figure(value: float) -> str:
    """As people read it: whole from a hundred on, three digits below."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
