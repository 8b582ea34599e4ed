"""What is known about the entities of transactions, from the bytes of their activities."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.transaction import Transaction
from app.features.activity import LABEL, TRANSACTION, observe
from app.features.catalog import delayed_features
from app.features.delayed_features import absent, compute_delayed, touched
from app.features.entities import ENTITIES, DelayedEntity, Function
from tests.properties.activity_recount import DAY_MS, HOUR_MS, Fact, as_facts

NOON_MS = 1_760_000_400_000
DEVICE = DelayedEntity("device", "device_id", (Function.COUNT, Function.RISK), (0, 2))


def transaction(number: int, device: str | None = None, terminal: str = "m1") -> Transaction:
    return Transaction(
        transaction_id=f"t{number}",
        customer_id="c1",
        terminal_id=terminal,
        event_time=NOON_MS + number,
        amount_minor=1,
        currency="EUR",
        device_id=device,
    )


def activity() -> bytes:
    """Two transactions eight days ago, one of them known to be fraud for a day."""
    first_ms = NOON_MS - 8 * DAY_MS + HOUR_MS
    facts = [
        Fact(0, TRANSACTION, first_ms, 1, source_offset=1),
        Fact(0, TRANSACTION, first_ms, 2, source_offset=2, offset=1),
        Fact(0, LABEL, first_ms, 2, NOON_MS - DAY_MS, is_fraud=True, offset=2),
    ]
    return observe([b""], as_facts(facts)).states[0]


def test_each_entity_that_is_touched_is_asked_for_once() -> None:
    about = touched([transaction(1), transaction(2, terminal="m2"), transaction(3)])

    assert ["terminal:m1", "terminal:m2", "customer:c1"] == about.keys


def test_columns_of_all_entities_stand_side_by_side() -> None:
    about = touched([transaction(1), transaction(2, terminal="m2")])
    known = compute_delayed(about, {"terminal:m1": activity(), "terminal:m2": b"", "customer:c1": b""})

    assert [2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.0] == known.features[0].tolist()
    assert [0.0] * 7 == known.features[1].tolist()
    assert not known.absent.any()
    assert (NOON_MS - 8 * DAY_MS + HOUR_MS, 2**63 - 1) == (
        known.first_seen_ms[0, 0],
        known.first_seen_ms[1, 0],
    )


def test_what_could_not_be_read_is_missing_and_flagged() -> None:
    known = absent(touched([transaction(1), transaction(2)]))

    assert np.isnan(known.features).all()
    assert known.features.shape == (2, sum(entity.width for entity in ENTITIES))
    assert known.absent.all()


def test_no_transactions_are_no_rows() -> None:
    assert (
        (0, 7)
        == compute_delayed(touched([]), {"customer:c1": b""}).features.shape
        == absent(touched([])).features.shape
    )


@pytest.mark.parametrize("value", [b"?", bytes(8), b"\xff" * 56, b"\1" + bytes(2**20 - 1)])
def test_bytes_that_are_no_activity_blank_the_transactions_of_their_entity_only(value: bytes) -> None:
    about = touched([transaction(1), transaction(2, terminal="m2"), transaction(3)])
    known = compute_delayed(about, {"terminal:m1": value, "terminal:m2": activity(), "customer:c1": b""})

    assert [True, False, True] == known.absent.tolist()
    assert [2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.0] == known.features[1].tolist()
    assert np.isnan(known.features[[0, 2]]).all()
    assert ("terminal:m1",) == known.corrupt


def test_a_further_entity_is_one_line() -> None:
    """Of an optional field: where a transaction leaves it out, the features are missing."""
    about = touched([transaction(1, "d1"), transaction(2)], [*ENTITIES, DEVICE])
    known = compute_delayed(about, {"device:d1": activity(), "terminal:m1": b"", "customer:c1": b""})

    assert [2.0, 2.0, 0.5, 0.5] == known.features[0, 7:].tolist()
    assert all(map(isnan, known.features[1, 7:]))
    assert not known.absent.any()
    assert "device:d1" in about.keys
    assert [
        "device_count_1d", "device_count_30d", "device_risk_1d", "device_risk_30d"
    ] == [feature.name for feature in delayed_features(DEVICE)]  # fmt: skip


names = st.sampled_from(["a", "b", "c"])
devices = st.sampled_from(["a", "b", None])
chunks = st.lists(st.tuples(names, devices), min_size=1, max_size=12).map(
    lambda pairs: [
        transaction(number, device, terminal=terminal) for number, (terminal, device) in enumerate(pairs)
    ]
)


@given(chunks, st.data())
def test_a_transaction_is_absent_when_one_of_its_entities_could_not_be_read(
    chunk: list[Transaction], data: st.DataObject
) -> None:
    """And of the others the same is told as if all had been read."""
    entities = [*ENTITIES, DEVICE]
    about = touched(chunk, entities)
    of_nobody = {"terminal:other": b""}
    everything = of_nobody | {key: activity() if key.endswith(":a") else b"" for key in about.keys}
    unread = data.draw(st.sets(st.sampled_from(about.keys)))

    whole, nothing = compute_delayed(about, everything), absent(about)
    found = compute_delayed(about, {key: everything[key] for key in everything.keys() - unread})

    expected = [not unread.isdisjoint(touched([each], entities).keys) for each in chunk]
    assert expected == found.absent.tolist()
    assert not whole.absent.any()
    for column in ("features", "first_seen_ms", "evicted_ms"):
        for row, is_absent in enumerate(expected):
            source = nothing if is_absent else whole
            np.testing.assert_array_equal(getattr(source, column)[row], getattr(found, column)[row])


def test_where_nothing_was_read_all_is_absent() -> None:
    assert [True] == compute_delayed(touched([transaction(1)]), {}).absent.tolist()
