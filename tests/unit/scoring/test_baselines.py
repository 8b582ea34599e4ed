"""What is usual for a customer, from 30 days of their own.

::

    #  30d: 31 transactions, 31 of 100.00 but this one of 500.00; 10 days known, or 30
"""

from math import nan

import pytest

from app.features.catalog import FEATURES
from app.features.window import DAY_MS
from app.scoring.baselines import own_usual

BY_NAME = {feature.name: feature for feature in FEATURES}
VALUES = dict.fromkeys(BY_NAME, 1.0) | {
    "transaction_amount": 50_000.0,
    "customer_count_30d": 31.0,
    "customer_amount_sum_30d": 350_000.0,
    "customer_amount_std_30d": 700.0,
}


def usual(name: str, days: float = 30, **other: float) -> float | None:
    return own_usual(BY_NAME[name], VALUES | other, int(days * DAY_MS))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("transaction_amount", 10_000.0),
        ("customer_amount_mean_1d", 10_000.0),
        ("customer_amount_mean_30d", 10_000.0),
        ("customer_amount_std_7d", 700.0),
        ("customer_count_1d", 31 / 30),
        ("customer_amount_sum_1h", 350_000 / 30 / 24),
        ("customer_amount_ratio_7d", 1.0),
        ("customer_amount_zscore_30d", 0.0),
        ("customer_seconds_since_last", 86_400.0),
    ],
)
def test_is_told_by_their_own_month(name: str, expected: float) -> None:
    assert expected == pytest.approx(usual(name))


def test_a_young_customer_is_held_against_the_days_that_are_known() -> None:
    assert usual("customer_count_1d", days=10) == pytest.approx(3.1)


@pytest.mark.parametrize(
    "name",
    [
        "customer_count_30d",
        "customer_amount_sum_30d",
        "customer_amount_std_30d",
        "transaction_hour",
        "customer_travel_kmh",
    ],
)
def test_nothing_is_held_against_itself_or_guessed(name: str) -> None:
    assert usual(name) is None


@pytest.mark.parametrize(
    "name", ["transaction_amount", "customer_amount_std_1h", "customer_seconds_since_last"]
)
def test_a_first_transaction_has_no_usual(name: str) -> None:
    assert usual(name, customer_count_30d=1.0, customer_amount_sum_30d=50_000.0) is None


def test_a_window_longer_than_is_known_has_no_usual() -> None:
    assert usual("customer_count_7d", days=6) is None


def test_an_unknown_month_has_no_usual() -> None:
    assert usual("transaction_amount", customer_amount_sum_30d=nan) is None
