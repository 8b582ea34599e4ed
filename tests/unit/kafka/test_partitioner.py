"""The partitioner agrees with Java's default one, by which the worker checks the partitions that producers chose."""

import pytest
from hypothesis import given
from hypothesis.strategies import binary, integers, lists

from app.adapters.kafka.partitioner import key_hash, partition_of, partitions_of

# From org.apache.kafka.common.utils.UtilsTest.testMurmur2.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "signed"), JAVA.items())
def test_a_key_hashes_as_in_java(key: bytes, signed: int) -> None:
    assert key_hash(key) == signed & 0x7FFFFFFF


def test_a_negative_hash_gives_a_valid_partition() -> None:
    assert partition_of(b"foobar", 8) == (-790332482 & 0x7FFFFFFF) % 8


@given(lists(binary(min_size=1, max_size=70), max_size=20), integers(1, 1000))
def test_many_keys_at_once_get_the_same_partitions_as_one_by_one(keys: list[bytes], partitions: int) -> None:
    assert [partition_of(key, partitions) for key in keys] == partitions_of(keys, partitions).tolist()
