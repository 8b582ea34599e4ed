"""What is stored with a committed offset is read as it was written, and text of other programs means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.commit_notes import REPORTED_MS, CommitNote

notes = st.builds(CommitNote, st.text("0123456789abcdef", max_size=16), st.integers(1), st.integers(0))


@given(notes)
def test_a_note_is_read_as_it_was_written(note: CommitNote) -> None:
    assert CommitNote.parse(str(note)) == note


def test_a_note_without_a_loss_is_the_topic_id_of_earlier_releases() -> None:
    assert str(CommitNote("ab12")) == "ab12"
    assert CommitNote.parse("ab12") == CommitNote("ab12")


@pytest.mark.parametrize(
    "text", ["", "x", "ab;", "ab;lost=", "ab;lost=x;at=1", "ab;lost=1", "ab;lost=-1;at=1", ";;"]
)
def test_other_text_notes_no_loss(text: str) -> None:
    assert CommitNote.parse(text).lost_records == 0


def test_losses_add_up_and_are_reported_for_as_long_as_windows_miss_them() -> None:
    note = CommitNote("ab").after_loss(3, 1_000).after_loss(4, 2_000)

    assert note == CommitNote("ab", 7, 2_000)
    assert note.recent_loss(2_000 + REPORTED_MS - 1) == 7
    assert note.recent_loss(2_000 + REPORTED_MS) == 0


def test_a_note_belongs_to_its_topic_or_to_any() -> None:
    assert CommitNote("ab").belongs_to("ab")
    assert CommitNote("").belongs_to("ab")
    assert not CommitNote("ab").belongs_to("cd")
