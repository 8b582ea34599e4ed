"""Folds records again with the worker's code, into profiles that only the caller sees."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.adapters.cdc.transaction_decoder import Decode, decode_plain
from app.adapters.kafka.range_reader import RangeReader
from app.computation.interface import Computation
from app.computation.release import RELEASE
from app.domain.acceptance import Acceptance
from app.features.window import Bounds
from app.processing.chunk import Chunk
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import ChunkFold, FoldedChunks
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch


class FoldRules(NamedTuple):
    """The settings of the workers that determine, with the log, every profile."""

    acceptance: Acceptance
    bounds: Bounds
    by_murmur2: bool = True
    """Whether a record in another partition than murmur2 gives for its key is rejected, as a worker does."""
    decode: Decode = decode_plain
    computation: Computation = RELEASE

    def log_of(self, reader: RangeReader) -> SourceLog:
        """Return the description of the log that the worker's decoder uses."""
        partitions = reader.partitions if self.by_murmur2 else 0
        return SourceLog(reader.topic, reader.topic_id, partitions, self.decode)


class NoProfiles:
    """An empty store: every customer is new."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # a StateReader's
        return [None] * len(keys)


def refold(log: SourceLog, records: Sequence[Any], rules: FoldRules) -> FoldedChunks:
    """Fold consecutive records of one partition into empty profiles. ``records`` must not be empty."""
    profiles = StateCache(NoProfiles(), capacity_bytes=0)
    fold = ChunkFold(log, rules.acceptance, rules.bounds, profiles, rules.computation)
    return fold.apply([Chunk(records[0].partition, list(records))], Stopwatch(time.perf_counter))
