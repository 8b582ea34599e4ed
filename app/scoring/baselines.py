"""Computes the usual values of a customer from the 30-day features of the transaction itself."""

from collections.abc import Callable, Mapping
from math import isfinite

from app.features.catalog import WINDOW_NAMES, Feature
from app.features.window import LONGEST_MS

Values = Mapping[str, float]
"""A transaction's features by name."""

_LONGEST = WINDOW_NAMES[-1]


def own_usual(feature: Feature, values: Values, observed_ms: int) -> float | None:
    """Return the customer's usual value of ``feature``; None if it has none, or the history is too short.

    ``observed_ms`` is the time over which the customer's events have been kept, as of the transaction.
    """
    function = feature.name.removeprefix("customer_").rsplit("_", 1)[0] if feature.window_ms else feature.name
    rule = _RULES.get(function)
    if rule is None or (feature.window_ms >= LONGEST_MS and function in _OF_THE_LONGEST):
        return None
    try:
        found = rule(values, feature.window_ms, min(observed_ms, LONGEST_MS))
    except KeyError:  # the catalog has no such feature of the longest window
        return None
    return found if found is not None and isfinite(found) else None


def _mean_of_others(values: Values, _window_ms: int, _observed_ms: int) -> float | None:
    others = values[f"customer_count_{_LONGEST}"] - 1
    total = values[f"customer_amount_sum_{_LONGEST}"] - values["transaction_amount"]
    return total / others if others > 0 else None


def _count(values: Values, window_ms: int, observed_ms: int) -> float | None:
    """Return the average count in a window of this length."""
    return _share(window_ms, observed_ms, values[f"customer_count_{_LONGEST}"])


def _amount_sum(values: Values, window_ms: int, observed_ms: int) -> float | None:
    return _share(window_ms, observed_ms, values[f"customer_amount_sum_{_LONGEST}"])


def _share(window_ms: int, observed_ms: int, total: float) -> float | None:
    return total * window_ms / observed_ms if observed_ms > window_ms else None


def _spread(values: Values, _window_ms: int, _observed_ms: int) -> float | None:
    return values[f"customer_amount_std_{_LONGEST}"] if values[f"customer_count_{_LONGEST}"] > 1 else None


def _gap_seconds(values: Values, _window_ms: int, observed_ms: int) -> float | None:
    others = values[f"customer_count_{_LONGEST}"] - 1
    return observed_ms / 1000 / others if others > 0 and observed_ms > 0 else None


_RULES: dict[str, Callable[[Values, int, int], float | None]] = {
    "transaction_amount": _mean_of_others,
    "amount_mean": _mean_of_others,
    "amount_std": _spread,
    "amount_sum": _amount_sum,
    "count": _count,
    # Both compare an amount with the customer's other amounts, so their usual values are constants.
    "amount_ratio": lambda *_: 1.0,
    "amount_zscore": lambda *_: 0.0,
    "customer_seconds_since_last": _gap_seconds,
}
_OF_THE_LONGEST = {"amount_std", "amount_sum", "count"}
"""Functions without a usual value in the longest window, which would be compared with itself."""
