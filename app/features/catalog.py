"""The ordered, versioned list of features: what the stream, training and the daily batch compute (vector.py).

A feature is named ``{entity}_{function}_{window}``. A missing value is NaN, for the reason its entry gives,
and never a silent zero. Change the list only together with ``VERSION``: a model is bound to its digest.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from math import isnan
from typing import NamedTuple

import msgspec

from app.domain.decision import FeatureState, FeatureValue
from app.domain.entity import Entity
from app.features.vector import BASELINES
from app.features.window import WIDTHS_MS

VERSION = 1

WINDOW_NAMES = ("1h", "1d", "7d", "30d")


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
    for window in BASELINES:
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


class Known(NamedTuple):
    """About the customer, as of one transaction."""

    first_seen_ms: int
    evicted_ms: int


def snapshot(values: Sequence[float], event_time_ms: int, known: Known) -> dict[str, FeatureValue]:
    """Every feature with its value and state, for people; ``values`` in the catalog's order."""
    return {
        feature.name: FeatureValue(
            value=None if isnan(value) else value, state=_state(feature, value, event_time_ms, known)
        )
        for feature, value in zip(FEATURES, values, strict=True)
    }


def _state(feature: Feature, value: float, time_ms: int, known: Known) -> FeatureState:
    if isnan(value):
        return FeatureState.ABSENT
    if feature.window_ms and known.evicted_ms > time_ms - feature.window_ms:
        return FeatureState.SATURATED
    if feature.window_ms and known.first_seen_ms > time_ms - feature.window_ms:
        return FeatureState.WARMING_UP
    return FeatureState.FRESH
