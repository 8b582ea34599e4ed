"""The list of features: a model is bound to it, so it changes only on purpose."""

from math import isnan, nan

import pytest

from app.computation.feature_set import SHIPPED
from app.domain.decision import FeatureState, FeatureValue
from app.domain.transaction import Transaction
from app.features import catalog
from app.features.catalog import Coverage
from app.features.columns import events
from app.features.fold import Folded, fold
from app.features.window import DAY_MS, Bounds

TUESDAY_NOON_MS = 1_759_838_400_000 - 1_759_838_400_000 % DAY_MS + DAY_MS // 2
SATURDAY_MS = TUESDAY_NOON_MS + 4 * DAY_MS


def transaction(
    number: int, time_ms: int, amount: int = 100, place: tuple[float, float] | None = None
) -> Transaction:
    latitude, longitude = place or (None, None)
    return Transaction(
        transaction_id=f"t{number}",
        customer_id="c1",
        terminal_id="m1",
        event_time=time_ms,
        amount_minor=amount,
        currency="EUR",
        latitude=latitude,
        longitude=longitude,
    )


def folded(*transactions: Transaction, max_events: int = 4096) -> Folded:
    """Of one customer."""
    count = len(transactions)
    return fold([b""], events(transactions, [0] * count, range(count)), Bounds(DAY_MS, max_events))


def features(*transactions: Transaction) -> dict[str, float]:
    """Of the last one's profile, after the others."""
    return dict(zip(catalog.NAMES, folded(*transactions).features[-1].tolist(), strict=False))


def snapshot(*transactions: Transaction, max_events: int = 4096) -> dict[str, FeatureValue]:
    """Of the last one, after the others."""
    found = folded(*transactions, max_events=max_events)
    known = Coverage(int(found.first_seen_ms[-1]), int(found.evicted_ms[-1]))
    values = [*found.features[-1].tolist(), *(nan for _ in catalog.NAMES[catalog.DELAYED])]
    return SHIPPED.snapshot(values, transactions[-1].event_time, [known, *SHIPPED.unread])


def test_the_catalog_is_the_one_that_models_were_trained_on() -> None:
    """A change of a name, the order, a meaning or a window needs a change of VERSION, of this line and of the models."""
    assert (catalog.VERSION, catalog.DIGEST) == (2, "17ac12504a77042e")


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len(catalog.NAMES) == len(set(catalog.NAMES)) == 33


def test_the_order_is_fixed() -> None:
    windows = ("1h", "1d", "7d", "30d")
    per_window = ("count", "amount_sum", "amount_mean", "amount_std")

    assert catalog.NAMES == (
        "transaction_amount", "transaction_hour", "transaction_weekend",
        *(f"customer_{function}_{window}" for window in windows for function in per_window),
        "customer_amount_ratio_7d", "customer_amount_zscore_7d",
        "customer_amount_ratio_30d", "customer_amount_zscore_30d",
        "customer_terminal_count_30d", "customer_seconds_since_last", "customer_travel_kmh",
        "terminal_count_1d", "terminal_count_7d", "terminal_count_30d",
        "terminal_risk_1d", "terminal_risk_7d", "terminal_risk_30d",
        "customer_frauds_30d",
    )  # fmt: skip


def test_a_name_says_its_entity_and_its_window() -> None:
    for feature in catalog.FEATURES:
        assert feature.name.startswith(f"{feature.entity}_")
        assert (feature.window_ms > 0) == feature.name.endswith(catalog.WINDOW_NAMES)


def test_the_first_transaction_has_numbers_for_all_that_is_never_missing() -> None:
    found = features(transaction(1, TUESDAY_NOON_MS))

    assert {f.name for f in catalog.FEATURES if f.missing != "never" and not f.delay_ms} == {
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
    told = snapshot(transaction(1, TUESDAY_NOON_MS))

    assert (None, FeatureState.ABSENT) == (
        told["customer_seconds_since_last"].value,
        told["customer_seconds_since_last"].state,
    )
    assert told["customer_count_30d"].state == FeatureState.WARMING_UP
    assert told["transaction_amount"].state == FeatureState.FRESH
    assert [] == [
        name for name, told_value in told.items() if told_value.value is not None and isnan(told_value.value)
    ]


#             (start       end]      7 days     t
# terminal     A            |                  asks
def test_a_delayed_window_is_as_warm_as_its_entity_is_old() -> None:
    hour_ms, values = DAY_MS // 24, [0.0] * len(catalog.NAMES)
    start_ms = TUESDAY_NOON_MS - 37 * DAY_MS

    def state(first_seen_ms: int, evicted_ms: int = -(2**63)) -> FeatureState:
        told = SHIPPED.snapshot(
            values,
            TUESDAY_NOON_MS + hour_ms - 1,
            [SHIPPED.unread[0], Coverage(first_seen_ms, evicted_ms), SHIPPED.unread[0]],
        )
        assert told["customer_frauds_30d"].state == FeatureState.FRESH
        return told["terminal_risk_30d"].state

    assert FeatureState.FRESH == state(start_ms)
    assert FeatureState.WARMING_UP == state(start_ms + hour_ms)
    assert FeatureState.WARMING_UP == state(2**63 - 1)
    assert FeatureState.FRESH == state(start_ms, start_ms)
    assert FeatureState.SATURATED == state(start_ms, start_ms + hour_ms)


def test_a_window_is_warm_when_the_customer_was_seen_before_it_began() -> None:
    told = snapshot(transaction(1, TUESDAY_NOON_MS), transaction(2, TUESDAY_NOON_MS + DAY_MS))

    assert FeatureState.FRESH == told["customer_count_1d"].state
    assert FeatureState.WARMING_UP == told["customer_count_7d"].state


def test_a_window_that_reaches_back_to_what_the_cap_pushed_out_is_saturated() -> None:
    told = snapshot(
        transaction(1, TUESDAY_NOON_MS),
        transaction(2, TUESDAY_NOON_MS + 2 * DAY_MS),
        transaction(3, TUESDAY_NOON_MS + 2 * DAY_MS),
        max_events=2,
    )

    assert (2, FeatureState.FRESH) == (told["customer_count_1d"].value, told["customer_count_1d"].state)
    assert (2, FeatureState.SATURATED) == (told["customer_count_7d"].value, told["customer_count_7d"].state)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([None], nan),
        ([(48.0, 11.0)], nan),
        ([(48.0, 11.0), None], nan),
        ([None, (48.0, 11.0)], nan),
        ([(0.0, 0.0), (0.0, 0.0)], 0.0),
        ([(0.0, 0.0), (0.0, 1.0)], 111.19508),
        ([(0.0, 0.0), None, (0.0, 1.0)], 111.19508 / 2),
        ([(90.0, 0.0), (-90.0, 0.0)], 20_015.11),
    ],
)
def test_travel_is_the_speed_from_the_last_place_that_is_known(
    places: list[tuple[float, float] | None], expected: float
) -> None:
    """An hour between two transactions; a degree of the equator is 111 km."""
    journey = [transaction(i, TUESDAY_NOON_MS + i * 3_600_000, place=place) for i, place in enumerate(places)]

    assert features(*journey)["customer_travel_kmh"] == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_a_trip_takes_a_second_at_least() -> None:
    there_at_once = features(
        transaction(1, TUESDAY_NOON_MS, place=(0.0, 0.0)), transaction(2, TUESDAY_NOON_MS, place=(0.0, 1.0))
    )

    assert there_at_once["customer_travel_kmh"] == pytest.approx(111.19508 * 3600, rel=1e-6)


def test_what_came_before_the_last_place_neither_travels_nor_becomes_the_last_place() -> None:
    first = transaction(1, TUESDAY_NOON_MS, place=(0.0, 0.0))
    before = transaction(2, TUESDAY_NOON_MS - 1, place=(0.0, 50.0))
    after = transaction(3, TUESDAY_NOON_MS + 3_600_000, place=(0.0, 1.0))

    assert isnan(features(first, before)["customer_travel_kmh"])
    assert features(first, before, after)["customer_travel_kmh"] == pytest.approx(111.19508, rel=1e-6)
