"""Alternating turns: no contestant gains from its place, and none from a machine that slows down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.harness.turns import in_turn, median_ratio

SPEEDS = st.floats(1.0, 1e6)


def test_every_second_turn_runs_backwards() -> None:
    assert [in_turn("abc", number) for number in range(3)] == [list("abc"), list("cba"), list("abc")]


@given(st.lists(SPEEDS, min_size=1, max_size=9))
def test_a_machine_that_changes_between_the_turns_changes_no_ratio(speeds: list[float]) -> None:
    assert median_ratio([1.25 * speed for speed in speeds], speeds) == pytest.approx(1.25)


def test_turns_that_are_missing_are_an_error() -> None:
    with pytest.raises(ValueError, match="longer"):
        median_ratio([1.0], [1.0, 2.0])
