"""Bytes of activities, kept as they were written: every later release must read them, and write the same."""

import pytest

from app.errors import StateCorrupt
from app.features.activity import QUERY, observe
from tests.activity_format import Guard, read_activity, write_activity
from tests.contract.golden_activities import HISTORIES, START_MS, folded, read
from tests.properties.activity_recount import DAY_MS, HOUR_MS, Fact, as_facts


@pytest.mark.parametrize("name", HISTORIES)
def test_the_kept_bytes_are_read_and_written_again_as_they_are(name: str) -> None:
    assert [read(name)] == observe([read(name)], as_facts([])).states


@pytest.mark.parametrize("name", HISTORIES)
def test_the_same_history_still_gives_the_same_bytes(name: str) -> None:
    assert read(name) == folded(name)


@pytest.mark.parametrize("name", HISTORIES)
def test_the_kept_bytes_are_in_the_documented_layout(name: str) -> None:
    assert read(name) == write_activity(read_activity(read(name)))


@pytest.mark.parametrize("garbage", [b"?", b"\x01", bytes(56), b"\x01" * 56, bytes(1000), b"{}      " * 40])
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(StateCorrupt):
        observe([garbage], as_facts([]))


def test_an_ordinary_activity_says_what_it_was_made_of() -> None:
    stored, newest_ms = read_activity(read("ordinary")), START_MS + 55 * 21 * HOUR_MS

    assert (58, START_MS // HOUR_MS) == (stored.applied_offset, stored.first_hour)
    assert newest_ms // HOUR_MS + 1 == stored.newest_hour == stored.hours[-1][0]
    assert (Guard(7, 0, 54), Guard(-3, 1, 55)) == stored.guards
    # 21 hours apart, 44 days are kept
    assert 1056 // 21 + 1 == len(stored.hours)
    assert [(40, True), (40, False), (41, True)] == [
        (label.transaction, label.is_fraud) for label in stored.labels
    ]


def test_what_an_ordinary_activity_knows_grows_and_is_taken_back() -> None:
    labelled_ms = START_MS + 40 * 21 * HOUR_MS
    days = (0, 1, 2, 5, 7, 8)
    questions = [Fact(0, QUERY, labelled_ms + 2 * HOUR_MS + day * DAY_MS) for day in days]
    known = observe([read("ordinary")], as_facts(questions)).counts

    # the 40th transaction is in a window a week after it, when its label was reversed; the 41st is a day later
    assert [0, 0, 0, 0, 0, 1] == known[:, 3].tolist()
    assert [2, 1, 1, 1, 2, 1] == known[:, 0].tolist()
