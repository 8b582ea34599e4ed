"""Another worker's records in the changelog are detected before the store is written."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ForeignWrite
from app.streaming.delivery.changelog_guard import ChangelogGuard


class Memory:
    """Remembers the last changelog offset."""

    offset = -1

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None:  # noqa: ARG002  # the protocol's signature
        self.offset = changelog_offset


def profiles(count: int) -> dict[bytes, bytes]:
    return {str(number).encode(): b"" for number in range(count)}


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=1))
def test_states_are_written_until_another_worker_appends(appends: list[tuple[int, int]]) -> None:
    memory, end = Memory(), 9
    guard = ChangelogGuard(memory)
    guard.begin(0, end)
    for own, foreign in appends:
        before, end = end, end + own + foreign
        if foreign:
            with pytest.raises(ForeignWrite):
                guard.write(0, profiles(own), end)
            assert memory.offset in {before, -1}
            return
        guard.write(0, profiles(own), end)
        assert memory.offset == end


def test_a_partition_must_be_restored_before_it_is_written() -> None:
    guard = ChangelogGuard(Memory())
    guard.begin(0, -1)
    guard.require(0)
    with pytest.raises(ForeignWrite):
        guard.require(1)

    guard.revoke()
    with pytest.raises(ForeignWrite):
        guard.write(0, profiles(1), 0)
