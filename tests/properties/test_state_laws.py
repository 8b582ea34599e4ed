"""Laws of a profile's bytes: storing loses nothing, and corrupt bytes are detected."""

import struct
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import StateCorrupt
from app.features.fold import fold
from app.features.state import EMPTY, HEADER_WORDS, lineage
from app.features.window import LONGEST_MS, Bounds
from tests.profile_format import HEADER_BYTES, read_profile, write_profile
from tests.properties.recount import (
    BOUNDS,
    FAR_LATE,
    START_MS,
    Arrival,
    as_events,
    fold_one_customer,
    journeys,
)

WORD_BYTES = 8
EVENTS_AT, STARTS_AT = 4, 80
"""Positions in the header, in bytes."""
NEW = Arrival(0, START_MS, 1, 2, 3, nan, nan, 1000)


def stored(history: list[Arrival], cap: int = 32) -> bytes:
    return fold_one_customer(history, Bounds(BOUNDS.allowed_lateness_ms, cap))[0]


def refused(*profiles: bytes) -> bool:
    """Assert that a fold with this profile raises StateCorrupt, with or without transactions of the customer."""
    for events in ([], [NEW._replace(customer=len(profiles) - 1)]):
        with pytest.raises(StateCorrupt):
            fold(profiles, as_events(events), BOUNDS)
    return True


@given(journeys(FAR_LATE))
def test_folding_nothing_gives_the_same_bytes(history: list[Arrival]) -> None:
    profile = stored(history)

    assert fold([profile], as_events([]), BOUNDS).profiles == [profile]


@given(journeys(FAR_LATE))
def test_the_bytes_are_those_of_the_documented_layout(history: list[Arrival]) -> None:
    profile = stored(history)

    assert profile == write_profile(read_profile(profile))
    wide = read_profile(profile).wide
    assert len(profile) == 192 + (32 if wide else 24) * read_profile(profile).events


@given(journeys(FAR_LATE))
def test_the_lineage_is_read_without_decoding(history: list[Arrival]) -> None:
    profile, _ = fold_one_customer(history, topic_id=2**64 - 1)

    assert (2**64 - 1, history[-1].offset) == lineage(profile)


@pytest.mark.parametrize("length", [0, 1, 8, 23])
def test_bytes_that_end_before_the_lineage_have_none(length: int) -> None:
    with pytest.raises(StateCorrupt):
        lineage(EMPTY[:length])


def test_a_new_customer_has_no_applied_offset() -> None:
    assert (0, -1) == lineage(EMPTY)
    assert len(EMPTY) == HEADER_BYTES == HEADER_WORDS * WORD_BYTES
    assert fold([b"", EMPTY], as_events([]), BOUNDS).profiles == [EMPTY, EMPTY]


def test_a_fold_without_customers_gives_no_profiles() -> None:
    folded = fold([], as_events([]), BOUNDS)

    assert ([], 0) == (folded.profiles, len(folded.features))


@pytest.mark.parametrize(("amount", "bytes_each"), [(0, 24), (2**32 - 1, 24), (2**32, 32), (10**15, 32)])
def test_an_amount_beyond_32_bits_makes_a_profile_wide(amount: int, bytes_each: int) -> None:
    profile = stored([NEW, NEW._replace(id=4, offset=1001, amount=amount)])

    assert len(profile) == 192 + 2 * bytes_each
    assert read_profile(profile).kept[1].amount == amount


@pytest.mark.parametrize(("span_ms", "bytes_each"), [(0, 24), (2**32 - 1, 24), (2**32, 32)])
def test_times_beyond_32_bits_make_a_profile_wide(span_ms: int, bytes_each: int) -> None:
    """49 days; retention of that length needs a large allowed lateness."""
    bounds = Bounds(LONGEST_MS, 32)
    history = [NEW, NEW._replace(id=4, offset=1001, time_ms=START_MS + span_ms)]

    profile, _ = fold_one_customer(history, bounds)

    assert len(profile) == 192 + 2 * bytes_each
    assert [kept.time_ms for kept in read_profile(profile).kept] == [START_MS, START_MS + span_ms]


def test_a_wide_profile_becomes_narrow_after_eviction_of_its_wide_values() -> None:
    history = [NEW._replace(amount=2**32), NEW._replace(id=4, offset=1001, time_ms=START_MS + 2 * LONGEST_MS)]
    wide, narrow = stored(history[:1]), stored(history)

    assert (True, False) == (read_profile(wide).wide, read_profile(narrow).wide)


@given(journeys(FAR_LATE), st.data())
def test_truncated_bytes_are_corrupt(history: list[Arrival], data: st.DataObject) -> None:
    """Truncated to any length except zero, which means a new customer."""
    whole = stored(history)
    length = data.draw(
        st.one_of(st.sampled_from([len(whole) - 1, len(whole) - 8]), st.integers(1, len(whole) - 1))
    )

    assert refused(whole[:length])
    assert refused(whole, whole[:length])


@given(journeys(FAR_LATE), st.one_of(st.binary(min_size=1, max_size=40), st.just(bytes(8))))
def test_bytes_after_the_profile_are_corrupt(history: list[Arrival], more: bytes) -> None:
    assert refused(stored(history) + more)


@given(journeys(FAR_LATE), st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 50)))
def test_a_wrong_number_of_events_is_corrupt(history: list[Arrival], events: int) -> None:
    data = bytearray(stored(history))
    (actual,) = struct.unpack_from("<I", data, EVENTS_AT)
    struct.pack_into("<I", data, EVENTS_AT, events)

    assert events == actual or refused(bytes(data))


@given(journeys(FAR_LATE), st.integers(0, 3), st.integers(1, 2**32 - 1))
def test_a_window_that_starts_beyond_the_events_is_corrupt(
    history: list[Arrival], window: int, beyond: int
) -> None:
    data = bytearray(stored(history))
    start = min(read_profile(bytes(data)).events + beyond, 2**32 - 1)
    struct.pack_into("<I", data, STARTS_AT + 4 * window, start)

    assert refused(bytes(data))


@pytest.mark.parametrize("version", [0, 1, 3, 255])
def test_another_version_is_corrupt(version: int) -> None:
    assert refused(bytes([version]) + EMPTY[1:])


@given(st.binary(min_size=1, max_size=300))
def test_random_bytes_are_corrupt(data: bytes) -> None:
    assert refused(data)


@given(journeys(FAR_LATE), st.data())
def test_times_that_do_not_ascend_are_corrupt(history: list[Arrival], data: st.DataObject) -> None:
    profile = read_profile(stored(history))
    kept = data.draw(st.permutations(profile.kept))
    corrupt = write_profile(profile._replace(kept=tuple(kept), base_ms=min(e.time_ms for e in kept)))
    times = [entry.time_ms for entry in kept]

    assert times == sorted(times) or refused(corrupt)


NOISE = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 50),
    st.sampled_from([-(2**63), 2**63 - 1, START_MS, START_MS + 1]),
)


@st.composite
def noise_of_the_right_shape(draw: st.DrawFn) -> bytes:
    """A profile of random 8-byte words, except those that the fold checks."""
    events, wide = draw(st.integers(0, 8)), draw(st.booleans())
    count = 9 + 12 + (4 if wide else 3) * events
    words = draw(st.lists(NOISE, min_size=count, max_size=count))
    known, sums, times = words[:9], words[9:21], words[21 : 21 + events]
    starts = draw(st.lists(st.integers(0, events), min_size=4, max_size=4))
    return struct.pack(
        f"<BBHI9q4I{count - 9}q",
        2,
        wide,
        0,
        events,
        *known,
        *starts,
        *sums,
        *sorted(times),
        *words[21 + events :],
    )


@given(journeys(FAR_LATE, customers=3), noise_of_the_right_shape(), st.integers(1, 3))
def test_a_corrupt_profile_does_not_affect_other_customers(
    arrivals: list[Arrival], corrupt: bytes, cap: int
) -> None:
    """Not every corruption is detected, but none may affect another customer, and the fold must end."""
    bounds = Bounds(BOUNDS.allowed_lateness_ms, cap)
    alone = fold([b"", b"", b""], as_events(arrivals), bounds, 1)

    try:
        beside = fold([b"", corrupt, b""], as_events(arrivals), bounds, 1)
    except StateCorrupt:
        return

    assert alone.profiles[::2] == beside.profiles[::2]
    others = [i for i, arrival in enumerate(arrivals) if arrival.customer != 1]
    assert alone.features[others].tobytes() == beside.features[others].tobytes()
