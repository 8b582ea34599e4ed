"""Laws of profiles of any catalog."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.catalog.definitions import Catalog, Feature, Function
from app.domain.identifiers import signed_digest
from app.errors import StateCorrupt
from app.expressions import tree
from app.expressions.tree import Condition
from app.features.fold import ALREADY_APPLIED, APPLIED, REPEATED
from app.profiles.features import Features
from app.profiles.plan import plan
from app.profiles.reversal import reverse
from tests.support.catalogs import profile_format
from tests.support.catalogs.history import BOUNDS, WINDOWS_MS, Event, folded, histories
from tests.support.catalogs.random_catalogs import catalog, catalogs, conditions


def ascending(name: str, function: Function, of: str | None = None) -> Catalog:
    """One feature over every window, from the narrowest to the widest."""
    features = (
        Feature(name=f"{name}_{width}", entity="customer", function=function, of=of, window_ms=width)
        for width in WINDOWS_MS
    )
    return catalog(*features)


@given(catalogs(), histories(), st.integers(0, 30), st.integers(0, 30))
def test_chunks_of_any_size_give_the_same(
    found_catalog: Catalog, events: list[Event], one: int, other: int
) -> None:
    features = Features(plan(found_catalog))
    at_once = folded(features, events, [b"", b""])

    profiles, rows = [b"", b""], []
    first, second = sorted((one, other))
    for begin, end in ((0, first), (first, second), (second, len(events))):
        if events[begin:end]:
            part = folded(features, events[begin:end], profiles, begin)
            profiles = part.profiles
            rows.append(part.features)

    assert at_once.profiles == profiles
    assert np.array_equal(at_once.features, np.concatenate(rows), equal_nan=True)


@given(histories(customers=1))
def test_a_wider_window_never_lowers_a_count_or_a_number_of_values_or_a_maximum(events: list[Event]) -> None:
    for function, of in (
        (Function.COUNT, None),
        (Function.DISTINCT, "terminal_id"),
        (Function.MAX, "amount"),
        (Function.SECONDS_SINCE_FIRST, None),
    ):
        found = folded(Features(plan(ascending("f", function, of))), events, [b""]).features
        found = np.where(np.isnan(found), -1, found)
        assert (np.diff(found, axis=1) >= 0).all()


@given(conditions, histories(customers=1))
def test_a_filter_and_its_negation_and_what_is_missing_share_out_a_window(
    where: Condition, events: list[Event]
) -> None:
    parts = (where, tree.Not(where), tree.IsMissing(where), None)
    made = catalog(
        *(
            Feature(
                name=f"f{i}", entity="customer", function=Function.COUNT, where=part, window_ms=WINDOWS_MS[4]
            )
            for i, part in enumerate(parts)
        )
    )
    found = folded(Features(plan(made)), events, [b""]).features
    assert np.array_equal(found[:, :3].sum(axis=1), found[:, 3])


@given(catalogs(), histories(customers=1))
def test_the_order_of_events_at_different_times_does_not_change_the_profile(
    found_catalog: Catalog, events: list[Event]
) -> None:
    """The log is in order of time, whatever the order of arrival within the allowed lateness."""
    newest_ms = max(event.time_ms for event in events)
    near = [event for event in events if event.time_ms > newest_ms - BOUNDS.allowed_lateness_ms]
    assume(len({event.time_ms for event in near}) == len(near))
    features = Features(plan(found_catalog))
    order = sorted(range(len(near)), key=lambda at: near[at].time_ms)

    def log(arrival: list[int]) -> list[bytes]:
        profile = b""
        for offset in arrival:
            profile = folded(features, [near[offset]], [profile], offset).profiles[0]
            profile = (
                profile[:16] + (-1).to_bytes(8, "little", signed=True) + profile[24:]
            )  # the offset descends
        return [profile]

    assert log(order) == log(list(range(len(near))))


@given(catalogs(), histories(customers=1), st.data())
def test_a_reversed_event_is_in_no_later_window(
    found_catalog: Catalog, events: list[Event], data: st.DataObject
) -> None:
    """As if it had never been, but for its id: a repeat of it is still recognised."""
    made = plan(found_catalog)
    features = Features(made)
    chosen = data.draw(st.integers(0, len(events) - 1))
    *_, last = sorted(events, key=lambda event: event.time_ms)
    profile = folded(features, events, [b""]).profiles[0]
    transaction = np.array([signed_digest(str(chosen))], np.int64)

    profiles, found = reverse(made, [profile], np.zeros(1, np.int64), transaction)

    if found[0]:
        without = b""
        for offset, event in enumerate(events):
            if offset != chosen:
                without = folded(features, [event], [without], offset).profiles[0]
        after = folded(features, [last], profiles, 1000)
        assert np.array_equal(
            after.features, folded(features, [last], [without], 1000).features, equal_nan=True
        )
        again = folded(features, [events[chosen]], profiles, chosen)
        assert again.status.tolist() == [ALREADY_APPLIED]
    else:
        assert profiles == [profile]


@given(catalogs(), histories(customers=1))
def test_the_bytes_are_those_of_the_documented_format(found_catalog: Catalog, events: list[Event]) -> None:
    """Read and written again by code that only shares the documentation; times ascend, ids are those of the events."""
    made = plan(found_catalog)
    profile = folded(Features(made), events, [b""]).profiles[0]

    stored = profile_format.read(profile, made.kept.rows)

    assert profile_format.write(stored) == profile
    times, ids = stored.rows[:2]
    by_id = {signed_digest(str(offset)): event.time_ms for offset, event in enumerate(events)}
    assert [by_id[each] for each in ids] == list(times) == sorted(times)
    assert stored.applied == len(events)
    assert stored.first_seen_ms == min(by_id.values())


@given(catalogs(), histories())
def test_what_was_read_again_changes_nothing(found_catalog: Catalog, events: list[Event]) -> None:
    features = Features(plan(found_catalog))
    once = folded(features, events, [b"", b""])

    again = folded(features, events, once.profiles)

    assert once.status.tolist() == [APPLIED] * len(events)
    assert again.status.tolist() == [ALREADY_APPLIED] * len(events)
    assert again.profiles == once.profiles


@settings(max_examples=50)
@given(catalogs(), histories(customers=1), st.data())
def test_damaged_bytes_are_refused_or_read_but_never_crash(
    found_catalog: Catalog, events: list[Event], data: st.DataObject
) -> None:
    features = Features(plan(found_catalog))
    profile = bytearray(folded(features, events, [b""]).profiles[0])
    for _ in range(data.draw(st.integers(1, 4))):
        profile[data.draw(st.integers(0, len(profile) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(profile[: data.draw(st.integers(1, len(profile)))])

    try:
        folded(features, events[-1:], [cut], 1000)
    except StateCorrupt:
        return
    assert len(cut) == len(profile)


@given(catalogs(most=4), histories(customers=1))
def test_a_profile_of_another_layout_is_refused(found_catalog: Catalog, events: list[Event]) -> None:
    other = Feature(
        name="other", entity="customer", function=Function.DISTINCT, of="channel", window_ms=60_000
    )
    profile = folded(Features(plan(found_catalog)), events, [b""]).profiles[0]

    with pytest.raises(StateCorrupt, match="layout"):
        folded(Features(plan(catalog(*found_catalog.features, other))), events[-1:], [profile], 1000)


def test_a_repeat_at_another_offset_is_recognised_by_its_id() -> None:
    features = Features(plan(ascending("count", Function.COUNT)))
    event = Event(0, 1_700_000_000_000, (5, None, None, None, "pos", None, None, None, None, None))
    profile = folded(features, [event], [b""], 7).profiles[0]
    patched = profile[:16] + (-1).to_bytes(8, "little", signed=True) + profile[24:]

    assert folded(features, [event], [patched], 7).status.tolist() == [REPEATED]
