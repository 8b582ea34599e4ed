"""Whoever else writes to the changelog is noticed before the store says that it stands at its end."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ForeignWrite
from app.streaming.delivery.changelog_guard import ChangelogGuard


class Memory:
    """Remembers where it stands."""

    offset = -1

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None:  # noqa: ARG002  # the protocol's signature
        self.offset = changelog_offset


def profiles(count: int) -> dict[bytes, bytes]:
    return {str(number).encode(): b"" for number in range(count)}


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=1))
def test_it_writes_until_records_of_others_stand_between(appends: list[tuple[int, int]]) -> None:
    memory, end = Memory(), 9
    writer = ChangelogGuard(memory)
    writer.begin(0, end)
    for own, foreign in appends:
        before, end = end, end + own + foreign
        if foreign:
            with pytest.raises(ForeignWrite):
                writer.write(0, profiles(own), end)
            assert memory.offset in {before, -1}
            return
        writer.write(0, profiles(own), end)
        assert memory.offset == end


def test_a_partition_is_not_worked_on_before_it_is_restored() -> None:
    writer = ChangelogGuard(Memory())
    writer.begin(0, -1)
    writer.require(0)
    with pytest.raises(ForeignWrite):
        writer.require(1)

    writer.revoke()
    with pytest.raises(ForeignWrite):
        writer.write(0, profiles(1), 0)
