"""A stored profile as people see it, and two of them side by side."""

from random import Random

import numpy as np
import pytest

from app.errors import StateCorrupt
from app.features.fold import Events, fold
from app.features.profile_view import view
from app.features.state import EMPTY
from app.features.window import DAY_MS, Bounds
from app.replay.verify import Match, match
from tests.profile_format import read_profile
from tests.support.paths import REPOSITORY

START_MS = 1_760_000_000_000


def profile(
    count: int, *, seed: int = 1, largest: int = 10_000, max_events: int = 4096, first: int = 0
) -> bytes:
    """Of one customer with so many transactions of twenty days, the last of a longer list."""
    random = Random(seed)
    numbers = [
        (START_MS + at * 20 * DAY_MS // 300, random.randrange(largest), random.randrange(-9, 9), at - 150)
        for at in range(300)
    ][first:count]
    times, amounts, terminals, ids = (np.array(column, np.int64) for column in zip(*numbers, strict=True))
    place = np.full(len(times), 48.5)
    columns = Events(
        np.zeros_like(times), times, amounts, terminals, ids, place, place, np.arange(first, count)
    )
    (folded,) = fold([b""], columns, Bounds(DAY_MS, max_events), topic_id=7).profiles
    return folded


@pytest.mark.parametrize(
    "data", [profile(300), profile(40, largest=2**40), profile(300, max_events=50), EMPTY]
)
def test_everything_is_as_an_independent_reader_finds_it(data: bytes) -> None:
    found, expected = view(data), read_profile(data)
    kept = [
        (
            event.event_time,
            event.amount_minor,
            *(_number(text) for text in (event.terminal, event.transaction)),
        )
        for event in found.events
    ]
    assert [tuple(event) for event in expected.kept] == kept
    assert (expected.applied, expected.applied_offset) == (found.applied, found.applied_offset)
    assert f"{expected.topic_id:016x}" == found.topic_id
    assert list(expected.newest_sums) == [window.amount_sum_minor for window in found.windows]
    assert [expected.events - start for start in expected.starts] == [
        window.count for window in found.windows
    ]
    assert (found.evicted is None) == (expected.evicted_ms == -(2**63))
    assert (found.place is None) == (expected.applied == 0)


def _number(digest: str) -> int:
    return int.from_bytes(bytes.fromhex(digest), "little", signed=True)


@pytest.mark.parametrize("data", [b"", b"x", EMPTY[:-8], b"\xff" * len(EMPTY)])
def test_what_is_no_profile_is_refused(data: bytes) -> None:
    with pytest.raises(StateCorrupt):
        view(data)


def test_a_profile_is_equal_to_the_byte_or_it_is_not() -> None:
    whole = profile(300)
    assert Match.EQUAL == match(whole, profile(300), log_is_cut=False)
    assert Match.DIFFERENT == match(whole, profile(300, seed=2), log_is_cut=True)
    assert Match.MISSING == match(None, whole, log_is_cut=True)
    assert Match.UNEXPECTED == match(whole, None, log_is_cut=False)


def test_deleted_history_accounts_for_more_in_the_profile_never_for_less() -> None:
    whole, rest = profile(300), profile(300, first=100)
    assert Match.OLDER_THAN_LOG == match(whole, rest, log_is_cut=True)
    assert Match.DIFFERENT == match(whole, rest, log_is_cut=False)
    assert Match.DIFFERENT == match(rest, whole, log_is_cut=True)
    assert Match.DIFFERENT == match(profile(299), rest, log_is_cut=True), "it has not come as far"
    assert Match.OLDER_THAN_LOG == match(whole, None, log_is_cut=True)


def test_the_page_of_replays_names_every_count() -> None:
    page = (REPOSITORY / "docs" / "data" / "replay.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in Match)
