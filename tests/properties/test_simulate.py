"""Laws of simulated traffic: reproducible, in order, within the contract, with frauds that follow their patterns."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from statistics import mean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.tabular.batches import TransactionBatch
from app.domain.acceptance import Acceptance
from app.domain.transaction import Transaction
from app.traffic.patterns import BURST_MS, FEWEST_TESTS, PATTERNS, TINY_MINOR
from app.traffic.simulate import Simulation, simulate

START = date(2025, 3, 1)
START_MS = int(datetime(2025, 3, 1, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
EARTH_RADIUS_KM = 6371.0
AIRLINER_KM_PER_HOUR = 900

Labelled = tuple[Transaction, bool, str | None]

small_simulations = st.builds(
    Simulation,
    customers=st.integers(1, 60),
    terminals=st.integers(2, 60),
    days=st.integers(1, 4),
    seed=st.integers(0, 2**63),
    start=st.dates(date(2001, 1, 1), date(2040, 1, 1)),
)


def labelled(batches: Iterable[TransactionBatch]) -> Iterator[Labelled]:
    for batch in batches:
        labels = batch.columns()
        frauds, patterns = labels["is_fraud"].to_pylist(), labels["fraud_pattern"].to_pylist()
        yield from zip(batch.transactions(), frauds, patterns, strict=True)


@pytest.fixture(scope="module")
def traffic() -> list[Labelled]:
    return list(labelled(simulate(Simulation(customers=400, terminals=200, days=25, seed=5, start=START))))


def of_pattern(traffic: list[Labelled], wanted: str) -> list[Transaction]:
    return [transaction for transaction, _, pattern in traffic if pattern == wanted]


def day(transaction: Transaction) -> int:
    return transaction.event_time // DAY_MS


def kilometres(a: Transaction, b: Transaction) -> float:
    assert a.latitude is not None
    assert a.longitude is not None
    assert b.latitude is not None
    assert b.longitude is not None
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (a.latitude, a.longitude, b.latitude, b.longitude))
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))


@given(small_simulations)
@settings(deadline=None, max_examples=25)
def test_equal_simulations_give_equal_traffic(simulation: Simulation) -> None:
    assert list(labelled(simulate(simulation))) == list(labelled(simulate(simulation)))


@given(small_simulations)
@settings(deadline=None, max_examples=25)
def test_a_longer_simulation_begins_with_the_shorter_one(simulation: Simulation) -> None:
    shorter = list(labelled(simulate(simulation)))
    longer = simulate(msgspec.structs.replace(simulation, days=simulation.days + 2))

    assert list(labelled(longer))[: len(shorter)] == shorter


@given(small_simulations)
@settings(deadline=None, max_examples=25)
def test_every_transaction_is_within_the_contract_and_its_days(simulation: Simulation) -> None:
    first_ms = int(datetime.combine(simulation.start, datetime.min.time(), UTC).timestamp() * 1000)
    end_ms = first_ms + simulation.days * DAY_MS
    for transaction, is_fraud, pattern in labelled(simulate(simulation)):
        checked = msgspec.json.decode(msgspec.json.encode(transaction), type=Transaction)
        Acceptance().check(checked, key=checked.customer_id.encode(), reference_ms=end_ms)
        assert first_ms <= checked.event_time < end_ms
        assert is_fraud is (pattern is not None)


@given(small_simulations)
@settings(deadline=None, max_examples=25)
def test_event_times_ascend_and_ids_are_unique(simulation: Simulation) -> None:
    transactions = [transaction for transaction, _, _ in labelled(simulate(simulation))]
    times = [transaction.event_time for transaction in transactions]

    assert times == sorted(times)
    assert len({transaction.transaction_id for transaction in transactions}) == len(transactions)


@given(small_simulations, st.integers(1, 3))
@settings(deadline=None, max_examples=25)
def test_other_simulations_share_no_transaction_id(simulation: Simulation, more: int) -> None:
    other = msgspec.structs.replace(simulation, customers=simulation.customers + more)
    ids, other_ids = (
        {transaction.transaction_id for transaction, _, _ in labelled(simulate(each))}
        for each in (simulation, other)
    )

    assert not ids & other_ids


def test_a_seed_gives_the_same_bytes_on_every_machine() -> None:
    simulation = Simulation(customers=200, terminals=50, days=3, seed=1, start=START)
    lines = msgspec.json.Encoder().encode_lines(list(labelled(simulate(simulation))))

    assert sha256(lines).hexdigest() == ("d065b94a41177cf733fac7e335af9882d0b169babeb24679caa5995b17961ee4")


def test_one_in_a_hundred_is_fraud_and_every_pattern_occurs(traffic: list[Labelled]) -> None:
    shares = {pattern: len(of_pattern(traffic, pattern)) / len(traffic) for pattern in PATTERNS}

    assert 0.005 < sum(shares.values()) < 0.015
    assert min(shares.values()) > 0.0005


def test_every_field_of_the_contract_is_filled(traffic: list[Labelled]) -> None:
    filled = {
        field
        for transaction, _, _ in traffic
        for field in Transaction.__struct_fields__
        if getattr(transaction, field) is not None
    }

    assert filled == set(Transaction.__struct_fields__) - {"decide_by"}


def test_large_amounts_are_large(traffic: list[Labelled]) -> None:
    assert min(transaction.amount_minor for transaction in of_pattern(traffic, "large_amount")) >= 50_000


def test_a_compromised_terminal_has_no_honest_transaction_that_day(traffic: list[Labelled]) -> None:
    hit = {(t.terminal_id, day(t)) for t in of_pattern(traffic, "compromised_terminal")}

    assert all(is_fraud for t, is_fraud, _ in traffic if (t.terminal_id, day(t)) in hit)


def test_a_compromised_terminal_stays_so_for_days(traffic: list[Labelled]) -> None:
    days = defaultdict(set)
    for transaction in of_pattern(traffic, "compromised_terminal"):
        days[transaction.terminal_id].add(day(transaction))

    assert max(len(each) for each in days.values()) >= 3


def test_a_thief_spends_several_times_as_much_as_the_owner(traffic: list[Labelled]) -> None:
    stolen = of_pattern(traffic, "stolen_card")
    victims = {transaction.customer_id for transaction in stolen}
    honest = [t.amount_minor for t, is_fraud, _ in traffic if t.customer_id in victims and not is_fraud]

    assert mean(t.amount_minor for t in stolen) > 3 * mean(honest)


def test_card_testing_is_a_burst_of_tiny_amounts_followed_by_a_large_one(traffic: list[Labelled]) -> None:
    bursts = defaultdict(list)
    for transaction in of_pattern(traffic, "card_testing"):
        bursts[transaction.customer_id, day(transaction)].append(transaction)

    for burst in bursts.values():
        *tests, big = burst
        assert len(tests) >= FEWEST_TESTS
        assert max(t.amount_minor for t in tests) <= TINY_MINOR
        assert big.amount_minor >= 100 * TINY_MINOR
        assert big.event_time - burst[0].event_time <= BURST_MS


def test_the_device_of_a_burst_is_new_to_the_customer(traffic: list[Labelled]) -> None:
    known = {t.device_id for t, _, pattern in traffic if pattern != "card_testing"}

    assert not known & {t.device_id for t in of_pattern(traffic, "card_testing")}


def test_impossible_travel_is_faster_than_any_airliner(traffic: list[Labelled]) -> None:
    previous: dict[str, Transaction] = {}
    for transaction, _, pattern in traffic:
        if pattern == "impossible_travel":
            before = previous[transaction.customer_id]
            hours = (transaction.event_time - before.event_time) / 3_600_000
            assert kilometres(before, transaction) > AIRLINER_KM_PER_HOUR * hours
        previous[transaction.customer_id] = transaction


def test_legitimate_customers_travel(traffic: list[Labelled]) -> None:
    countries = defaultdict(set)
    for transaction, is_fraud, _ in traffic:
        if not is_fraud and transaction.channel == "pos":
            countries[transaction.customer_id].add(transaction.country)

    assert any(len(each) > 1 for each in countries.values())
