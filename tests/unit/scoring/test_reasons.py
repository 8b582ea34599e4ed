"""Reasons name what raised the score most, or else what is rare, in words with figures that people read."""

import re
from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.computation.feature_set import SHIPPED
from app.domain.decision import Direction, Method, ModelReference, Reason, Thresholds
from app.features import catalog
from app.features.window import DAY_MS
from app.scoring.model import Contributions, Distribution, Rows, Scale, Scores
from app.scoring.reason_text import effect_on_score
from app.scoring.reasons import MOST_REASONS, Alerted, Explanation, explain, rarest, share_as_extreme

USUAL = Distribution(edges=[10.0, 20.0, 30.0], counts=[10, 40, 45, 5], missing=0, median=20.0)


def values(**given: float) -> list[float]:
    """A vector with nothing remarkable in it but what is given."""
    return [given.get(name, 20.0) for name in catalog.NAMES]


def told(**given: float) -> Alerted:
    return alerted(values(**given))


def alerted(given: list[float]) -> Alerted:
    return Alerted(SHIPPED, given, "EUR", 30 * DAY_MS)


def everywhere(distribution: Distribution) -> dict[str, Distribution]:
    return dict.fromkeys(catalog.NAMES, distribution)


def test_the_rarest_feature_comes_first() -> None:
    reasons = rarest(told(customer_count_1h=500.0, transaction_amount=5.0), everywhere(USUAL))

    assert ["customer_count_1h", "transaction_amount"] == [reason.code for reason in reasons[:2]]
    assert len(reasons) == MOST_REASONS


def test_a_missing_value_or_an_unknown_feature_is_no_reason() -> None:
    given = values(customer_count_1h=nan)

    assert [] == rarest(alerted(given), {"customer_count_1h": USUAL})


def test_a_text_gives_the_value_its_unit_and_what_is_usual() -> None:
    (reason,) = rarest(told(transaction_amount=25_940.4), {"transaction_amount": USUAL})

    assert reason.text == (
        "amount 1,297 x usual; 259.40 EUR: higher than the 0.20 EUR usual for legitimate transactions; "
        "as extreme in 5.00 % of transactions"
    )
    assert (25_940.4, 20.0) == (reason.value, reason.baseline)


def test_both_tails_are_extreme() -> None:
    assert 0.10 == share_as_extreme(3.0, USUAL)
    assert 0.05 == share_as_extreme(31.0, USUAL)
    assert 0.50 == share_as_extreme(20.0, USUAL)


class Told:
    """A model that gives each feature what the test says."""

    reference = ModelReference(name="told", version="1", digest="d")
    thresholds = Thresholds(review=0.5, decline=0.9)

    def __init__(self, scale: Scale | None, added: dict[str, float]) -> None:
        self.distributions = everywhere(USUAL)
        self._scale = scale
        self._added = added

    def score(self, rows: Rows) -> Scores:
        return np.full(len(rows), 0.7)

    def contributions(self, rows: Rows) -> Contributions | None:
        if self._scale is None:
            return None
        row = [self._added.get(name, -1.0) for name in catalog.NAMES]
        return Contributions(Method.TREE_PATHS, self._scale, 0.0, np.array([row] * len(rows)))


def explained(model: Told, **given: float) -> Explanation:
    return explain(told(**given), model)


def only_reason(model: Told, **given: float) -> Reason:
    (reason,) = explained(model, **given).reasons
    return reason


def test_what_raised_the_score_most_comes_first_and_what_lowered_it_never() -> None:
    added = {
        "customer_count_1h": 0.5,
        "transaction_amount": 1.5,
        "transaction_hour": 0.1,
        "customer_count_1d": 0.2,
    }

    found = explained(Told(Scale.LOG_ODDS, added))

    assert ["transaction_amount", "customer_count_1h", "customer_count_1d"] == [r.code for r in found.reasons]
    assert [1.5, 0.5, 0.2] == [reason.contribution for reason in found.reasons]
    assert found.method == Method.TREE_PATHS


def test_an_alert_has_a_reason_even_where_nothing_raised_its_score() -> None:
    assert only_reason(Told(Scale.LOG_ODDS, {"transaction_hour": -0.1})).code == "transaction_hour"


def test_an_amount_is_compared_with_legitimate_transactions_and_with_the_customers_own() -> None:
    month = {"customer_count_30d": 11.0, "customer_amount_sum_30d": 700_000.0}

    reason = only_reason(
        Told(Scale.LOG_ODDS, {"transaction_amount": 1.3}), transaction_amount=50_000.0, **month
    )

    assert reason.text == (
        "amount 2,500 x usual; 500.00 EUR: higher than the 0.20 EUR usual for legitimate transactions, "
        "lower than the 650.00 EUR usual for this customer; multiplies the odds of fraud by 3.67"
    )
    assert (reason.value, reason.baseline, reason.customer_usual) == (50_000.0, 20.0, 65_000.0)
    assert (reason.direction, reason.contribution) == (Direction.HIGHER, 1.3)


def test_a_customer_without_a_usual_value_is_compared_with_legitimate_transactions_only() -> None:
    reason = only_reason(Told(Scale.PROBABILITY, {"transaction_hour": 0.125}), transaction_hour=3.5)

    assert reason.text == (
        "at 03:30 UTC; 03:30 UTC: earlier than the 20:00 UTC usual for legitimate transactions; "
        "adds 0.12 to the score"
    )
    assert (reason.baseline, reason.customer_usual, reason.direction) == (20.0, None, Direction.LOWER)


def test_an_absent_value_can_be_a_reason() -> None:
    reason = only_reason(Told(Scale.LOG_ODDS, {"customer_travel_kmh": 0.7}), customer_travel_kmh=nan)

    assert reason.text == "place unknown; multiplies the odds of fraud by 2.01"
    assert (reason.value, reason.direction) == (None, None)


def test_values_that_are_written_alike_are_equal() -> None:
    reason = only_reason(Told(Scale.LOG_ODDS, {"customer_count_1h": 0.7}), customer_count_1h=20.0)

    assert reason.direction is Direction.EQUAL
    assert "20: equal to the 20 usual for legitimate transactions" in reason.text


@given(added=st.floats(-1e6, 1e6), scale=st.sampled_from(Scale))
def test_an_effect_has_figures_that_people_read(added: float, scale: Scale) -> None:
    said = effect_on_score(added, scale)

    assert not re.search(r"e[+-]?[0-9]|inf|nan", said)
    assert ("lowers" in said) == (added <= -0.005)


def test_a_model_that_does_not_come_apart_falls_back_on_rarity_and_says_so() -> None:
    found = explained(Told(None, {}), customer_count_1h=500.0)

    assert found.method == Method.RARITY
    assert found.reasons[0].code == "customer_count_1h"
    assert found.reasons[0].contribution is None
