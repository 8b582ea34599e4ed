"""What a history is folded with does not grow with its rows, only what was asked to be kept."""

from pathlib import Path

import pytest

from bench.history import measure

CUSTOMERS, DAYS = 1_000, 192
ROOM_MIB = 25
"""For what an allocator keeps. The features of the rows that are more would take 50."""


@pytest.mark.slow
def test_twice_the_days_take_no_more_memory(tmp_path: Path) -> None:
    """Half the days are longer than every window. Of the rows to fit a tenth is kept."""
    used = {(one.command, one.days): one for one in measure(CUSTOMERS, DAYS, tmp_path)}

    for command in ("features", "train"):
        half, whole = used[command, DAYS // 2], used[command, DAYS]
        assert whole.rows > 1.9 * half.rows
        assert whole.peak_mib < half.peak_mib + ROOM_MIB
