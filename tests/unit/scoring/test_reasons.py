"""Reasons name what raised the score most, or else what is rare, in words with figures that people read."""

from math import nan

import numpy as np

from app.computation.feature_set import SHIPPED
from app.domain.decision import Method, ModelReference, Reason, Thresholds
from app.features import catalog
from app.features.window import DAY_MS
from app.scoring.model import Contributions, Distribution, Rows, Scale, Scores
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

    assert (
        "amount of this transaction: 259.40 EUR, usually 0.20 EUR; as extreme in 5.00% of transactions"
        == reason.text
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


def test_an_amount_is_held_against_the_customers_own_in_their_currency() -> None:
    month = {"customer_count_30d": 11.0, "customer_amount_sum_30d": 70_000.0}

    reason = only_reason(
        Told(Scale.LOG_ODDS, {"transaction_amount": 1.3}), transaction_amount=50_000.0, **month
    )

    assert reason.text == (
        "amount of this transaction: 500.00 EUR, usual for this customer 20.00 EUR; "
        "multiplies the odds of fraud by 3.67"
    )
    assert (50_000.0, 2_000.0, 1.3) == (reason.value, reason.baseline, reason.contribution)


def test_what_the_customer_has_no_usual_of_is_held_against_the_population() -> None:
    reason = only_reason(Told(Scale.PROBABILITY, {"transaction_hour": 0.125}), transaction_hour=3.5)

    assert reason.text == (
        "time of day, UTC, with fractions: 3.5 hours, usual for legitimate transactions 20 hours; "
        "adds 0.125 to the score"
    )
    assert reason.baseline == 20.0


def test_an_absent_value_can_be_a_reason_and_says_why_it_is_absent() -> None:
    reason = only_reason(Told(Scale.LOG_ODDS, {"customer_travel_kmh": 0.7}), customer_travel_kmh=nan)

    assert reason.text.startswith("speed needed from the last place: unknown (no place known), usual ")
    assert reason.value is None


def test_a_model_that_does_not_come_apart_falls_back_on_rarity_and_says_so() -> None:
    found = explained(Told(None, {}), customer_count_1h=500.0)

    assert found.method == Method.RARITY
    assert found.reasons[0].code == "customer_count_1h"
    assert found.reasons[0].contribution is None
