"""Reasons name what is rare, rarest first, in words with figures that people read."""

from math import nan

from app.features import catalog
from app.scoring.model import Distribution
from app.scoring.reasons import MOST_REASONS, share_as_extreme, stand_outs

USUAL = Distribution(edges=[10.0, 20.0, 30.0], counts=[10, 40, 45, 5], missing=0, median=20.0)


def values(**given: float) -> list[float]:
    """A vector with nothing remarkable in it but what is given."""
    return [given.get(name, 20.0) for name in catalog.NAMES]


def everywhere(distribution: Distribution) -> dict[str, Distribution]:
    return dict.fromkeys(catalog.NAMES, distribution)


def test_the_rarest_feature_comes_first() -> None:
    reasons = stand_outs(values(customer_count_1h=500.0, transaction_amount=5.0), everywhere(USUAL))

    assert ["customer_count_1h", "transaction_amount"] == [reason.code for reason in reasons[:2]]
    assert len(reasons) == MOST_REASONS


def test_a_missing_value_or_an_unknown_feature_is_no_reason() -> None:
    given = values(customer_count_1h=nan)

    assert [] == stand_outs(given, {"customer_count_1h": USUAL})


def test_a_text_gives_the_value_its_unit_and_what_is_usual() -> None:
    (reason,) = stand_outs(values(transaction_amount=25_940.4), {"transaction_amount": USUAL})

    assert (
        "amount of this transaction: 25,940 minor units, usually 20; as extreme in 5.00% of transactions"
        == reason.text
    )
    assert (25_940.4, 20.0) == (reason.value, reason.baseline)


def test_both_tails_are_extreme() -> None:
    assert 0.10 == share_as_extreme(3.0, USUAL)
    assert 0.05 == share_as_extreme(31.0, USUAL)
    assert 0.50 == share_as_extreme(20.0, USUAL)
