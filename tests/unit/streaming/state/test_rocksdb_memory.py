"""The settings limit RocksDB's memory, independent of the number of partitions."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import rocksdict

from app.settings import WorkerSettings
from app.streaming.state.rocksdb_memory import BoundedMemory
from app.streaming.state.tables import StateStore

MIB = 1024 * 1024
PARTITIONS = 16
SETTLE_SECONDS = 10
POLL_SECONDS = 0.01


@pytest.fixture
def memory() -> BoundedMemory:
    return BoundedMemory(
        WorkerSettings(rocksdb_block_cache_bytes=2 * MIB, rocksdb_write_buffers_bytes=4 * MIB)
    )


@pytest.fixture
def partitions(memory: BoundedMemory, tmp_path: Path) -> Iterator[list[Any]]:
    opened = [memory.open(tmp_path / f"{number}.db") for number in range(PARTITIONS)]
    yield opened
    for database in opened:
        database.close()


def test_write_buffers_of_all_partitions_share_one_limit(
    memory: BoundedMemory, partitions: list[Any]
) -> None:
    for database in partitions * 2:
        fill(database, 3 * MIB // 2)
        memory.flush_over_limit(database)

    assert MIB < settled(memory) <= 4 * MIB


class OpenedStore(StateStore):
    """The durable table over one partition that is open already."""

    def __init__(self, memory: BoundedMemory, database: Any) -> None:
        self.rocksdb_options = cast(Any, memory)
        self._database = database
        self._unchanged_since = {}

    def _db_for_partition(self, partition: int) -> Any:
        assert partition == 0
        return self._database


def test_the_durable_table_keeps_the_limit(memory: BoundedMemory, partitions: list[Any]) -> None:
    store = OpenedStore(memory, partitions[0])
    store.write(0, {os.urandom(16): os.urandom(1024) for _ in range(8 * 1024)}, changelog_offset=7)

    assert settled(memory) < MIB


def test_the_offset_since_which_no_state_changed(memory: BoundedMemory, partitions: list[Any]) -> None:
    store = OpenedStore(memory, partitions[0])
    store.write(0, {b"c1": b"state"}, changelog_offset=7)
    store.write(0, {}, changelog_offset=8)  # a claim
    store.write(0, {}, changelog_offset=9)

    assert (7, 9) == (store.unchanged_since(0), store.last_offset(0))
    assert 9 == OpenedStore(memory, partitions[0]).unchanged_since(0)


def test_a_partition_with_little_data_is_not_flushed(
    memory: BoundedMemory, partitions: list[Any], tmp_path: Path
) -> None:
    for database in partitions:
        fill(database, MIB // 2)
        memory.flush_over_limit(database)

    assert memory.write_buffers.get_usage() > 4 * MIB
    assert [] == list(tmp_path.rglob("*.sst"))


def test_a_partition_with_one_profile_uses_little_memory(
    memory: BoundedMemory, partitions: list[Any]
) -> None:
    for database in partitions:
        database.put(b"customer", b"profile")

    assert memory.write_buffers.get_usage() <= PARTITIONS * 64 * 1024


def test_blocks_of_all_partitions_share_one_cache(memory: BoundedMemory, partitions: list[Any]) -> None:
    for database in partitions:
        fill(database, MIB // 2)
        database.flush()
        list(database.values())

    assert MIB < memory.block_cache.get_usage() <= 2 * MIB


def test_opening_a_partition_raises_the_limit_of_open_files(memory: BoundedMemory, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        memory.open(tmp_path / "0.db").close()

        assert min(10_240, hard) == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_small_partition_uses_little_disk(partitions: list[Any], tmp_path: Path) -> None:
    for database in partitions:
        database.put(b"customer", b"profile")

    taken = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*"))
    assert taken <= PARTITIONS * 5 * MIB


def test_an_orderly_close_flushes_everything(memory: BoundedMemory, tmp_path: Path) -> None:
    database = memory.open(tmp_path / "0.db")
    database.put(b"customer", b"profile")
    database.close()

    assert 0 == sum(log.stat().st_size for log in (tmp_path / "0.db").glob("*.log"))
    reopened = memory.open(tmp_path / "0.db")
    assert b"profile" == reopened.get(b"customer")
    reopened.close()


WRITES_UNTIL_KILLED = """
import os
from pathlib import Path
import rocksdict
from app.settings import WorkerSettings
from app.streaming.state.rocksdb_memory import BoundedMemory

database = BoundedMemory(WorkerSettings(rocksdb_write_buffers_bytes=2**20)).open(Path(input()))
for number in range(int(input())):
    batch = rocksdict.WriteBatch(raw_mode=True)
    for customer in range(100):
        batch.put(b"c%d" % customer, b"%d " % number + os.urandom(1000))
    batch.put(b"", b"%d" % number)
    database.write(batch)
os._exit(137)
"""


@pytest.mark.parametrize("batches", [3, 40, 90])
def test_a_killed_process_loses_only_whole_batches_and_the_newest_first(
    memory: BoundedMemory, tmp_path: Path, batches: int
) -> None:
    """So the offset stored with the states is the one to restore from."""
    killed = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-c", WRITES_UNTIL_KILLED],
        input=f"{tmp_path / '0.db'}\n{batches}\n",
        text=True,
        check=False,
        timeout=60,
    )
    assert 137 == killed.returncode

    database = memory.open(tmp_path / "0.db")
    offset = database.get(b"")
    profiles: Any = database.get([b"c%d" % customer for customer in range(100)])
    database.close()
    assert (offset is not None) == (batches > 3), "some batches were written out, unless there were few"
    assert {offset} == {profile and profile.split()[0] for profile in profiles}


def settled(memory: BoundedMemory) -> int:
    """Return the bytes in write buffers after running flushes have ended."""
    bound = memory.write_buffers.get_buffer_size()
    deadline = time.monotonic() + SETTLE_SECONDS
    while (usage := int(memory.write_buffers.get_usage())) > bound and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)  # no event signals that RocksDB has flushed
    return usage


def fill(database: Any, size: int) -> None:
    """Random profiles of 1 kB, under keys never used before."""
    batch = rocksdict.WriteBatch(raw_mode=True)
    for _ in range(size // 1024):
        batch.put(os.urandom(16), os.urandom(1024))
    database.write(batch)
