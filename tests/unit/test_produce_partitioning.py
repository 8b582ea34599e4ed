"""Any producer must choose the partition that Java's default partitioner chooses."""

import pytest

from app.traffic.partitioning import key_hash, partition_of

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


def test_a_negative_hash_still_gives_a_partition() -> None:
    assert partition_of(b"foobar", 8) == (-790332482 & 0x7FFFFFFF) % 8
