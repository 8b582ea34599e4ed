"""What RocksDB may take of a worker's memory: set by two numbers, however many partitions the worker owns."""

from pathlib import Path
from typing import Any

import rocksdict
from faust.stores.rocksdb import RocksDBOptions

from app.settings import WorkerSettings


class BoundedMemory(RocksDBOptions):
    """RocksDB whose memory is set: one block cache for all partitions of a worker, a small write buffer each."""

    def __init__(self, settings: WorkerSettings) -> None:
        super().__init__(write_buffer_size=settings.rocksdb_write_buffer_bytes, use_rocksdict=True)
        self._cache = rocksdict.Cache(settings.rocksdb_block_cache_bytes)

    def open(self, path: Path, *, read_only: bool = False) -> Any:  # noqa: ARG002  # Faust's signature
        return rocksdict.Rdict(str(path), options=self.as_options())

    def as_options(self) -> Any:
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(self.write_buffer_size)
        options.set_max_write_buffer_number(2)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_bloom_filter(10, block_based=False)
        options.set_block_based_table_factory(blocks)
        return options
