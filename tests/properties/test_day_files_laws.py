"""Laws of the day files: every offset is in exactly one file and every figure equals a recount, for kills at any point.

A kill is an exception from a disk operation; the next run starts with the files as they are. These tests fail if the
progress is replaced before the files are renamed, if unfinished files are not deleted, or if figures do not store the
offset up to which they have counted.
"""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.progress_files import OffsetRange, ProgressFiles
from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS, Feed
from app.errors import ConfigurationError, LogReplaced, StateCorrupt
from app.processing.chunk import Chunk
from app.reports.batch import batch_report
from app.reports.day_report import DayReport
from app.reports.incremental import kept_report
from app.streaming.roles.parquet_buffer import BufferContext, ParquetBuffer
from tests.unit.day_records import DAY_MS, FIRST_DAY, Record, decided, decision, label, records

DAY = "2026-02-28"
Event = dict[str, Any]


class Killed(BaseException):
    """Simulates the end of the process."""


class Consumer:
    """A consumer in one fetch epoch."""

    def __init__(self) -> None:
        self.fetch_epoch = 1
        self.held: list[Any] = []

    def is_current(self, chunk: Chunk) -> bool:
        return chunk.fetch_epoch == self.fetch_epoch

    def track(self, message: Any) -> None:
        self.held.append(message)

    def untrack(self, message: Any) -> None:
        if message in self.held:
            self.held.remove(message)


def event(part: Sequence[Record], fetch_epoch: int) -> Any:
    acknowledged: list[int] = []
    last = part[-1].offset
    return SimpleNamespace(
        value=Chunk(part[0].partition, cast(Any, list(part)), fetch_epoch),
        message=SimpleNamespace(offset=last),
        ack=lambda: acknowledged.append(last),
        acknowledged=acknowledged,
    )


def killer(after: int) -> Callable[[Any], None]:
    """A replacement of fsync that raises after ``after`` calls."""
    left = [after]

    def sync(_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return sync


async def unbounded(_: Chunk, __: int) -> int | None:
    """The transactions reach as far as any decision says."""
    return 2**63 - 1


def new_context(
    directory: Path, roll_rows: int, source_end: Callable[[Chunk, int], Awaitable[int | None]] = unbounded
) -> BufferContext:
    return BufferContext(
        DayFiles(directory),
        DayFigureFiles(directory),
        PrometheusMetrics(),
        roll_rows,
        1.0,
        lambda: 0.0,
        lambda: None,
        source_end,
    )


def read_on(feed: Feed, log: Sequence[Record], context: BufferContext, random: Random) -> None:
    """Run a worker from the end of the files to the end of the log."""
    begin = context.files.progress(feed.name, log[0].partition).next_offset
    left = [record for record in log if record.offset >= begin]
    buffer, consumer = ParquetBuffer(feed, log[0].partition, context), Consumer()

    async def live() -> None:
        place = 0
        while place < len(left):
            size = random.randrange(1, 9)
            await buffer.add(event(left[place : place + size], 1), consumer)
            place += size
            if random.random() < 0.3:
                await buffer.flush_due(consumer)

    asyncio.run(live())


def finish(feed: Feed, log: Sequence[Record], directory: Path, random: Random) -> None:
    """Write everything to files, including the last rows."""
    read_on(feed, log, new_context(directory, 1), random)


def offsets(directory: Path, feed: Feed) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for path in (directory / feed.name).glob("day=*/*.parquet"):
        rows = pq.read_table(path, partitioning=None)
        found.update(zip(rows["kafka_partition"].to_pylist(), rows["kafka_offset"].to_pylist(), strict=True))
    return found


def readable(logs: Sequence[Sequence[Record]]) -> Counter[tuple[int, int]]:
    return Counter(
        (record.partition, record.offset)
        for log in logs
        for record in log
        if record.value and b"_id" in record.value
    )


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
                    with mock.patch.object(os, "fsync", killer(after)), suppress(Killed):
                        read_on(feed, log, new_context(directory, roll_rows), random)
                finish(feed, log, directory, random)
            assert readable(parts) == offsets(directory, feed)
        assert not [path for feed in logs for path in (directory / feed.name).rglob(".*")]
        check(kept_report(directory, FIRST_DAY, DAY, top=10).report, events, labelled)


def check(report: DayReport, events: Sequence[Sequence[Event]], labelled: Sequence[Event]) -> None:
    """Compare with a recount in plain Python: each transaction once, with its last label."""
    first = {one["transaction_id"]: one for part in events for one in part if of_day(one)}
    labels: dict[str, Event] = {}
    for one in filter(of_day, labelled):
        known = labels.get(one["transaction_id"])
        if known is None or one["reported_at"] >= known["reported_at"]:
            labels[one["transaction_id"]] = one
    alerts = {name for name, one in first.items() if one["outcome"] != "approve"}
    labelled_alerts = [one["is_fraud"] for name, one in labels.items() if name in alerts]
    assert len(first) == report.total.transactions
    assert sum(one["outcome"] == "decline" for one in first.values()) == report.total.decline
    assert (len(labelled_alerts), sum(labelled_alerts)) == (report.total.judged, report.total.frauds)
    assert sum(one["is_fraud"] for one in labels.values()) == report.frauds_known
    assert sum(sum(map(of_day, part)) for part in events) - len(first) == report.repeated
    assert _sums(first, "currency") == report.total.amount_minor
    assert _sums(first, "terminal_id") == {
        part.name: sum(part.amount_minor.values()) for part in report.terminals
    }


def _sums(first: dict[str, Event], field: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in first.values():
        sums[one["transaction"][field]] += one["transaction"]["amount_minor"]
    return dict(sums)


def of_day(one: Event) -> bool:
    return bool(one["event_time"] // DAY_MS == FIRST_DAY)


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


def stopped_while_writing(directory: Path, log: Sequence[Record], random: Random) -> None:
    """The state after a worker was killed between two data files of a range: some files, ``begun`` and the progress before."""
    finish(DECISIONS, log[: len(log) // 2], directory, random)
    for after in range(100):  # the first sync at which one file of the new range is complete, and not all
        with mock.patch.object(os, "fsync", killer(after)), suppress(Killed):
            read_on(DECISIONS, log, new_context(directory, 20), Random(1))
        if (directory / "progress" / "decisions-0.begun").exists() and _new_files(directory, len(log) // 2):
            return
    pytest.fail("no kill between two files of a range")


def _new_files(directory: Path, first: int) -> list[Path]:
    return [
        path
        for path in (directory / "decisions").glob("day=*/decisions-*.parquet")
        if int(path.stem.split("-")[2]) >= first
    ]


@pytest.mark.parametrize("damaged", [("json",), ("begun",), ("json", "begun")], ids="+".join)
def test_progress_files_that_are_cut_or_missing_lose_and_repeat_nothing(
    tmp_path: Path, damaged: tuple[str, ...]
) -> None:
    random = Random(13)
    events = decided(0, 60, random)
    log = records(0, events, random)
    stopped_while_writing(tmp_path / "before", log, random)
    paths = [f"progress/decisions-0.{suffix}" for suffix in damaged]
    longest = max((tmp_path / "before" / path).stat().st_size for path in paths)
    for size in [None, 0, longest // 2, longest - 1]:
        directory = tmp_path / f"cut-{size}"
        shutil.copytree(tmp_path / "before", directory)
        for path in paths:
            if size is None and not path.endswith("begun"):
                (directory / path).unlink()
            else:
                (directory / path).write_bytes((directory / path).read_bytes()[: size or 0])
        finish(DECISIONS, log, directory, random)

        assert readable([log]) == offsets(directory, DECISIONS)
        check(kept_report(directory, FIRST_DAY, DAY, top=10).report, [events], [])


def test_progress_that_is_derived_from_the_files_is_what_was_committed(tmp_path: Path) -> None:
    random = Random(17)
    finish(DECISIONS, records(0, decided(0, 60, random), random), tmp_path, random)
    files = ProgressFiles(tmp_path)
    committed = files.read("decisions", 0)
    assert committed.decided_to > 0
    (tmp_path / "progress" / "decisions-0.json").unlink()

    assert files.read("decisions", 0) == committed


def test_an_unfinished_file_of_a_range_whose_record_is_cut_is_found(tmp_path: Path) -> None:
    day = tmp_path / "decisions" / "day=2026-01-01"
    name = OffsetRange("decisions", 0, 5, 9).file_name
    for path in (day / f".{name}.tmp", tmp_path / "progress" / "decisions-0.begun"):
        path.parent.mkdir(parents=True)
        path.touch()

    assert ProgressFiles(tmp_path).uncommitted("decisions", 0, 5) == [day / name]


def test_a_lost_topic_id_is_written_again_only_while_nothing_depends_on_it(tmp_path: Path) -> None:
    files, binding = DayFiles(tmp_path), tmp_path / "progress" / "decisions.json"
    files.bind("decisions", "topic", "first")
    complete = binding.read_bytes()
    binding.write_bytes(b"")
    files.bind("decisions", "topic", "first")
    assert binding.read_bytes() == complete

    random = Random(3)
    finish(DECISIONS, records(0, decided(0, 5, random), random), tmp_path, random)
    for size in range(len(complete)):
        binding.write_bytes(complete[:size])
        with pytest.raises(StateCorrupt, match="was not deleted and created again") as refused:
            files.bind("decisions", "topic", "first")
        assert complete.decode() in str(refused.value)  # the remedy
    binding.write_bytes(complete)
    files.bind("decisions", "topic", "first")
    with pytest.raises(ConfigurationError, match="Keep them where they are"):
        files.bind("decisions", "topic", "second")


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
