"""Laws of the fold: for arrivals in any order, the features equal a recount from the definition."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.features.fold import ALREADY_APPLIED, APPLIED, REPEATED, Folded, fold
from app.features.window import DAY_MS, LONGEST_MS, WIDTHS_MS, Bounds
from tests.profile_format import read_profile
from tests.properties.recount import (
    BOUNDS,
    COUNT_AT,
    FAR_LATE,
    LATENESS_MS,
    SINCE_LAST_AT,
    START_MS,
    SUM_AT,
    TRAVEL_AT,
    WITHIN_LATENESS,
    Arrival,
    NaiveProfile,
    as_events,
    fold_one_customer,
    journeys,
    recount,
    sums,
    window,
    with_repeats,
)


def same(expected: list[float], found: NDArray[np.float64]) -> bool:
    """Whether two rows are bit-identical, with NaN equal to NaN."""
    return np.array_equal(np.array(expected), found, equal_nan=True)


def in_order(arrivals: list[Arrival]) -> list[int]:
    """Indexes of the arrivals that are not older than any before them."""
    newest = np.maximum.accumulate([arrival.time_ms for arrival in arrivals]).tolist()
    return [i for i, arrival in enumerate(arrivals) if arrival.time_ms == newest[i]]


@given(journeys(WITHIN_LATENESS))
def test_within_the_allowed_lateness_every_window_equals_a_recount(arrivals: list[Arrival]) -> None:
    _, folded = fold_one_customer(arrivals)

    for i, event in enumerate(arrivals):
        seen = arrivals[: i + 1]
        assert same(recount(seen, event), folded.features[i, :SINCE_LAST_AT])
        before = [e.time_ms for e in arrivals[:i] if e.time_ms <= event.time_ms]
        newest_ms = max(e.time_ms for e in seen)
        if before and max(before) > newest_ms - BOUNDS.retention_ms:
            assert (event.time_ms - max(before)) / 1000 == folded.features[i, SINCE_LAST_AT]
    assert not folded.late.any()


@settings(max_examples=300)
@given(with_repeats(journeys(FAR_LATE, customers=3)), st.sampled_from([1, 2, 3, 16, 4096]))
def test_the_fold_is_bit_identical_to_a_naive_one(arrivals: list[Arrival], cap: int) -> None:
    """For several customers at once, with late and repeated arrivals; features and stored bytes."""
    bounds = Bounds(LATENESS_MS, cap)
    naive = [NaiveProfile(bounds, topic_id=2**64 - 1) for _ in range(3)]

    folded = fold([b""] * 3, as_events(arrivals), bounds, 2**64 - 1)

    for i, event in enumerate(arrivals):
        status, expected = naive[event.customer].fold(event)
        assert status == folded.status[i]
        if expected is not None:
            assert same(expected.row[:TRAVEL_AT], folded.features[i, :TRAVEL_AT])
            np.testing.assert_allclose(folded.features[i, TRAVEL_AT], expected.row[TRAVEL_AT], 1e-12, 1e-9)
            assert expected[1:] == (folded.late[i], folded.first_seen_ms[i], folded.evicted_ms[i])
    assert [profile.encode() for profile in naive] == folded.profiles


@given(journeys(FAR_LATE))
def test_an_event_is_late_exactly_beyond_the_allowed_lateness(arrivals: list[Arrival]) -> None:
    _, folded = fold_one_customer(arrivals)

    newest = np.maximum.accumulate([arrival.time_ms for arrival in arrivals]).tolist()
    assert [
        event.time_ms < newest_ms - LATENESS_MS for event, newest_ms in zip(arrivals, newest, strict=True)
    ] == folded.late.tolist()


@given(journeys(FAR_LATE))
def test_after_a_late_event_later_events_in_order_count_all_arrivals(
    arrivals: list[Arrival],
) -> None:
    _, folded = fold_one_customer(arrivals)

    for i in in_order(arrivals):
        assert same(recount(arrivals[: i + 1], arrivals[i]), folded.features[i, :SINCE_LAST_AT])


@given(journeys(FAR_LATE))
def test_a_repeat_of_an_event_that_can_be_in_a_window_is_detected_by_its_id(arrivals: list[Arrival]) -> None:
    profile, folded = fold_one_customer(arrivals)
    newest_ms = max(event.time_ms for event in arrivals)
    again = [
        e._replace(offset=100, time_ms=newest_ms) for e in arrivals if e.time_ms > newest_ms - LONGEST_MS
    ]

    after, repeated = fold_one_customer(again, profile=profile)

    assert set(folded.status.tolist()) == {APPLIED}
    assert set(repeated.status.tolist()) == {REPEATED}
    assert profile == after


@given(journeys(FAR_LATE), st.integers(0, 40))
def test_reading_any_part_of_the_log_again_changes_nothing(arrivals: list[Arrival], start: int) -> None:
    profile, _ = fold_one_customer(arrivals)

    after, replayed = fold_one_customer(arrivals[start:], profile=profile)

    assert [ALREADY_APPLIED] * len(arrivals[start:]) == replayed.status.tolist()
    assert profile == after


@given(journeys(FAR_LATE), st.integers(0, 40))
def test_reading_the_whole_log_again_continues_after_the_applied_offset(
    arrivals: list[Arrival], cut: int
) -> None:
    """The worker was killed between the store and the commit, and reads the whole log again."""
    before, _ = fold_one_customer(arrivals[:cut])

    after, folded = fold_one_customer(arrivals, profile=before)

    new = len(arrivals[cut:])
    assert [ALREADY_APPLIED] * (len(arrivals) - new) + [APPLIED] * new == folded.status.tolist()
    assert fold_one_customer(arrivals)[0] == after


@given(journeys(FAR_LATE), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_lower_offsets_under_another_topic_id_are_applied(
    arrivals: list[Arrival], first: int, second: int
) -> None:
    profile, _ = fold_one_customer([arrivals[0]._replace(offset=10**6)], topic_id=first)

    after, folded = fold_one_customer(arrivals[1:], profile=profile, topic_id=second)

    expected = ALREADY_APPLIED if first == second else APPLIED
    assert all(status == expected for status in folded.status.tolist())
    applied = len(arrivals) > 1 and first != second
    assert read_profile(after).topic_id == (second if applied else first)
    assert read_profile(after).applied_offset == (arrivals[-1].offset if applied else 10**6)


def in_chunks(
    arrivals: list[Arrival], cuts: list[int], order: list[int], bounds: Bounds
) -> tuple[dict[int, bytes], list[Folded]]:
    """Fold in chunks, each with the customers in another order, including customers without events."""
    profiles: dict[int, bytes] = defaultdict(bytes)
    parts = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(arrivals)], strict=True)):
        turned = order[number % len(order) :] + order[: number % len(order)]
        chunk = [a._replace(customer=turned.index(a.customer)) for a in arrivals[start:end]]
        parts.append(fold([profiles[customer] for customer in turned], as_events(chunk), bounds))
        profiles.update(zip(turned, parts[-1].profiles, strict=True))
    return profiles, parts


@given(
    with_repeats(journeys(FAR_LATE, customers=4)),
    st.lists(st.integers(0, 40), max_size=8),
    st.permutations(range(4)),
    st.sampled_from([3, 4096]),
)
def test_the_result_does_not_depend_on_chunks_and_on_the_order_of_customers(
    arrivals: list[Arrival], cuts: list[int], order: list[int], cap: int
) -> None:
    bounds = Bounds(LATENESS_MS, cap)
    whole = fold([b""] * 4, as_events(arrivals), bounds)

    profiles, parts = in_chunks(arrivals, sorted(min(c, len(arrivals)) for c in cuts), order, bounds)

    assert whole.profiles == [profiles[customer] for customer in range(4)]
    status = np.concatenate([part.status for part in parts])
    assert np.array_equal(whole.status, status)
    for name in ("features", "late", "first_seen_ms", "evicted_ms"):
        found = np.concatenate([getattr(part, name) for part in parts])[status == APPLIED]
        assert getattr(whole, name)[status == APPLIED].tobytes() == found.tobytes()


@given(journeys(FAR_LATE), st.integers(16, 20))
def test_a_profile_keeps_at_most_its_maximum_of_events_and_sums_exactly_those(
    arrivals: list[Arrival], cap: int
) -> None:
    profile = b""
    for event in arrivals:
        profile, _ = fold_one_customer([event], Bounds(LATENESS_MS, cap), profile)

        stored = read_profile(profile)
        assert stored.events <= cap
        assert list(stored.kept) == sorted(stored.kept, key=lambda kept: kept.time_ms)
        newest_ms = stored.kept[-1].time_ms
        for i, width in enumerate(WIDTHS_MS):
            inside = [kept.amount for kept in stored.kept if kept.time_ms > newest_ms - width]
            assert (sum(inside), sum(a * a for a in inside)) == (stored.newest_sums[i], stored.squares[i])


@given(journeys(FAR_LATE), st.integers(16, 20))
def test_saturation_is_reported_exactly_if_an_event_of_the_window_was_evicted(
    arrivals: list[Arrival], cap: int
) -> None:
    _, folded = fold_one_customer(arrivals, Bounds(LATENESS_MS, cap))

    for i in in_order(arrivals):
        event, evicted_ms = arrivals[i], int(folded.evicted_ms[i])
        for w, width in enumerate(WIDTHS_MS):
            count, total, _ = sums(window(arrivals[: i + 1], event, width))
            found = folded.features[i, [COUNT_AT + 4 * w, SUM_AT + 4 * w]].tolist()
            assert (evicted_ms > event.time_ms - width) == (found != [count, float(total)])


@given(journeys(FAR_LATE))
def test_a_lower_maximum_evicts_the_oldest_events_at_the_next_one(arrivals: list[Arrival]) -> None:
    profile, _ = fold_one_customer(arrivals)
    kept, newest_ms = read_profile(profile).kept, max(event.time_ms for event in arrivals)

    after, _ = fold_one_customer(
        [arrivals[0]._replace(time_ms=newest_ms, id=1, offset=100)], Bounds(LATENESS_MS, 2), profile
    )

    stored = read_profile(after)
    assert [entry.id for entry in stored.kept] == [entry.id for entry in (*kept[-1:], stored.kept[-1])]
    assert stored.evicted_ms == (kept[-2].time_ms if len(kept) > 1 else read_profile(profile).evicted_ms)


@given(journeys(FAR_LATE))
def test_first_seen_is_the_earliest_time_so_far(arrivals: list[Arrival]) -> None:
    _, folded = fold_one_customer(arrivals)

    earliest = np.minimum.accumulate([event.time_ms for event in arrivals])
    assert earliest.tolist() == folded.first_seen_ms.tolist()


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(0, 3 * DAY_MS))
def test_the_size_depends_on_the_retention_and_not_on_the_history(events: int, step_ms: int) -> None:
    arrivals = [Arrival(0, START_MS + i * step_ms, 1, 0, i, np.nan, np.nan, i) for i in range(events)]

    profile, _ = fold_one_customer(arrivals)

    needed = min(events, (BOUNDS.retention_ms - 1) // step_ms + 1 if step_ms else events)
    narrow = (needed - 1) * step_ms < 2**32
    assert len(profile) == 192 + needed * (24 if narrow else 32)
