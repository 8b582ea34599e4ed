"""Bytes of profiles, kept as they were written: every later release must read them, and write the same."""

from math import isnan

import pytest

from app.errors import StateCorrupt
from app.features.columns import events
from app.features.fold import fold
from app.features.state import lineage
from tests.contract.golden_profiles import BOUNDS, HISTORIES, START_MS, TOPIC_ID, folded, read
from tests.profile_format import read_profile, write_profile

DAY_MS = 86_400_000
NOTHING = events([], [], [])


@pytest.mark.parametrize("name", HISTORIES)
def test_the_kept_bytes_are_read_and_written_again_as_they_are(name: str) -> None:
    assert [read(name)] == fold([read(name)], NOTHING, BOUNDS).profiles


@pytest.mark.parametrize("name", HISTORIES)
def test_the_same_history_still_gives_the_same_bytes(name: str) -> None:
    assert read(name) == folded(name)


@pytest.mark.parametrize("name", HISTORIES)
def test_the_kept_bytes_are_in_the_documented_layout(name: str) -> None:
    assert read(name) == write_profile(read_profile(read(name)))


@pytest.mark.parametrize("name", HISTORIES)
def test_bytes_of_version_1_are_refused(name: str) -> None:
    """Nothing migrates them, and nothing may take them for something else."""
    with pytest.raises(StateCorrupt):
        fold([read(name, version=1)], NOTHING, BOUNDS)


@pytest.mark.parametrize("garbage", [b"?", b"\x02", bytes(192), b"\x02" * 192, bytes(1000), b"{}      " * 40])
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(StateCorrupt):
        fold([garbage], NOTHING, BOUNDS)


def test_an_ordinary_profile_says_what_it_was_made_of() -> None:
    profile = read_profile(read("ordinary"))
    newest_ms = START_MS + 39 * 22 * 3_600_000

    assert (TOPIC_ID, 40) == lineage(read("ordinary"))
    assert (41, START_MS, False) == (profile.applied, profile.first_seen_ms, profile.wide)
    assert isnan(profile.place[1])
    assert newest_ms == profile.kept[-1].time_ms
    # 22 hours apart, 100 to 139, and one of 7 an hour before the newest, which is of no window of an hour
    assert (139, 139 + 138 + 7) == profile.newest_sums[:2]
    assert sum(range(132, 140)) + 7 == profile.newest_sums[2]
    assert sum(range(107, 140)) + 7 == profile.newest_sums[3]


def test_a_wide_profile_says_what_it_was_made_of() -> None:
    profile = read_profile(read("wide"))

    assert (3, START_MS - 50 * DAY_MS, START_MS) == (
        profile.applied,
        profile.first_seen_ms,
        profile.kept[-1].time_ms,
    )
    assert profile.wide
    assert profile.place == (START_MS - 50 * DAY_MS, 48.137, 11.575)
    assert (2**32, 2**32 + 5, 2**32 + 5, 2**32 + 5) == profile.newest_sums
    assert (2**64, 2**64 + 25, 2**64 + 25, 2**64 + 25) == profile.squares


def test_an_empty_profile_has_applied_nothing() -> None:
    profile = read_profile(read("empty"))

    assert (0, -1, 0) == (profile.applied, profile.applied_offset, profile.events)
