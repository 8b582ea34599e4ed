"""A table's changes in a chunk: every record is counted, and only inserted rows are decided."""

import json

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import CONTRACT
from app.domain.acceptance import Acceptance
from app.domain.ignored import Ignored
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import ChunkFold
from app.processing.score_chunk import ChunkScorer
from app.processing.state_cache import StateCache
from app.scoring.lineup import Lineup
from tests.unit.streaming.execution import test_score_chunk
from tests.unit.streaming.execution.test_score_chunk import (
    BOUNDS,
    TOPIC_ID,
    Disk,
    LargeAmounts,
    Record,
    compute,
    decided,
    record,
)


def scorer(disk: Disk | None = None, *, score_updates: bool = False) -> ChunkScorer:
    decode = ChangeEvents(CONTRACT, score_updates=score_updates).decode
    log = SourceLog("transactions", TOPIC_ID, decode=decode)
    profiles = StateCache(Disk() if disk is None else disk, capacity_bytes=100_000)
    return ChunkScorer(ChunkFold(log, Acceptance(), BOUNDS, profiles), Lineup(LargeAmounts()))


def change(op: str, offset: int, transaction_id: str) -> Record:
    plain = record(offset, transaction_id)
    row = json.loads(plain.value or b"{}")
    image = {"before" if op == "d" else "after": row, "op": op}
    return plain._replace(value=json.dumps(image).encode())


def tombstone(offset: int) -> Record:
    return Record(b"c1", None, offset)


LIFE = (change("c", 1, "t1"), change("u", 2, "t1"), change("d", 3, "t1"), tombstone(4), change("r", 5, "t2"))


def test_only_inserted_rows_are_decided_and_every_record_is_counted() -> None:
    work = compute(scorer(), *LIFE)

    assert ["t1", "t2"] == decided(work)
    assert [Ignored.UPDATE, Ignored.DELETE, Ignored.TOMBSTONE] == list(work.ignored)
    assert ([], 0, 0, 5) == (work.rejected, work.already_applied, work.duplicate, work.records)


def test_an_update_of_a_row_that_was_never_seen_is_not_decided() -> None:
    assert [] == decided(compute(scorer(), change("u", 1, "t1")))


def test_with_updates_scored_an_update_of_a_scored_row_is_a_duplicate() -> None:
    work = compute(scorer(score_updates=True), *LIFE, change("u", 6, "t3"), change("u", 7, "t3"))

    assert (["t1", "t2", "t3"], 2) == (decided(work), work.duplicate)


def test_rows_sent_again_by_a_restarted_connector_are_duplicates() -> None:
    work = compute(scorer(), change("c", 1, "t1"), change("c", 2, "t1"), change("r", 3, "t1"))

    assert (["t1"], 2) == (decided(work), work.duplicate)


def test_rows_and_plain_transactions_of_one_customer_share_a_profile() -> None:
    work = compute(scorer(), record(1, "t1"), change("c", 2, "t2"), record(3, "t2"))

    assert (["t1", "t2"], 1) == (decided(work), work.duplicate)


def test_an_already_applied_record_is_counted_only_as_such() -> None:
    disk = Disk(compute(scorer(), *LIFE).states)
    work = compute(scorer(disk), *LIFE, tombstone(6))

    assert (5, [Ignored.TOMBSTONE], [], 6) == (
        work.already_applied,
        list(work.ignored),
        decided(work),
        work.records,
    )


def test_a_chunk_of_ignored_changes_writes_nothing() -> None:
    work = compute(scorer(), tombstone(1), change("d", 2, "t1"))

    assert ([], [], {}, 2) == (work.decisions, work.dead_letters, work.states, work.last_offset)


def test_without_a_table_a_record_without_a_value_is_a_dead_letter() -> None:
    assert 1 == len(compute(test_score_chunk.scorer(), tombstone(1)).rejected)
