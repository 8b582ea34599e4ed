"""Laws of the population stability index and of the counts per bin."""

from bisect import bisect_left
from math import inf, isfinite, log, nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.scoring.drift import LEAST_SHARE, psi
from app.scoring.histograms import bins, count
from app.scoring.model import Distribution

COUNTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)
PAIRS = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        *(st.lists(st.integers(0, 10**6), min_size=size, max_size=size).filter(any) for _ in range(2))
    )
)
VALUES = st.one_of(st.sampled_from([nan, inf, -inf, 0.0, 1.0, 2.0]), st.floats(-5, 5))
EDGES = st.lists(st.floats(-5, 5), max_size=8, unique=True).map(sorted)


def by_hand(expected: list[int], found: list[int]) -> float:
    """The formula, bin by bin."""
    total = 0.0
    for before, now in zip(expected, found, strict=True):
        e, a = max(before / sum(expected), LEAST_SHARE), max(now / sum(found), LEAST_SHARE)
        total += (a - e) * log(a / e)
    return total


@given(PAIRS)
def test_the_index_equals_the_formula(pair: tuple[list[int], list[int]]) -> None:
    assert np.isclose(by_hand(*pair), psi(*pair), rtol=1e-9, atol=1e-12)


@given(PAIRS)
def test_the_index_is_symmetric_and_not_negative(pair: tuple[list[int], list[int]]) -> None:
    before, now = pair

    assert psi(before, now) >= 0
    assert np.isclose(psi(before, now), psi(now, before), rtol=1e-9, atol=1e-12)


@given(COUNTS, st.integers(1, 1000))
def test_the_index_is_zero_for_equal_proportions_of_any_number_of_rows(counts: list[int], times: int) -> None:
    assert psi(counts, [number * times for number in counts]) < 1e-12


@given(st.lists(st.tuples(EDGES, st.lists(VALUES, min_size=6, max_size=6)), min_size=1, max_size=4))
def test_every_value_is_counted_in_the_same_bin_as_in_training(
    columns: list[tuple[list[float], list[float]]],
) -> None:
    distributions = [
        Distribution(edges=edges, counts=[0] * (len(edges) + 1), missing=0, median=None)
        for edges, _ in columns
    ]
    found = bins(distributions)
    counts = np.zeros(found.cells, np.int64)

    count(found, np.array([values for _, values in columns]).T.copy(), counts)

    for (edges, values), column in zip(columns, found.split(counts), strict=True):
        expected = [0] * (len(edges) + 2)
        for value in values:
            expected[bisect_left(edges, value) if isfinite(value) else -1] += 1
        assert expected == column.tolist()
