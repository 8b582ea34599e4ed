"""Reasons as phrases: every feature has words, no phrase is cut in a word, and a console of 80 columns shows the first."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.decision import Reason
from app.features.catalog import FEATURES, Feature
from app.rendering.reason_words import SEPARATOR, phrase, phrases
from tests.unit.outputs.alerts import reason

LONGEST = 31
PUBLISHED = "the sentence that was published"
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


def of(feature: Feature, value: float | None, usual: float | None) -> Reason:
    largest = 1.0 if "_risk_" in feature.name else LARGEST.get(feature.unit, 99.0)
    scaled = [None if one is None else one * largest for one in (value, usual)]
    return reason(feature.name, scaled[0], scaled[1], PUBLISHED)


@given(feature=features, value=st.none() | values, usual=st.none() | values)
def test_every_feature_has_words_of_its_own(
    feature: Feature, value: float | None, usual: float | None
) -> None:
    if value is None and feature.missing == "never":
        return
    said = phrase(of(feature, value, usual), "EUR")

    assert said != PUBLISHED
    assert "_" not in said
    assert "minor" not in said
    assert re.search(r"[a-z]{2}", said)


@given(feature=features, value=values, usual=st.none() | st.floats(0.01, 1))
def test_a_phrase_fits_beside_the_other_columns_of_80(
    feature: Feature, value: float, usual: float | None
) -> None:
    assert len(phrase(of(feature, value, usual), "EUR")) <= LONGEST


@given(
    reasons=st.lists(st.builds(of, features, values, values), min_size=1, max_size=3),
    width=st.integers(1, 120),
)
def test_phrases_are_whole_the_first_come_first_and_the_width_holds(
    reasons: list[Reason], width: int
) -> None:
    said, shown = [phrase(one, "EUR") for one in reasons], phrases(reasons, "EUR", width)

    assert len(shown) <= width
    if len(said[0]) <= width:
        assert shown.split(SEPARATOR) == said[: len(shown.split(SEPARATOR))]
    else:
        assert shown.endswith("…")


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
        ("customer_seconds_since_last", None, None, "first payment of the customer"),
        ("customer_travel_kmh", 52750.0, 1.1, "travelled at 52,750 km/h"),
        ("terminal_risk_7d", 0.2273, 0.0, "terminal: 23 % fraud in 7 d"),
        ("terminal_count_30d", 0.0, 42.0, "terminal: 0 payments in 30 d"),
        ("customer_frauds_30d", 1.0, 0.0, "customer: 1 fraud in 30 d"),
        ("a_feature_of_a_later_version", 3.0, 1.0, "said of it: 3, usual 1"),
    ],
)
def test_a_reason_is_said_in_words(code: str, value: float | None, usual: float | None, said: str) -> None:
    published = "said of it: 3, usual 1; multiplies the odds of fraud by 2"

    assert phrase(reason(code, value, usual, published), "EUR") == said
