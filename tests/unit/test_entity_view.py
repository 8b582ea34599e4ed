"""What could be read of a chunk's entities, and what that says of each of its transactions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.transaction import Transaction
from app.features.delayed import absent, keys, told
from app.streaming.entity_view import told_where_read, unread

NOW_MS = 1_760_000_000_000


def transaction(number: int, customer: str, terminal: str) -> Transaction:
    return Transaction(
        transaction_id=f"t{number}",
        customer_id=customer,
        terminal_id=terminal,
        event_time=NOW_MS + number,
        amount_minor=100,
        currency="EUR",
    )


names = st.sampled_from(["a", "b", "c"])
chunks = st.lists(st.tuples(names, names), max_size=12).map(
    lambda pairs: [transaction(number, *pair) for number, pair in enumerate(pairs)]
)


@given(chunks, st.data())
def test_a_transaction_is_unread_when_one_of_its_entities_is(
    chunk: list[Transaction], data: st.DataObject
) -> None:
    read = data.draw(st.sets(st.sampled_from(sorted(keys(chunk))))) if chunk else set()

    expected = [any(key not in read for key in keys([each])) for each in chunk]

    assert expected == unread(chunk, dict.fromkeys(read, b"")).tolist()


def test_what_was_read_is_told_and_only_the_rest_is_absent() -> None:
    chunk = [transaction(0, "a", "m1"), transaction(1, "b", "m2"), transaction(2, "a", "m2")]
    activities = {key: b"" for key in keys(chunk) if key != "customer:b"}

    found = told_where_read(chunk, activities)

    assert [False, True, False] == found.absent.tolist()
    for expected, rows in ((told(chunk, activities), [0, 2]), (absent(chunk), [1])):
        np.testing.assert_array_equal(expected.features[rows], found.features[rows])
        np.testing.assert_array_equal(expected.first_seen_ms[rows], found.first_seen_ms[rows])
        np.testing.assert_array_equal(expected.evicted_ms[rows], found.evicted_ms[rows])


def test_where_nothing_was_read_all_is_absent() -> None:
    chunk = [transaction(0, "a", "m1")]

    assert [True] == told_where_read(chunk, {}).absent.tolist()
