"""Laws of a profile's bytes: nothing is forgotten by storing it, and no other bytes are taken for a profile."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.transaction import Transaction
from app.errors import StateCorrupt
from app.features.catalog import vector
from app.features.fold import observe
from app.features.profile import Profile
from app.features.state import decode, encode, lineage
from app.features.window import DAY_MS, Bounds

BOUNDS = Bounds(DAY_MS, 32)
START_MS = 1_760_000_000_000

AMOUNTS = st.one_of(st.integers(0, 10**6), st.just(2**32), st.just(10**15))
STEPS_MS = st.one_of(st.integers(-2 * DAY_MS, 2 * DAY_MS), st.just(-60 * DAY_MS), st.just(60 * DAY_MS))
PLACES = st.one_of(st.none(), st.tuples(st.floats(-90, 90), st.floats(-180, 180)))


@st.composite
def histories(draw: st.DrawFn) -> list[Transaction]:
    """A customer's transactions: in order and out of order, small and enormous, with places and without."""
    time_ms, transactions = START_MS, []
    for number in range(draw(st.integers(0, 40))):
        time_ms += draw(STEPS_MS)
        place = draw(PLACES)
        transactions.append(
            Transaction(
                transaction_id=f"t{number}",
                customer_id="c1",
                terminal_id=f"m{draw(st.integers(1, 3))}",
                event_time=time_ms,
                amount_minor=draw(AMOUNTS),
                currency="EUR",
                latitude=place and place[0],
                longitude=place and place[1],
            )
        )
    return transactions


def folded(transactions: list[Transaction]) -> Profile:
    profile = Profile(BOUNDS)
    for offset, transaction in enumerate(transactions):
        observe(profile, transaction)
        profile.incarnation, profile.applied_offset = 2**64 - 1, offset
    return profile


def features_of(profile: Profile, transactions: list[Transaction]) -> str:
    """As text, in which NaN equals NaN."""
    found = []
    for transaction in transactions:
        seen = observe(profile, transaction)
        found.append(None if seen is None else (vector(transaction, seen), seen))
    return repr(found)


@given(histories())
def test_decoding_and_encoding_gives_the_same_bytes(history: list[Transaction]) -> None:
    data = encode(folded(history))

    assert data == encode(decode(data, BOUNDS))


@given(histories(), st.integers(0, 40))
def test_a_stored_profile_goes_on_as_if_it_had_not_been_stored(history: list[Transaction], cut: int) -> None:
    """Late ones, repeats and evictions included."""
    before, after = history[:cut], [*history[cut:], *history]
    never_stored = folded(before)
    stored = decode(encode(never_stored), BOUNDS)

    assert features_of(never_stored, after) == features_of(stored, after)
    assert encode(never_stored) == encode(stored)


@given(histories())
def test_equal_profiles_have_equal_bytes_however_often_they_were_stored(history: list[Transaction]) -> None:
    """So that RocksDB and the changelog can be compared."""
    at_once = folded(history)
    profile = Profile(BOUNDS)
    for offset, transaction in enumerate(history):
        observe(profile, transaction)
        profile.incarnation, profile.applied_offset = 2**64 - 1, offset
        profile = decode(encode(profile), BOUNDS)

    assert encode(at_once) == encode(profile)


@given(histories())
def test_the_lineage_is_read_without_decoding(history: list[Transaction]) -> None:
    profile = folded(history)

    assert (profile.incarnation, profile.applied_offset) == lineage(encode(profile))


@given(histories(), st.data())
def test_truncated_bytes_are_no_profile(history: list[Transaction], data: st.DataObject) -> None:
    whole = encode(folded(history))
    length = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(StateCorrupt):
        decode(whole[:length], BOUNDS)


@given(histories(), st.binary(min_size=1, max_size=40))
def test_bytes_with_more_behind_them_are_no_profile(history: list[Transaction], more: bytes) -> None:
    with pytest.raises(StateCorrupt):
        decode(encode(folded(history)) + more, BOUNDS)


@given(histories(), st.integers(0, 2**32 - 1))
def test_another_number_of_events_is_no_profile(history: list[Transaction], events: int) -> None:
    """The number stands at the end of the header, at byte 77."""
    data = bytearray(encode(folded(history)))
    (actual,) = struct.unpack_from("<I", data, 77)
    struct.pack_into("<I", data, 77, events)

    if events == actual:
        assert data == encode(decode(bytes(data), BOUNDS))
    else:
        with pytest.raises(StateCorrupt):
            decode(bytes(data), BOUNDS)


@pytest.mark.parametrize(("at", "value"), [(0, 0), (0, 2), (1, 0), (1, 0xFF), (2, ord("d")), (3, 3)])
def test_another_version_column_type_or_number_of_windows_is_no_profile(at: int, value: int) -> None:
    data = bytearray(encode(folded([])))
    data[at] = value

    with pytest.raises(StateCorrupt):
        decode(bytes(data), BOUNDS)


@given(st.binary(max_size=300))
def test_chance_is_no_profile(data: bytes) -> None:
    with pytest.raises(StateCorrupt):
        decode(data, BOUNDS)
