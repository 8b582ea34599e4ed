"""Laws of entity activity: with late, repeated and reordered facts, the counts equal a recount."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import StateCorrupt
from app.features.activity import EMPTY, LABEL, QUERY, TRANSACTION, observe
from app.features.activity_bytes import HEADER_WORDS, KEPT_HOURS
from app.features.state import lineage
from tests.activity_format import HEADER_BYTES, Guard, StoredLabel, read_activity, write_activity
from tests.properties.activity_recount import (
    DAY_MS,
    HOUR_MS,
    LOG,
    MOST_GUARDS,
    MOST_LABELS,
    START_MS,
    WIDTHS_MS,
    Fact,
    NaiveActivity,
    as_facts,
    fold_all,
    histories,
    recount,
)

NO_FACTS = as_facts([])
TRANSACTIONS = [Fact(0, TRANSACTION, START_MS, 1, source_topic_id=3, source_offset=0)]


def folded(facts: list[Fact], state: bytes = b"") -> bytes:
    return fold_all(facts, [state]).states[0]


def naive(facts: list[Fact], start: NaiveActivity | None = None) -> NaiveActivity:
    activity = start or NaiveActivity()
    for fact in facts:
        if fact.kind != QUERY:
            activity.fold(fact)
    return activity


@given(histories(entities=2))
def test_counts_equal_a_recount_of_the_whole_log(facts: list[Fact]) -> None:
    """Except in windows that include evicted facts, which ``evicted_ms`` shows."""
    observed, before = fold_all(facts, [b"", b""]), list[Fact]()
    for at, fact in enumerate(facts):
        if fact.kind & QUERY:
            expected = recount([f for f in before if f.entity == fact.entity], fact.time_ms).row
            end_ms = (fact.time_ms - 7 * DAY_MS) // HOUR_MS * HOUR_MS
            for w, width_ms in enumerate(WIDTHS_MS):
                if observed.evicted_ms[at] <= end_ms - width_ms:
                    assert [expected[w], expected[3 + w]] == observed.counts[at][[w, 3 + w]].tolist()
        if fact.kind == LABEL or observed.applied[at]:
            before.append(fact)


@given(histories())
def test_the_state_equals_that_of_plain_lists(facts: list[Fact]) -> None:
    observed, activity = fold_all(facts, [b""]), NaiveActivity()
    for at, fact in enumerate(facts):
        if fact.kind & QUERY:
            expected = (activity.first_seen_ms(), activity.evicted_ms())
            assert expected == (observed.first_seen_ms[at], observed.evicted_ms[at])
        if fact.kind != QUERY:
            assert activity.fold(fact) == observed.applied[at]

    assert [activity.encode()] == observed.states


@given(histories(), st.data())
def test_the_result_does_not_depend_on_how_facts_are_split_into_calls(
    facts: list[Fact], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(facts)))
    whole, first = fold_all(facts, [b""]), fold_all(facts[:cut], [b""])
    second = fold_all(facts[cut:], first.states)

    assert whole.states == second.states
    np.testing.assert_array_equal(whole.counts, np.concatenate([first.counts, second.counts]))


@given(histories(), st.data())
def test_facts_that_are_read_again_change_nothing(facts: list[Fact], data: st.DataObject) -> None:
    """After a takeover, a worker reads from the last commit."""
    state = folded(facts)
    again = facts[data.draw(st.integers(0, len(facts) - 1)) :]

    assert state == folded(again, state)


@given(histories(), st.data())
def test_facts_sent_again_under_new_offsets_change_only_the_offset(
    facts: list[Fact], data: st.DataObject
) -> None:
    """After a takeover, a scoring worker sends all facts since the last commit again, in order."""
    again = facts[data.draw(st.integers(0, len(facts) - 1)) :]
    repeated = [fact._replace(offset=len(facts) + number) for number, fact in enumerate(again)]
    once, twice = read_activity(folded(facts)), read_activity(folded(facts + repeated))

    assert once._replace(applied_offset=0) == twice._replace(applied_offset=0)


@given(histories(), st.data())
def test_the_counts_do_not_depend_on_the_order_of_transactions_and_labels(
    facts: list[Fact], data: st.DataObject
) -> None:
    """Each fact has its own source partition, and all are of one week, so that none is too old to be kept."""
    week = [
        fact._replace(
            time_ms=START_MS + fact.time_ms % (7 * DAY_MS), source_partition=number, transaction=number
        )
        for number, fact in enumerate(facts)
        if fact.kind != QUERY
    ]
    shuffled = data.draw(st.permutations(week))
    question = Fact(0, QUERY, START_MS + data.draw(st.integers(0, 50 * DAY_MS)))
    known = [
        fold_all([*(f._replace(offset=i) for i, f in enumerate(order)), question], [b""]).counts[-1].tolist()
        for order in (week, shuffled)
    ]

    assert known[0] == known[1]


@given(histories())
def test_a_query_changes_nothing(facts: list[Fact]) -> None:
    state = folded(facts)
    questions = [fact._replace(kind=QUERY) for fact in facts]

    assert state == folded(questions, state)


@given(histories())
def test_labels_change_no_result_before_their_report(facts: list[Fact]) -> None:
    """A label with a late report time follows every fact: no result differs."""
    added, kept = list[Fact](), list[int]()
    for fact in facts:
        future = fact._replace(kind=LABEL, reported_ms=2**62, is_fraud=True)
        kept.append(len(added))
        added += [fact, future]
    added = [fact._replace(offset=number) for number, fact in enumerate(added)]

    np.testing.assert_array_equal(fold_all(facts, [b""]).counts, fold_all(added, [b""]).counts[kept])


@given(histories())
def test_the_bytes_are_those_of_the_documented_layout_and_bounded(facts: list[Fact]) -> None:
    state = folded(facts)
    stored = read_activity(state)

    assert state == write_activity(stored)
    assert len(state) == 56 + 8 * len(stored.hours) + 24 * (len(stored.guards) + len(stored.labels))
    assert len(stored.hours) <= KEPT_HOURS
    assert all(stored.newest_hour - KEPT_HOURS < hour for hour, _ in stored.hours)


@given(histories())
def test_the_lineage_is_stored_as_in_a_profile(facts: list[Fact]) -> None:
    last = max((fact.offset for fact in facts if fact.kind != QUERY), default=None)

    assert ((0, -1) if last is None else (LOG, last)) == lineage(folded(facts))


def full_of_labels(room: int) -> NaiveActivity:
    """``room`` labels below the maximum; all of one hour, as in an attack."""
    activity = naive(TRANSACTIONS)
    hour = START_MS // HOUR_MS
    activity.labels = [
        StoredLabel(10 + number, START_MS + DAY_MS, hour, True) for number in range(MOST_LABELS - room)
    ]
    return activity


@settings(max_examples=20)
@given(histories(), st.integers(0, 3))
def test_beyond_the_maximum_the_oldest_labels_are_evicted_and_reported(facts: list[Fact], room: int) -> None:
    later = [fact._replace(offset=fact.offset + 1) for fact in facts]
    state = full_of_labels(room).encode()
    observed, activity = fold_all(later, [state]), naive(later, full_of_labels(room))
    again = fold_all([fact._replace(offset=fact.offset + 1000) for fact in later], observed.states)

    assert [activity.encode()] == observed.states
    assert len(activity.labels) <= MOST_LABELS
    assert read_activity(observed.states[0]).labels == read_activity(again.states[0]).labels


@settings(max_examples=20)
@given(histories(), st.integers(0, 3))
def test_beyond_the_maximum_the_oldest_guards_are_evicted(facts: list[Fact], room: int) -> None:
    def crowded() -> NaiveActivity:
        activity = naive(TRANSACTIONS)
        activity.guards = [Guard(1, number, 0) for number in range(MOST_GUARDS - room)]
        return activity

    later = [fact._replace(offset=fact.offset + 1) for fact in facts]

    assert naive(later, crowded()).encode() == folded(later, crowded().encode())


def test_an_unknown_entity_has_zero_counts() -> None:
    observed = fold_all([Fact(0, QUERY, START_MS)], [b""])

    assert (0, -1) == lineage(EMPTY)
    assert len(EMPTY) == HEADER_BYTES == 8 * HEADER_WORDS
    assert [EMPTY] == observed.states
    assert [[0.0] * 6] == observed.counts.tolist()
    assert (2**63 - 1, -(2**63)) == (observed.first_seen_ms[0], observed.evicted_ms[0])


@given(histories(), st.data())
def test_truncated_or_longer_bytes_are_corrupt(facts: list[Fact], data: st.DataObject) -> None:
    whole = folded(facts)
    length = data.draw(st.integers(1, len(whole) - 1))
    for state in (whole[:length], whole + bytes(8)):
        with pytest.raises(StateCorrupt):
            observe([EMPTY, state], NO_FACTS)


@pytest.mark.parametrize("place", [0, 4, 24, 28])
def test_another_version_or_wrong_counts_are_corrupt(place: int) -> None:
    state = bytearray(folded(TRANSACTIONS))
    state[place] += 1
    with pytest.raises(StateCorrupt):
        observe([bytes(state)], NO_FACTS)


@pytest.mark.parametrize("hours", [((5, 1), (4, 1)), ((4, 1), (4, 1)), ((5 - KEPT_HOURS, 1),), ((6, 1),)])
def test_hours_that_do_not_ascend_to_the_newest_are_corrupt(hours: tuple[tuple[int, int], ...]) -> None:
    stored = read_activity(folded(TRANSACTIONS))._replace(hours=hours, newest_hour=5)
    with pytest.raises(StateCorrupt):
        observe([write_activity(stored)], NO_FACTS)
