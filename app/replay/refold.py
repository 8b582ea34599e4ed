"""A log folded again by the worker's own code, into profiles that are nobody's but the reader's."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.adapters.cdc.transaction_decoder import Decode, plain
from app.adapters.kafka.range_reader import LogReader
from app.domain.acceptance import Acceptance
from app.features.window import Bounds
from app.processing.chunk import Chunk
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import Applied, ChunkFold
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch


class FoldRules(NamedTuple):
    """What decides which records change a profile and what a profile keeps: the settings the workers ran with."""

    acceptance: Acceptance
    bounds: Bounds
    by_murmur2: bool = True
    """A key in another partition than murmur2's is refused."""
    decode: Decode = plain

    def log_of(self, reader: LogReader) -> SourceLog:
        """The log as a worker sees it."""
        partitions = reader.partitions if self.by_murmur2 else 0
        return SourceLog(reader.topic, reader.incarnation, partitions, self.decode)


class NoProfiles:
    """No customer was ever seen."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # a StateReader's
        return [None] * len(keys)


def refold(log: SourceLog, records: Sequence[Any], rules: FoldRules, now_ms: int) -> Applied:
    """What became of consecutive records of one partition, folded from nothing. ``records`` are not empty."""
    profiles = StateCache(NoProfiles(), capacity_bytes=0)
    fold = ChunkFold(log, rules.acceptance, rules.bounds, profiles)
    return fold.apply([Chunk(records[0].partition, list(records))], now_ms, Stopwatch(time.perf_counter))
