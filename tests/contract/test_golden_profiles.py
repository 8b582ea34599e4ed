"""Bytes of version 1, kept as they were written: every later release must read them, and write the same."""

import pytest

from app.features.state import decode, encode, lineage
from tests.contract.golden_profiles import BOUNDS, HISTORIES, START_MS, folded, read

DAY_MS = 86_400_000


@pytest.mark.parametrize("name", HISTORIES)
def test_the_kept_bytes_are_read_and_written_again_as_they_are(name: str) -> None:
    assert read(name) == encode(decode(read(name), BOUNDS))


@pytest.mark.parametrize("name", HISTORIES)
def test_the_same_history_still_gives_the_same_bytes(name: str) -> None:
    assert read(name) == encode(folded(name))


def test_an_ordinary_profile_says_what_it_was_made_of() -> None:
    profile = decode(read("ordinary"), BOUNDS)
    newest_ms = START_MS + 39 * 22 * 3_600_000

    assert (0x0123456789ABCDEF, 40) == lineage(read("ordinary"))
    assert (41, START_MS, None) == (profile.applied, profile.first_seen_ms, profile.place)
    assert newest_ms == profile.log.newest_ms
    # 22 hours apart, 100 to 139, and one of 7 an hour before the newest, which is of no window of an hour
    assert [139, 139 + 138 + 7] == profile.log.totals[:2]
    assert sum(range(132, 140)) + 7 == profile.log.totals[2]
    assert sum(range(107, 140)) + 7 == profile.log.totals[3]


def test_a_wide_profile_says_what_it_was_made_of() -> None:
    profile = decode(read("wide"), BOUNDS)

    assert (3, START_MS - 50 * DAY_MS, START_MS) == (
        profile.applied,
        profile.first_seen_ms,
        profile.log.newest_ms,
    )
    assert profile.place == (START_MS - 50 * DAY_MS, 48.137, 11.575)
    assert [2**32, 2**32 + 5, 2**32 + 5, 2**32 + 5] == profile.log.totals
    assert [2**64, 2**64 + 25, 2**64 + 25, 2**64 + 25] == profile.log.squares


def test_an_empty_profile_has_applied_nothing() -> None:
    profile = decode(read("empty"), BOUNDS)

    assert (0, -1, 0) == (profile.applied, profile.applied_offset, len(profile.log))
