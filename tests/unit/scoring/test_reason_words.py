"""The beginning of a reason: every feature has words, and a console of 80 columns has room for it."""

import re
from math import isnan, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.catalog import FEATURES, Feature
from app.scoring.reason_words import phrase

LONGEST = 31
BY_NAME = {feature.name: feature for feature in FEATURES}
LARGEST = {
    "minor units": 9_999_999.0,
    "hours": 23.99,
    "0 or 1": 1.0,
    "1": 99.0,
    "seconds": 30 * 86_400.0,
    "km/h": 999_999.0,
}
values = st.floats(0, 1, allow_nan=False)
features = st.sampled_from(FEATURES)


def shown(feature: Feature, value: float, usual: float | None) -> str:
    largest = 1.0 if "_risk_" in feature.name else LARGEST.get(feature.unit, 99.0)
    return phrase(feature, value * largest, None if usual is None else usual * largest, "EUR")


@given(feature=features, value=st.just(nan) | values, usual=st.none() | values)
def test_every_feature_has_words_of_its_own(feature: Feature, value: float, usual: float | None) -> None:
    if isnan(value) and feature.missing == "never":
        return
    said = shown(feature, value, usual)

    assert feature.meaning not in said
    assert not re.search("_|minor|;", said)
    assert re.search(r"[a-z]{2}", said)


@given(feature=features, value=values, usual=st.none() | st.floats(0.01, 1))
def test_it_fits_beside_the_other_columns_of_80(feature: Feature, value: float, usual: float | None) -> None:
    assert len(shown(feature, value, usual)) <= LONGEST


@pytest.mark.parametrize(
    ("code", "value", "usual", "said"),
    [
        ("transaction_amount", 23580.0, 4043.0, "amount 5.83 x usual"),
        ("transaction_amount", 23580.0, None, "amount 235.80 EUR"),
        ("transaction_hour", 3.2, None, "at 03:12 UTC"),
        ("transaction_weekend", 1.0, 0.0, "on a weekend"),
        ("customer_count_1h", 9.0, 1.0, "9 payments in 1 h, usual 1"),
        ("customer_amount_sum_1h", 34070.0, 831.3, "spending 41 x usual in 1 h"),
        ("customer_amount_mean_30d", 1515.0, None, "mean amount 15.15 EUR, 30 d"),
        ("customer_amount_std_7d", 26950.0, 0.0, "amounts ± 269.50 EUR, 7 d"),
        ("customer_amount_zscore_30d", -2.0, 0.0, "2 deviations below 30 d"),
        ("customer_terminal_count_30d", 1.0, 8.0, "first payment at this terminal"),
        ("customer_terminal_count_30d", 29.0, 8.0, "29 payments here in 30 d"),
        ("customer_seconds_since_last", 75.0, None, "last payment 1 min 15 s ago"),
        ("customer_seconds_since_last", nan, None, "first payment of the customer"),
        ("customer_travel_kmh", 52750.0, 1.1, "travelled at 52,750 km/h"),
        ("terminal_risk_7d", 0.2273, 0.0, "terminal: 23 % fraud in 7 d"),
        ("terminal_count_30d", 0.0, 42.0, "terminal: 0 payments in 30 d"),
        ("customer_frauds_30d", 1.0, 0.0, "customer: 1 fraud in 30 d"),
    ],
)
def test_a_feature_is_said_in_words(code: str, value: float, usual: float | None, said: str) -> None:
    assert phrase(BY_NAME[code], value, usual, "EUR") == said


def test_a_feature_of_a_bank_is_named_by_its_meaning_also_under_a_shipped_name() -> None:
    own = msgspec.structs.replace(BY_NAME["customer_count_1h"], meaning="payments to new payees, 1h")

    assert phrase(own, 3.0, 1.0, "EUR") == "payments to new payees, 1h: 3"
    assert phrase(own, nan, 1.0, "EUR") == "payments to new payees, 1h: unknown (never)"
