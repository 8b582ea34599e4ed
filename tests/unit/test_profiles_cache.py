"""Profiles in memory: what a chunk in flight changed must be found, the rest is a matter of room."""

import pytest

from app.domain.transaction import Transaction
from app.errors import StateCorrupt
from app.features.fold import observe
from app.features.state import encode
from app.features.window import Bounds
from app.streaming.profiles import PartitionProfiles, ProfileCache

BOUNDS = Bounds(86_400_000, 4096)


class Disk(dict[bytes, bytes]):
    """A durable table of one partition that counts its reads."""

    reads = 0

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # the protocol's signature
        self.reads += len(keys)
        return [self.get(key) for key in keys]


def transaction(number: int = 1) -> Transaction:
    return Transaction(
        transaction_id=f"t{number}",
        customer_id="c",
        terminal_id="m",
        event_time=1_760_000_000_000 + number,
        amount_minor=100,
        currency="EUR",
    )


def test_a_customer_never_seen_has_an_empty_profile() -> None:
    _, taken = PartitionProfiles(0, Disk(), BOUNDS).take([b"c"])

    assert taken[b"c"].applied == 0


def test_a_stored_profile_is_read_once() -> None:
    disk = Disk()
    profiles = PartitionProfiles(0, disk, BOUNDS)
    _, taken = profiles.take([b"c"])
    observe(taken[b"c"], transaction())
    disk[b"c"] = encode(taken[b"c"])

    again = PartitionProfiles(0, disk, BOUNDS)

    assert again.take([b"c"])[1][b"c"].applied == 1
    assert again.take([b"c"])[1][b"c"].applied == 1
    assert disk.reads == 2


def test_bytes_that_are_no_profile_are_refused_and_not_overwritten() -> None:
    with pytest.raises(StateCorrupt):
        PartitionProfiles(0, Disk({b"c": b"?"}), BOUNDS).take([b"c"])


def test_the_next_chunk_sees_what_the_chunk_in_flight_changed() -> None:
    """RocksDB does not have it yet."""
    profiles = PartitionProfiles(0, Disk(), BOUNDS)
    _, first = profiles.take([b"c"])
    observe(first[b"c"], transaction())

    assert profiles.take([b"c"])[1][b"c"] is first[b"c"]


def test_a_profile_of_a_chunk_in_flight_stays_whatever_the_room() -> None:
    profiles = PartitionProfiles(0, Disk(), BOUNDS)
    first, _ = profiles.take([b"a", b"b"])
    _, kept = profiles.take([b"c", b"d", b"e"])

    profiles.release(first, capacity=0)

    assert len(profiles) == 3
    assert all(profiles.take([key])[1][key] is kept[key] for key in (b"c", b"d", b"e"))


def test_a_profile_taken_again_belongs_to_the_later_chunk() -> None:
    profiles = PartitionProfiles(0, Disk(), BOUNDS)
    first, taken = profiles.take([b"a", b"b"])
    second, _ = profiles.take([b"a"])

    profiles.release(first, capacity=0)
    assert profiles.take([b"a"])[1][b"a"] is taken[b"a"]

    profiles.release(second + 1, capacity=0)
    assert len(profiles) == 0


def test_when_all_is_durable_no_more_than_the_capacity_is_kept_and_the_least_recent_go_first() -> None:
    disk = Disk()
    profiles = PartitionProfiles(0, disk, BOUNDS)
    for name in b"abcd":
        number, _ = profiles.take([bytes([name])])
    number, _ = profiles.take([b"a"])

    profiles.release(number, capacity=2)

    assert len(profiles) == 2
    disk.reads = 0
    profiles.take([b"a", b"d"])
    assert disk.reads == 0


def test_the_capacity_is_shared_by_the_partitions() -> None:
    cache = ProfileCache(Disk(), BOUNDS, capacity=4)
    for partition in (0, 1):
        number, _ = cache.take(partition, [bytes([name]) for name in range(10)])
        cache.release(partition, number)
    cache.release(0, 1)

    assert len(cache) == 4


def test_a_rebalance_forgets_everything() -> None:
    disk = Disk()
    cache = ProfileCache(disk, BOUNDS, capacity=4)
    _, taken = cache.take(0, [b"c"])
    observe(taken[b"c"], transaction())

    cache.clear()

    assert len(cache) == 0
    assert cache.take(0, [b"c"])[1][b"c"].applied == 0
