"""CircuitBreaker: opens after consecutive failures, then allows one attempt per pause."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.redis.circuit_breaker import CircuitBreaker

FAILURES, PAUSE_SECONDS = 3, 10.0


def opened(at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker(FAILURES, PAUSE_SECONDS)
    for _ in range(FAILURES):
        breaker.failed(at)
    return breaker


def test_failures_with_a_success_between_them_do_not_open_it() -> None:
    breaker = CircuitBreaker(FAILURES, PAUSE_SECONDS)
    for moment in range(10):
        breaker.failed(moment)
        breaker.failed(moment)
        breaker.succeeded()

    assert breaker.allows(11.0)
    assert not breaker.is_open


def test_an_open_breaker_allows_one_attempt_after_a_pause() -> None:
    breaker = opened(at=0.0)

    assert [False, False, True, False] == [breaker.allows(moment) for moment in (0.0, 9.9, 10.0, 10.1)]


def test_the_attempt_closes_the_breaker_or_starts_another_pause() -> None:
    failed, succeeded = opened(), opened()
    assert failed.allows(10.0)
    assert succeeded.allows(10.0)
    failed.failed(10.5)
    succeeded.succeeded()

    assert not failed.allows(20.0)
    assert failed.allows(20.5)
    assert succeeded.allows(10.5)
    assert succeeded.allows(10.5)


def test_an_attempt_without_a_result_does_not_block_the_next() -> None:
    breaker = opened()

    assert breaker.allows(10.0)
    assert breaker.allows(20.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=60))
def test_an_open_breaker_allows_at_most_one_attempt_per_pause(steps: list[tuple[bool, float]]) -> None:
    """For any sequence of calls, with or without a result."""
    breaker, now, asked = opened(), 0.0, []
    for heard, seconds in steps:
        now += seconds
        if breaker.allows(now):
            asked.append(now)
            if heard:
                breaker.failed(now)

    assert all(later - earlier >= PAUSE_SECONDS for earlier, later in pairwise(asked))
    assert len(asked) <= now / PAUSE_SECONDS
