"""Chunks that are computed together give the same results as each one alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.serde.json_codec import encode_event
from app.domain.acceptance import Acceptance
from app.domain.transaction import Transaction
from app.features.delayed_features import Touched, compute_delayed
from app.processing.chunk import Chunk
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import ChunkFold
from app.processing.score_chunk import ChunkScorer, Publishing, ScoredChunk
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.scoring.lineup import Lineup
from tests.unit.streaming.execution.test_score_chunk import (
    BOUNDS,
    NOW_MS,
    TOPIC_ID,
    Disk,
    LargeAmounts,
    Record,
)

PARTITIONS = 3


class Written(NamedTuple):
    """The content of one record. Few customers and ids, so that they repeat within chunks and across partitions."""

    customer: int
    transaction: int
    amount: int
    broken: bool
    back: int
    """Number of offsets before the next one: records at lower offsets are read again."""


written = st.builds(
    Written,
    customer=st.integers(0, 3),
    transaction=st.integers(0, 12),
    amount=st.sampled_from([100, 200_000]),
    broken=st.booleans(),
    back=st.integers(0, 2),
)
rounds = st.lists(
    st.dictionaries(st.integers(0, PARTITIONS - 1), st.lists(written, min_size=1, max_size=6), min_size=1),
    min_size=1,
    max_size=3,
)


def record(of: Written, partition: int, offset: int) -> Record:
    transaction = Transaction(
        transaction_id=f"t{of.transaction}",
        customer_id=f"c{of.customer}",
        terminal_id=f"m{of.transaction % 3}",
        event_time=NOW_MS - 100_000 + 1_000 * of.transaction,
        amount_minor=of.amount,
        currency="EUR",
    )
    value = b"{" if of.broken else encode_event(transaction)
    return Record(transaction.customer_id.encode(), value, offset, partition=partition)


def chunks_of(given_rounds: Sequence[dict[int, list[Written]]]) -> list[list[Chunk]]:
    """Chunks with the offsets of a partition continued from round to round, sometimes a little lower."""
    offsets = dict.fromkeys(range(PARTITIONS), 2)
    together = []
    for parts in given_rounds:
        chunks = []
        for partition, contents in parts.items():
            first = offsets[partition] - min(contents[0].back, offsets[partition])
            records = [record(of, partition, first + at) for at, of in enumerate(contents)]
            offsets[partition] = first + len(records)
            chunks.append(Chunk(partition, records))
        together.append(chunks)
    return together


def scorer(checked: bool) -> ChunkScorer:
    log = SourceLog("transactions", TOPIC_ID, PARTITIONS if checked else 0)
    fold = ChunkFold(log, Acceptance(), BOUNDS, StateCache(Disk(), 100_000))
    return ChunkScorer(fold, Lineup(LargeAmounts()), Publishing(activity_partitions=PARTITIONS))


def compute(worker: ChunkScorer, chunks: Sequence[Chunk]) -> list[ScoredChunk]:
    stopwatch = Stopwatch(lambda: 0.0)
    folded = worker.fold(chunks, stopwatch)
    return worker.decide(folded, compute_delayed(folded.touched, half(folded.touched)), NOW_MS, stopwatch)


def half(about: Touched) -> dict[str, bytes]:
    """States as if Redis had answered for some terminals only, so that some decisions lack their features."""
    return {key: b"" for key in about.keys if not key.endswith("m1")}


@given(given_rounds=rounds, checked=st.booleans())
def test_chunks_computed_together_and_alone_are_equal(
    given_rounds: list[dict[int, list[Written]]], checked: bool
) -> None:
    together, alone = scorer(checked), scorer(checked)

    for chunks in chunks_of(given_rounds):
        apart = [work for chunk in chunks for work in compute(alone, [chunk])]

        for one, other in zip(compute(together, chunks), apart, strict=True):
            assert same(one, other)


def same(one: ScoredChunk, other: ScoredChunk) -> bool:
    """Compare errors by reason, because equal errors are not equal objects."""
    reasons = [[entry.error.reason for entry in work.rejected] for work in (one, other)]
    return reasons[0] == reasons[1] and one._replace(rejected=[]) == other._replace(rejected=[])


@given(given_rounds=rounds)
def test_every_record_is_counted(given_rounds: list[dict[int, list[Written]]]) -> None:
    worker = scorer(checked=True)

    for chunks in chunks_of(given_rounds):
        works = compute(worker, chunks)

        assert [work.records for work in works] == [len(chunk.records) for chunk in chunks]
        assert [work.partition for work in works] == [chunk.partition for chunk in chunks]
        assert all(np.isin(work.scores, [0.1, 0.7]).all() for work in works)
