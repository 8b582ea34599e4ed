"""Encoded profiles in memory: what a chunk in flight changed must be found, the rest is a matter of room."""

from app.processing.state_cache import PartitionStates, StateCache

PROFILE = b"a profile of 20 byte"
KEPT_BYTES = 1 + len(PROFILE)
"""Of a customer whose name is one letter."""


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
    """Those of the names that are in memory."""
    return bytes(name for name in names if bytes([name]) in profiles._states)


def test_a_customer_never_seen_has_no_bytes() -> None:
    assert [b""] == PartitionStates(0, Disk()).take([b"c"])


def test_profiles_come_in_the_order_they_are_asked_for() -> None:
    disk = Disk({b"a": b"A", b"c": b"C"})
    profiles = PartitionStates(0, disk)
    profiles.take([b"c"])

    assert [b"", b"C", b"A"] == profiles.take([b"b", b"c", b"a"])


def test_a_profile_is_read_once_whether_it_is_stored_or_not() -> None:
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


def test_a_profile_of_a_chunk_in_flight_stays_whatever_the_room() -> None:
    profiles = PartitionStates(0, Disk())
    first = profiles.put(changed(b"ab"))
    profiles.put(changed(b"cde"))

    profiles.release(first, capacity_bytes=0)

    assert b"cde" == kept(profiles, b"abcde")


def test_a_profile_changed_again_belongs_to_the_later_chunk() -> None:
    profiles = PartitionStates(0, Disk())
    first = profiles.put(changed(b"ab"))
    second = profiles.put(changed(b"a", b"newer"))

    profiles.release(first, capacity_bytes=0)
    assert [b"newer"] == profiles.take([b"a"])
    assert b"a" == kept(profiles, b"ab")

    profiles.release(second, capacity_bytes=0)
    assert len(profiles) == profiles.size_bytes == 0


def test_a_profile_read_while_a_chunk_is_in_flight_hides_none_that_the_chunk_changed() -> None:
    """Release stops at the first that must stay; those before it were put earlier."""
    profiles = PartitionStates(0, Disk())
    first = profiles.put(changed(b"a"))
    profiles.take([b"x"])
    second = profiles.put(changed(b"b"))
    profiles.take([b"y"])

    profiles.release(first, capacity_bytes=0)
    assert b"by" == kept(profiles, b"abxy")

    profiles.release(second, capacity_bytes=0)
    assert b"" == kept(profiles, b"abxy")


def test_when_all_is_durable_no_more_than_the_capacity_is_kept_and_the_least_recently_changed_go_first() -> (
    None
):
    profiles = PartitionStates(0, Disk())
    for name in b"abcda":
        number = profiles.put(changed(bytes([name])))

    profiles.release(number, capacity_bytes=2 * KEPT_BYTES)

    assert b"ad" == kept(profiles, b"abcd")


def test_its_size_is_that_of_the_keys_and_profiles_it_keeps() -> None:
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


def test_a_rebalance_forgets_everything() -> None:
    cache = StateCache(Disk(), capacity_bytes=4 * KEPT_BYTES)
    cache.take(0, [b"c"])
    cache.put(0, changed(b"c"))

    cache.clear()

    assert len(cache) == cache.size_bytes == 0
    assert [b""] == cache.take(0, [b"c"])
