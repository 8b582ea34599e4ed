"""Laws of the 128-bit sums: equal to Python's integers over the whole range."""

from math import isqrt

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.transaction import MAX_AMOUNT_MINOR
from app.features import exact
from app.features.window import MOST_EVENTS

BELOW_63, BELOW_127, BELOW_128 = 2**63, 2**127, 2**128


def numbers(below: int) -> st.SearchStrategy[int]:
    """Numbers of every size, with many next to powers of two, where carries occur."""
    near_powers = st.builds(
        lambda bits, step: min(max(2**bits + step, 0), below - 1),
        st.integers(0, below.bit_length() - 1),
        st.integers(-2, 2),
    )
    any_size = st.integers(0, below.bit_length() - 1).flatmap(
        lambda bits: st.integers(0, min(2**bits, below - 1))
    )
    return st.one_of(near_powers, any_size, st.integers(0, below - 1))


def words(number: int) -> tuple[np.uint64, np.uint64]:
    return np.uint64(number >> 64), np.uint64(number % 2**64)


def joined(high_and_low: exact.Words) -> int:
    high, low = map(int, high_and_low)
    return high << 64 | low


@given(numbers(BELOW_63))
def test_a_square_is_exact(number: int) -> None:
    assert number**2 == joined(exact.square(number))


@given(numbers(BELOW_128), numbers(BELOW_128))
def test_a_sum_is_exact(a: int, b: int) -> None:
    assert (a + b) % BELOW_128 == joined(exact.add(*words(a), *words(b)))


@given(numbers(BELOW_128), numbers(BELOW_128))
def test_a_difference_is_exact(a: int, b: int) -> None:
    assert abs(a - b) == joined(exact.subtract(*words(max(a, b)), *words(min(a, b))))


@given(numbers(2**32), numbers(BELOW_128))
def test_a_multiple_is_exact_if_it_fits(count: int, number: int) -> None:
    fitting = number % (BELOW_128 // max(count, 1))

    assert count * fitting == joined(exact.times(count, *words(fitting)))


@given(numbers(BELOW_127))
@example(2**64 - 2**10)  # exactly half-way between two doubles
@example(2**126 + 2**73)
@example(2**126 + 2**73 + 1)
@example(2**127 - 1)
def test_conversion_gives_the_nearest_double(number: int) -> None:
    assert float(number) == exact.to_double(*words(number))


@given(st.integers(1, 73), st.integers(0, 2**53 - 1), st.integers(-1, 1))
def test_a_tie_goes_to_the_even_double_and_a_single_bit_breaks_it(bits: int, odd: int, step: int) -> None:
    """A 53-bit number plus half of its last place."""
    number = ((2**53 | odd) << bits) // 2 + 2 ** (bits - 1) // 2 + step

    assert float(number) == exact.to_double(*words(number))


@given(st.lists(st.one_of(st.integers(0, MAX_AMOUNT_MINOR), st.integers(0, 100)), min_size=1, max_size=50))
def test_the_spread_of_amounts_is_exact_and_rounded_once(amounts: list[int]) -> None:
    n, s, q = len(amounts), sum(amounts), sum(a * a for a in amounts)

    assert float(n * q - s * s) == exact.spread(n, s, *words(q))


@given(st.integers(1, MOST_EVENTS), numbers(MOST_EVENTS * MAX_AMOUNT_MINOR + 1))
def test_the_spread_is_exact_up_to_the_largest_sums_a_profile_can_have(n: int, s: int) -> None:
    """For n amounts with sum s the spread is largest with the sum in as few amounts as possible, smallest with equal ones."""
    total = min(s, n * MAX_AMOUNT_MINOR)
    full, rest = divmod(total, MAX_AMOUNT_MINOR)
    most = full * MAX_AMOUNT_MINOR**2 + rest**2
    share, more = divmod(total, n)
    least = (n - more) * share**2 + more * (share + 1) ** 2

    for q in (most, least):
        assert n * q < BELOW_127
        assert total < BELOW_63
        assert float(n * q - total**2) == exact.spread(n, total, *words(q))


def test_the_largest_maximum_of_events_keeps_every_sum_in_its_range() -> None:
    largest_sum = MOST_EVENTS * MAX_AMOUNT_MINOR

    assert largest_sum < BELOW_63
    assert MOST_EVENTS * (MOST_EVENTS * MAX_AMOUNT_MINOR**2) < BELOW_127
    assert isqrt(BELOW_127) > largest_sum
