"""Laws of the day files: every offset is in exactly one file and every figure equals a recount, for kills at any point.

These tests fail if the progress is replaced before the files are renamed, if unfinished files are not deleted, or if
figures do not store the offset up to which they have counted.
"""

import asyncio
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS
from app.errors import LogReplaced, StateCorrupt
from app.reports.batch import batch_report
from app.reports.incremental import kept_report
from app.streaming.roles.parquet_buffer import ParquetBuffer
from tests.properties.day_files import (
    DAY,
    Consumer,
    check,
    event,
    finish,
    killed_after,
    new_context,
    offsets,
    read_on,
    readable,
)
from tests.unit.day_records import FIRST_DAY, decided, label, records


@given(st.integers(0, 2**32), st.lists(st.integers(0, 25), max_size=4), st.integers(1, 15))
@hypothesis_settings(max_examples=10, phases=(Phase.explicit, Phase.generate))
@example(seed=7, kills=[3, 6, 9, 12], roll_rows=4)
def test_after_kills_at_any_point_every_offset_is_in_one_file_and_counted_once(
    seed: int, kills: list[int], roll_rows: int
) -> None:
    random = Random(seed)
    events = [decided(partition, 12, random) for partition in range(2)]
    labelled = [label(one, random) for one in random.choices(events[0] + events[1], k=12)]
    logs = {
        DECISIONS: [records(partition, part, random) for partition, part in enumerate(events)],
        LABELS: [records(0, labelled, random)],
    }
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for feed, parts in logs.items():
            for log in parts:
                for after in kills:
                    with killed_after(after):
                        read_on(feed, log, new_context(directory, roll_rows), random)
                finish(feed, log, directory, random)
            assert readable(parts) == offsets(directory, feed)
        assert not [path for feed in logs for path in (directory / feed.name).rglob(".*")]
        check(kept_report(directory, FIRST_DAY, DAY, top=10).report, events, labelled)


def test_a_duckdb_query_of_the_files_gives_the_same_report() -> None:
    random = Random(11)
    events = [decided(partition, 200, random) for partition in range(2)]
    labelled = [label(one, random) for one in random.choices(events[0] + events[1], k=200)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for partition, part in enumerate(events):
            log = records(partition, part, random)
            read_on(DECISIONS, log, new_context(directory, 50), random)
            finish(DECISIONS, log, directory, random)
        finish(LABELS, records(0, labelled, random), directory, random)
        kept = kept_report(directory, FIRST_DAY, DAY, top=10).report

        assert kept.total.judged
        assert kept.repeated
        assert batch_report(directory, DAY, top=10) == kept


def test_lost_figures_are_recomputed_from_the_files(tmp_path: Path) -> None:
    random = Random(5)
    log = records(0, decided(0, 80, random), random)
    finish(DECISIONS, log[:50], tmp_path, random)
    for path in tmp_path.rglob("*.bin"):
        path.unlink()
    finish(DECISIONS, log, tmp_path, random)

    assert batch_report(tmp_path, DAY, top=10) == kept_report(tmp_path, FIRST_DAY, DAY, top=10).report


def test_buffered_rows_of_a_revoked_partition_are_discarded(tmp_path: Path) -> None:
    """Another worker owns the partition: nothing is written or acknowledged, and a new assignment starts empty."""
    random = Random(1)
    log = records(0, decided(0, 20, random), random)
    buffer, consumer = ParquetBuffer(DECISIONS, 0, new_context(tmp_path, 100)), Consumer()
    before = event(log, 1)

    async def story() -> None:
        await buffer.add(before, consumer)
        assert consumer.held == []
        consumer.fetch_epoch = 2
        await buffer.flush_due(consumer)
        assert not before.acknowledged
        await buffer.add(event(log, 2), consumer)

    asyncio.run(story())
    assert not list(tmp_path.rglob("*.bin"))
    finish(DECISIONS, log, tmp_path, random)

    assert readable([log]) == offsets(tmp_path, DECISIONS)


def test_a_rebalance_waits_for_rows_that_are_being_written(tmp_path: Path) -> None:
    random = Random(2)
    log = records(0, decided(0, 20, random), random)
    consumer, seen = Consumer(), []
    context = new_context(tmp_path, 1)._replace(guard=lambda: seen.append(list(consumer.held)))
    whole = event(log, 1)

    asyncio.run(ParquetBuffer(DECISIONS, 0, context).add(whole, consumer))

    assert seen
    assert all(held == [whole.message] for held in seen)
    assert whole.acknowledged == [log[-1].offset]
    assert consumer.held == []


def test_a_recreated_topic_is_refused(tmp_path: Path) -> None:
    random = Random(3)
    log = records(0, decided(0, 20, random), random)
    finish(DECISIONS, log, tmp_path, random)

    with pytest.raises(LogReplaced, match="received offset 0"):
        asyncio.run(ParquetBuffer(DECISIONS, 0, new_context(tmp_path, 1)).add(event(log, 1), Consumer()))


def test_figures_that_are_cut_are_named_and_can_be_deleted(tmp_path: Path) -> None:
    random = Random(5)
    log = records(0, decided(0, 80, random), random)
    finish(DECISIONS, log[:50], tmp_path, random)
    for path in tmp_path.rglob("*.bin"):
        path.write_bytes(path.read_bytes()[:-1])
        day = int(np.datetime64(path.parent.name.removeprefix("day="), "D").astype(int))
        with pytest.raises(StateCorrupt, match="Delete it: the worker rebuilds it"):
            DayFigureFiles(tmp_path).read(day)
        path.unlink()
    finish(DECISIONS, log, tmp_path, random)

    assert batch_report(tmp_path, DAY, top=10) == kept_report(tmp_path, FIRST_DAY, DAY, top=10).report
