"""The list of features: a model is bound to it, so it changes only on purpose."""

from math import isnan

from app.domain.decision import FeatureState
from app.domain.transaction import Transaction
from app.features import catalog
from app.features.fold import observe
from app.features.profile import Profile
from app.features.window import DAY_MS, Bounds

TUESDAY_NOON_MS = 1_759_838_400_000 - 1_759_838_400_000 % DAY_MS + DAY_MS // 2
SATURDAY_MS = TUESDAY_NOON_MS + 4 * DAY_MS


def transaction(number: int, time_ms: int, amount: int = 100, terminal: str = "m1") -> Transaction:
    return Transaction(
        transaction_id=f"t{number}",
        customer_id="c1",
        terminal_id=terminal,
        event_time=time_ms,
        amount_minor=amount,
        currency="EUR",
    )


def features(*transactions: Transaction) -> dict[str, float]:
    """Of the last one, after the others."""
    profile, values = Profile(Bounds(DAY_MS, 4096)), []
    for each in transactions:
        seen = observe(profile, each)
        assert seen is not None
        values = catalog.vector(each, seen)
    return dict(zip(catalog.NAMES, values, strict=True))


def test_the_catalog_is_the_one_that_models_were_trained_on() -> None:
    """Whoever changes a name, the order, a meaning or a window changes VERSION, this line and the models."""
    assert (catalog.VERSION, catalog.DIGEST) == (1, "cd98d70f6a78ad82")


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len(catalog.NAMES) == len(set(catalog.NAMES)) == 26


def test_the_order_is_fixed() -> None:
    windows = ("1h", "1d", "7d", "30d")
    per_window = ("count", "amount_sum", "amount_mean", "amount_std")

    assert catalog.NAMES == (
        "transaction_amount", "transaction_hour", "transaction_weekend",
        *(f"customer_{function}_{window}" for window in windows for function in per_window),
        "customer_amount_ratio_7d", "customer_amount_zscore_7d",
        "customer_amount_ratio_30d", "customer_amount_zscore_30d",
        "customer_terminal_count_30d", "customer_seconds_since_last", "customer_travel_kmh",
    )  # fmt: skip


def test_a_name_says_its_entity_and_its_window() -> None:
    for feature in catalog.FEATURES:
        assert feature.name.startswith(f"{feature.entity}_")
        assert (feature.window_ms > 0) == feature.name.endswith(catalog.WINDOW_NAMES)


def test_the_first_transaction_has_numbers_for_all_that_is_never_missing() -> None:
    found = features(transaction(1, TUESDAY_NOON_MS))

    assert {f.name for f in catalog.FEATURES if f.missing != "never"} == {
        name for name, value in found.items() if isnan(value)
    }


def test_a_missing_value_is_never_a_silent_zero() -> None:
    found = features(transaction(1, TUESDAY_NOON_MS), transaction(2, TUESDAY_NOON_MS + 5))

    assert isnan(found["customer_amount_zscore_7d"])  # one other amount does not vary
    assert found["customer_amount_ratio_7d"] == 1.0
    assert found["customer_seconds_since_last"] == 0.005


def test_mean_and_deviation_are_those_of_the_integers() -> None:
    found = features(
        transaction(1, TUESDAY_NOON_MS, 100), transaction(2, TUESDAY_NOON_MS, 200), transaction(3, TUESDAY_NOON_MS, 600)
    )  # fmt: skip

    # mean 300, variance (200**2 + 100**2 + 300**2) / 3
    assert found["customer_amount_mean_1h"] == 300
    assert found["customer_amount_std_1h"] == (140_000 * 3) ** 0.5 / 3
    assert found["customer_amount_ratio_30d"] == 4.0
    assert found["customer_amount_zscore_30d"] == 9.0


def test_saturday_and_sunday_are_the_weekend() -> None:
    days = [
        features(transaction(1, TUESDAY_NOON_MS + day * DAY_MS))["transaction_weekend"] for day in range(7)
    ]

    assert [0, 0, 0, 0, 1, 1, 0] == days
    assert features(transaction(1, TUESDAY_NOON_MS))["transaction_hour"] == 12.0


def test_a_snapshot_tells_what_is_absent_and_what_warms_up() -> None:
    profile, first = Profile(Bounds(DAY_MS, 4096)), transaction(1, TUESDAY_NOON_MS)
    seen = observe(profile, first)
    assert seen is not None
    told = catalog.snapshot(first, seen, catalog.vector(first, seen))

    assert (None, FeatureState.ABSENT) == (
        told["customer_seconds_since_last"].value,
        told["customer_seconds_since_last"].state,
    )
    assert told["customer_count_30d"].state == FeatureState.WARMING_UP
    assert told["transaction_amount"].state == FeatureState.FRESH
    assert [] == [
        name for name, told_value in told.items() if told_value.value is not None and isnan(told_value.value)
    ]
