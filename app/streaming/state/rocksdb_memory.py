"""What RocksDB may take of a worker's memory: set by two numbers, however many partitions the worker owns.

Left alone, each partition's database would have its own write buffers, and keep the index and the filter of every
file it has opened: memory would grow with partitions and with customers.
"""

import resource
from pathlib import Path
from typing import Any

import rocksdict

from app.settings import WorkerSettings

KIB, MIB = 1024, 1024 * 1024
PARTITION_SHARE = 4
"""One partition may hold a fourth of all write buffers before it is written out, so that a few are well used."""
BUFFERS = 4
"""Of one partition, three of them being written out; with two, a write often waits 200 ms for the one before."""
SMALLEST_FILE_BYTES = MIB
"""A partition that holds less is not written out: many small files cost more than the memory."""
ARENA_BYTES = 64 * KIB
"""Write buffers grow in such steps; RocksDB's own would be a MiB for each partition that has one profile."""
LOG_BYTES, LOGS = MIB, 2
"""RocksDB's log of itself, per partition; it would grow for ever."""
MANIFEST_STEP_BYTES = 64 * KIB
"""Disk is reserved in such steps, instead of 4 MiB for each partition."""
BLOOM_BITS = 10
"""Per customer: 1 % of the customers never seen cost a look at the disk in vain."""
OPEN_FILES = 10_240
"""As many as every system lets a process have that asks for it."""


class BoundedMemory:
    """RocksDB whose block cache and write buffers are shared by all partitions of a worker.

    It stands in for Faust's RocksDBOptions, without importing Faust: replay opens databases too.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        shared_bytes = settings.rocksdb_write_buffers_bytes
        self.write_buffer_size = shared_bytes // PARTITION_SHARE
        self.block_cache = rocksdict.Cache(settings.rocksdb_block_cache_bytes)
        self.write_buffers = rocksdict.WriteBufferManager(shared_bytes, False)

    def open(self, path: Path, *, read_only: bool = False) -> rocksdict.Rdict:  # noqa: ARG002  # Faust's signature
        """A partition's database, without RocksDB's own log of writes: the changelog is that log.

        A process that is killed loses what was not written out yet, the newest batches first and each of them
        whole; the offset that goes with them is lost as well, so that the restore begins there. An orderly close
        writes everything out.
        """
        allow_open_files()
        database = rocksdict.Rdict(str(path), options=self.as_options())
        unlogged: Any = rocksdict.WriteOptions()  # its types take the property for a method
        unlogged.disable_wal = True
        database.set_write_options(unlogged)
        return database

    def flush_over_limit(self, database: rocksdict.Rdict) -> None:
        """Write out a partition in the background when all together hold more than they may.

        To be called after each write. RocksDB would do it before the partition's next write, and until then each
        of 64 partitions may hold a whole chunk of large profiles: 0.8 GB were seen with 64 MiB set. What is being
        written out comes on top of the bound; a strict one would stop the event loop until the disk has caught up.
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
        """Indexes and filters live in the cache too, in parts, so that a look-up brings in 4 kB of them."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self.block_cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_index_type(rocksdict.BlockBasedIndexType.two_level_index_search())
        blocks.set_partition_filters(True)
        blocks.set_pin_top_level_index_and_filter(True)
        blocks.set_bloom_filter(BLOOM_BITS, block_based=False)
        return blocks


def allow_open_files() -> None:
    """Raise this process's soft limit of open files, usually 1,024, as far as it may.

    A partition takes 6 and one for each of its files, 64 partitions at full load about 800.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
