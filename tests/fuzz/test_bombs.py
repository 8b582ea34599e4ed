"""The memory of a process that reads bombs is flat; `python -m tests.fuzz.bombs` measures all kinds for longer."""

import pytest

from tests.fuzz.bombs import Measured, bombs, measure


@pytest.mark.parametrize(
    "kind",
    ["zstd, 400 MB declared", "zstd, 400 MB undeclared", "records of 1 MB, 360 of them", "a million headers"],
)
def test_memory_is_flat(kind: str) -> None:
    found = measure(kind, 0.0)
    assert found.is_flat, found
    assert found.slowest_ms < 10_000


def test_every_kind_is_small_where_it_is_stored() -> None:
    assert len(bombs()) == 13


def test_growth_and_a_high_peak_are_not_flat() -> None:
    def measured(start: float, end: float, peak: float) -> Measured:
        return Measured("k", 1, 1.0, 9, 1.0, start, end, peak)

    assert measured(50, 60, 300).is_flat
    assert not measured(50, 70, 70).is_flat
    assert not measured(50, 50, 400).is_flat
