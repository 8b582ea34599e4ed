"""ActivityCache: bounded in entries and age, and never used for a later hour than the one it was read for."""

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.redis.activity_cache import ActivityCache

SECONDS = 60.0


def test_an_entry_is_valid_for_its_hour_and_earlier_ones() -> None:
    cache = ActivityCache(10, SECONDS)
    cache.put({"m1": b"state"}, hour=7, now=0.0)

    assert {"m1": b"state"} == cache.take(["m1"], hour=7, now=1.0)
    assert {"m1": b"state"} == cache.take(["m1"], hour=3, now=1.0)


def test_an_entry_is_not_used_for_a_later_hour() -> None:
    cache = ActivityCache(10, SECONDS)
    cache.put({"m1": b"state"}, hour=7, now=0.0)

    assert {} == cache.take(["m1"], hour=8, now=1.0)


def test_an_expired_entry_is_not_used() -> None:
    cache = ActivityCache(10, SECONDS)
    cache.put({"m1": b"state"}, hour=7, now=0.0)

    assert {"m1": b"state"} == cache.take(["m1"], hour=7, now=60.0)
    assert {} == cache.take(["m1"], hour=7, now=60.1)


def test_the_entry_read_longest_ago_is_evicted_first() -> None:
    cache = ActivityCache(2, SECONDS)
    cache.put({"m1": b"1", "m2": b"2"}, hour=7, now=0.0)
    cache.put({"m1": b"3"}, hour=7, now=1.0)
    cache.put({"m4": b"4"}, hour=7, now=2.0)

    assert {"m1": b"3", "m4": b"4"} == cache.take(["m1", "m2", "m4"], hour=7, now=3.0)


def test_the_later_of_two_reads_is_kept() -> None:
    cache = ActivityCache(2, SECONDS)
    cache.put({"m1": b"old"}, hour=7, now=0.0)
    cache.put({"m1": b"new"}, hour=8, now=1.0)

    assert {"m1": b"new"} == cache.take(["m1"], hour=8, now=1.0)


keys = st.integers(0, 9).map("m{}".format)
puts = st.tuples(st.just("put"), st.dictionaries(keys, st.binary(max_size=2), max_size=5), st.integers(0, 3))
takes = st.tuples(st.just("take"), st.lists(keys, max_size=5, unique=True), st.integers(0, 3))


@given(st.lists(st.tuples(st.one_of(puts, takes), st.floats(0, 50)), max_size=40), st.integers(1, 6))
def test_an_entry_is_always_the_last_one_read_and_valid(steps: list[tuple[tuple, float]], most: int) -> None:  # type: ignore[type-arg]
    """Compared with an unbounded dictionary: never expired, never of an earlier hour, never more than allowed."""
    cache, now = ActivityCache(most, SECONDS), 0.0
    last: dict[str, tuple[bytes, int, float]] = {}
    for (what, content, hour), seconds in steps:
        now += seconds
        if what == "put":
            cache.put(content, hour, now)
            last |= {key: (state, hour, now) for key, state in content.items()}
        else:
            for key, state in cache.take(content, hour, now).items():
                known, until_hour, read_at = last[key]
                assert state == known
                assert hour <= until_hour
                assert now - read_at <= SECONDS
        assert len(cache) <= most
