"""The cache holds every state that a chunk in flight changed, and others up to its capacity."""

from app.processing.state_cache import PartitionStates, StateCache

PROFILE = b"a profile of 20 byte"
KEPT_BYTES = 1 + len(PROFILE)
"""Size of a customer with a name of one letter."""


class Disk(dict[bytes, bytes]):
    """A durable table of one partition that counts its reads."""

    reads = 0

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # the protocol's signature
        self.reads += len(keys)
        return [self.get(key) for key in keys]


def changed(names: bytes, profile: bytes = PROFILE) -> dict[bytes, bytes]:
    """A profile for each letter."""
    return {bytes([name]): profile for name in names}


def kept(profiles: PartitionStates, names: bytes) -> bytes:
    """The names that are cached."""
    return bytes(name for name in names if bytes([name]) in profiles._states)


def test_an_unknown_customer_has_an_empty_state() -> None:
    assert [b""] == PartitionStates(0, Disk()).take([b"c"])


def test_states_are_returned_in_the_order_of_the_keys() -> None:
    disk = Disk({b"a": b"A", b"c": b"C"})
    profiles = PartitionStates(0, disk)
    profiles.take([b"c"])

    assert [b"", b"C", b"A"] == profiles.take([b"b", b"c", b"a"])


def test_a_state_is_read_once_whether_stored_or_not() -> None:
    disk = Disk({b"c": PROFILE})
    profiles = PartitionStates(0, disk)

    assert [PROFILE, b""] == profiles.take([b"c", b"d"]) == profiles.take([b"c", b"d"])
    assert disk.reads == 2


def test_the_next_chunk_sees_what_the_chunk_in_flight_changed() -> None:
    """RocksDB does not have it yet."""
    profiles = PartitionStates(0, Disk({b"c": b"old"}))
    profiles.take([b"c"])
    profiles.put({b"c": PROFILE})

    assert [PROFILE] == profiles.take([b"c"])


def test_chunks_are_numbered_in_their_order() -> None:
    profiles = PartitionStates(0, Disk())

    assert [1, 2, 3] == [profiles.put(changed(b"a")), profiles.put({}), profiles.put(changed(b"b"))]


def test_a_state_of_a_chunk_in_flight_stays_beyond_the_capacity() -> None:
    profiles = PartitionStates(0, Disk())
    first = profiles.put(changed(b"ab"))
    profiles.put(changed(b"cde"))

    profiles.release(first, capacity_bytes=0)

    assert b"cde" == kept(profiles, b"abcde")


def test_a_state_changed_again_belongs_to_the_later_chunk() -> None:
    profiles = PartitionStates(0, Disk())
    first = profiles.put(changed(b"ab"))
    second = profiles.put(changed(b"a", b"newer"))

    profiles.release(first, capacity_bytes=0)
    assert [b"newer"] == profiles.take([b"a"])
    assert b"a" == kept(profiles, b"ab")

    profiles.release(second, capacity_bytes=0)
    assert len(profiles) == profiles.size_bytes == 0


def test_a_state_read_during_a_chunk_in_flight_does_not_block_eviction() -> None:
    """Release stops at the first state that must stay; all states before it were put earlier."""
    profiles = PartitionStates(0, Disk())
    first = profiles.put(changed(b"a"))
    profiles.take([b"x"])
    second = profiles.put(changed(b"b"))
    profiles.take([b"y"])

    profiles.release(first, capacity_bytes=0)
    assert b"by" == kept(profiles, b"abxy")

    profiles.release(second, capacity_bytes=0)
    assert b"" == kept(profiles, b"abxy")


def test_durable_states_are_evicted_down_to_the_capacity_least_recently_changed_first() -> None:
    profiles = PartitionStates(0, Disk())
    for name in b"abcda":
        number = profiles.put(changed(bytes([name])))

    profiles.release(number, capacity_bytes=2 * KEPT_BYTES)

    assert b"ad" == kept(profiles, b"abcd")


def test_the_size_is_that_of_the_cached_keys_and_states() -> None:
    disk = Disk({b"a": PROFILE})
    profiles = PartitionStates(0, disk)
    profiles.take([b"a", b"new"])
    assert profiles.size_bytes == KEPT_BYTES + len(b"new")

    profiles.put({b"a": b"longer " + PROFILE, b"b": b""})
    assert profiles.size_bytes == KEPT_BYTES + len(b"longer " + b"new" + b"b")

    profiles.put({b"a": b""})
    assert profiles.size_bytes == len(b"a" + b"new" + b"b")


def test_the_capacity_is_shared_by_the_partitions() -> None:
    cache = StateCache(Disk(), capacity_bytes=4 * KEPT_BYTES)
    for partition in (0, 1):
        cache.take(partition, [])
        number = cache.put(partition, changed(b"abcdefghij"))
        cache.release(partition, number)
    cache.release(0, 1)

    assert (4, 4 * KEPT_BYTES) == (len(cache), cache.size_bytes)


def test_clear_drops_everything() -> None:
    cache = StateCache(Disk(), capacity_bytes=4 * KEPT_BYTES)
    cache.take(0, [b"c"])
    cache.put(0, changed(b"c"))

    cache.clear()

    assert len(cache) == cache.size_bytes == 0
    assert [b""] == cache.take(0, [b"c"])
