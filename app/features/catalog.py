"""The ordered, versioned list of features: what the stream, training and the daily batch compute.

A feature is named ``{entity}_{function}_{window}``. A missing value is NaN, for the reason its entry gives,
and never a silent zero. Change the list only together with ``VERSION``: a model is bound to its digest.
"""

from collections.abc import Iterator
from hashlib import sha256
from math import isnan, nan, sqrt

import msgspec

from app.domain.decision import FeatureState, FeatureValue
from app.domain.entity import Entity
from app.domain.transaction import Transaction
from app.features.profile import Observation
from app.features.window import DAY_MS, HOUR_MS, WIDTHS_MS, Sums

VERSION = 1

WINDOW_NAMES = ("1h", "1d", "7d", "30d")
_BASELINES = (2, 3)
"""Indexes of the windows that amounts are held against: 7d and 30d."""
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_SATURDAY = 5


class Feature(msgspec.Struct, frozen=True):
    """One column of the model's input."""

    name: str
    entity: Entity
    unit: str
    meaning: str
    missing: str = "never"
    """When the value is NaN."""
    window_ms: int = 0
    """The window it looks back on; 0 for none."""


def _customer(function: str, window: int, unit: str, meaning: str, missing: str = "never") -> Feature:
    name = f"customer_{function}_{WINDOW_NAMES[window]}"
    return Feature(
        name, Entity.CUSTOMER, unit, f"{meaning}, {WINDOW_NAMES[window]}", missing, WIDTHS_MS[window]
    )


def _features() -> Iterator[Feature]:
    entity = Entity.TRANSACTION
    yield Feature("transaction_amount", entity, "minor units", "amount of this transaction")
    yield Feature("transaction_hour", entity, "hours", "time of day, UTC, with fractions")
    yield Feature("transaction_weekend", entity, "0 or 1", "1 on Saturday and Sunday, UTC")
    for window in range(len(WIDTHS_MS)):
        yield _customer("count", window, "transactions", "transactions, this one included")
        yield _customer("amount_sum", window, "minor units", "sum of amounts")
        yield _customer("amount_mean", window, "minor units", "mean amount")
        yield _customer("amount_std", window, "minor units", "population standard deviation of amounts")
    for window in _BASELINES:
        yield _customer(
            "amount_ratio", window, "1", "amount / mean of the others", "no other amount above zero"
        )
        yield _customer(
            "amount_zscore", window, "1", "(amount - mean) / std of the others", "others do not vary"
        )
    yield _customer("terminal_count", 3, "transactions", "transactions at this terminal, this one included")
    entity = Entity.CUSTOMER
    yield Feature(
        "customer_seconds_since_last", entity, "seconds", "since the previous transaction", "the first"
    )
    yield Feature("customer_travel_kmh", entity, "km/h", "speed needed from the last place", "no place known")


FEATURES: tuple[Feature, ...] = tuple(_features())
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
DIGEST = sha256(msgspec.json.encode([VERSION, FEATURES])).hexdigest()[:16]
"""Identifies this catalog: its version, order, names and meanings."""


def vector(transaction: Transaction, seen: Observation) -> list[float]:
    """The features of one transaction in the catalog's order.

    With n, s, q the count, sum and sum of squares of a window: mean = s / n, std = sqrt(n*q - s*s) / n, in
    double precision from exact integers.
    """
    amount, time_ms = transaction.amount_minor, transaction.event_time
    weekday = (time_ms // DAY_MS + _EPOCH_WEEKDAY) % 7
    values: list[float] = [amount, time_ms % DAY_MS / HOUR_MS, 1 if weekday >= _SATURDAY else 0]
    for n, s, q in seen.sums:
        values += (n, s, s / n, sqrt(n * q - s * s) / n)
    for window in _BASELINES:
        values += _against_others(amount, seen.sums[window])
    values += (seen.same_terminal, seen.seconds_since_last, seen.travel_kmh)
    return values


def _against_others(amount: int, sums: Sums) -> tuple[float, float]:
    """Ratio and z-score of an amount against the other events of a window, from exact integers.

    z = (a - s/n) / std = (n*a - s) / sqrt(n*q - s*s), with n, s, q of the others.
    """
    n, s, q = sums[0] - 1, sums[1] - amount, sums[2] - amount * amount
    spread = n * q - s * s
    return n * amount / s if s else nan, (n * amount - s) / sqrt(spread) if spread else nan


def snapshot(transaction: Transaction, seen: Observation, values: list[float]) -> dict[str, FeatureValue]:
    """Every feature with its value and state, for people."""
    return {
        feature.name: FeatureValue(
            value=None if isnan(value) else value, state=_state(feature, value, transaction.event_time, seen)
        )
        for feature, value in zip(FEATURES, values, strict=True)
    }


def _state(feature: Feature, value: float, time_ms: int, seen: Observation) -> FeatureState:
    if isnan(value):
        return FeatureState.ABSENT
    if feature.window_ms and seen.evicted_ms > time_ms - feature.window_ms:
        return FeatureState.SATURATED
    if feature.window_ms and seen.first_seen_ms > time_ms - feature.window_ms:
        return FeatureState.WARMING_UP
    return FeatureState.FRESH
