"""Limits RocksDB's memory in a worker by two settings, however many partitions the worker owns.

By default each partition's database has its own write buffers and keeps the index and filter of every open file in
memory, which would grow with the number of partitions and of customers.
"""

import resource
from pathlib import Path
from typing import Any

import rocksdict

from app.settings import WorkerSettings

KIB, MIB = 1024, 1024 * 1024
PARTITION_SHARE = 4
"""A partition is flushed when it holds a fourth of all write buffers: then a few active partitions can use them fully."""
BUFFERS = 4
"""Write buffers per partition, three of which may be flushing. With two, a write often waits 200 ms for the flush."""
SMALLEST_FILE_BYTES = MIB
"""A partition that holds less is not flushed: many small files cost more than the memory."""
ARENA_BYTES = 64 * KIB
"""Step in which write buffers grow. RocksDB's default is one MiB, even for a partition with a single state."""
LOG_BYTES, LOGS = MIB, 2
"""Size and number of RocksDB's info logs per partition; unlimited by default."""
MANIFEST_STEP_BYTES = 64 * KIB
"""Step in which disk is reserved for the manifest; by default 4 MiB for each partition."""
BLOOM_BITS = 10
"""Bits per key of the Bloom filter: 1 % of the look-ups of unknown keys read the disk."""
OPEN_FILES = 10_240
"""Wanted limit of open files; common systems allow it on request."""


class BoundedMemory:
    """RocksDB whose block cache and write buffers are shared by all partitions of a worker.

    It has the methods of Faust's RocksDBOptions but does not import Faust, because replay opens databases too.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        shared_bytes = settings.rocksdb_write_buffers_bytes
        self.write_buffer_size = shared_bytes // PARTITION_SHARE
        self.block_cache = rocksdict.Cache(settings.rocksdb_block_cache_bytes)
        self.write_buffers = rocksdict.WriteBufferManager(shared_bytes, False)

    def open(self, path: Path, *, read_only: bool = False) -> rocksdict.Rdict:  # noqa: ARG002  # Faust's signature
        """Open a partition's database without RocksDB's write-ahead log: the changelog serves as one.

        A killed process loses the batches that were not flushed, always the newest ones and each as a whole. Their
        changelog offset is lost with them, so that the restore begins there. An orderly close flushes everything.
        """
        allow_open_files()
        database = rocksdict.Rdict(str(path), options=self.as_options())
        unlogged: Any = rocksdict.WriteOptions()  # its type stubs declare the property as a method
        unlogged.disable_wal = True
        database.set_write_options(unlogged)
        return database

    def flush_over_limit(self, database: rocksdict.Rdict) -> None:
        """Flush a partition in the background when all write buffers together exceed their limit.

        Called after each write. RocksDB itself would flush before the partition's next write; until then each of 64
        partitions may hold a whole chunk of large states: 0.8 GB were measured with a limit of 64 MiB. Buffers being
        flushed are not counted: a strict limit would block the event loop until the disk has caught up.
        """
        held = self.write_buffers
        if (
            held.get_usage() > held.get_buffer_size()
            and (database.property_int_value("rocksdb.cur-size-active-mem-table") or 0) > SMALLEST_FILE_BYTES
        ):
            database.flush(wait=False)

    def as_options(self) -> rocksdict.Options:
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_manager(self.write_buffers)
        options.set_write_buffer_size(self.write_buffer_size)
        options.set_max_write_buffer_number(BUFFERS)
        options.set_arena_block_size(ARENA_BYTES)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        options.set_block_based_table_factory(self._blocks())
        options.set_max_log_file_size(LOG_BYTES)
        options.set_keep_log_file_num(LOGS)
        options.set_stats_dump_period_sec(0)
        options.set_manifest_preallocation_size(MANIFEST_STEP_BYTES)
        return options

    def _blocks(self) -> rocksdict.BlockBasedOptions:
        """Keep indexes and filters in the block cache, partitioned, so that a look-up loads 4 kB of them."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self.block_cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_index_type(rocksdict.BlockBasedIndexType.two_level_index_search())
        blocks.set_partition_filters(True)
        blocks.set_pin_top_level_index_and_filter(True)
        blocks.set_bloom_filter(BLOOM_BITS, block_based=False)
        return blocks


def allow_open_files() -> None:
    """Raise this process's soft limit of open files, usually 1,024, up to OPEN_FILES or the hard limit.

    A partition needs 6 and one for each of its files; 64 partitions at full load need about 800.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
