"""Laws of source offsets: one that is beyond the end of the transactions changes no figure of other decisions."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.adapters.parquet_sink.row_schemas import DECISIONS
from app.processing.chunk import Chunk
from app.reports.incremental import kept_report
from app.streaming.roles.parquet_buffer import ParquetBuffer
from tests.properties.day_files import DAY, Consumer, Event, event, new_context, read_on
from tests.unit.day_records import DAY_MS, FIRST_DAY, decision, records


def figures(directory: Path, events: Sequence[Event]) -> tuple[int, int]:
    """Transactions and repeats of the day, after a worker that learns the end of the transactions, 1,000, has read the decisions."""

    async def source_end(_: Chunk, __: int) -> int | None:
        return 1_000

    random = Random(3)
    read_on(DECISIONS, records(0, events, Random(4)), new_context(directory, 1, source_end), random)
    report = kept_report(directory, FIRST_DAY, DAY, top=10).report
    return report.total.transactions, report.repeated


def dated(source: int, number: int) -> Event:
    one = decision(number, (0, source), Random(number))
    one["event_time"] = FIRST_DAY * DAY_MS
    return one


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.sampled_from([1_000, 2**40, 2**63 - 1]),
    st.integers(0, 12),
)
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_decision_with_a_forged_source_offset_makes_no_other_one_a_repeat(
    sources: list[int], forged: int, place: int
) -> None:
    """The attack: after a decision of the offset 2**62, all decisions of the partition were left out of the day's figures."""
    genuine = [dated(source, number) for number, source in enumerate(sources)]
    mixed = [*genuine[:place], dated(forged, 98), *genuine[place:], dated(forged, 99)]
    with tempfile.TemporaryDirectory() as name:
        transactions, repeated = figures(Path(name) / "genuine", genuine)
        assert figures(Path(name) / "mixed", mixed) == (transactions + 1, repeated + 1)


@pytest.mark.parametrize("lost", [False, True], ids=["with", "without its progress file"])
def test_files_that_hold_a_forged_offset_do_not_hide_later_decisions(tmp_path: Path, lost: bool) -> None:
    """Those of a release that did not recognise it, and those whose progress is derived from the rows."""
    log = records(0, [dated(1, 0), dated(2**62, 1)], Random(4))
    read_on(DECISIONS, log, new_context(tmp_path, 1), Random(3))
    if lost:
        (tmp_path / "progress" / "decisions-0.json").unlink()
    events = [dated(1, 0), dated(2**62, 1), dated(2, 2), dated(3, 3), dated(3, 3)]

    assert figures(tmp_path, events) == (4, 1)


def test_a_worker_that_stops_before_the_end_is_known_leaves_the_chunk_and_all_behind_it(
    tmp_path: Path,
) -> None:
    answers: list[int | None] = [None, 1_000]

    async def source_end(_: Chunk, __: int) -> int | None:
        return answers.pop(0)

    log = records(0, [dated(number, number) for number in range(6)], Random(9))
    buffer = ParquetBuffer(DECISIONS, 0, new_context(tmp_path, 1, source_end))
    first, second = event(log[:3], 1), event(log[3:], 1)

    async def story() -> None:
        await buffer.add(first, Consumer())
        await buffer.add(second, Consumer())

    asyncio.run(story())
    assert (first.acknowledged, second.acknowledged) == ([], [])
    assert not list((tmp_path / "decisions").rglob("*.parquet"))
