"""Laws of the progress files of day files: whichever is cut or missing, no row is lost or written twice."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.progress_files import OffsetRange, ProgressFiles
from app.adapters.parquet_sink.row_schemas import DECISIONS
from app.errors import ConfigurationError, StateCorrupt
from app.reports.incremental import kept_report
from tests.properties.day_files import (
    DAY,
    check,
    finish,
    killed_after,
    new_context,
    offsets,
    read_on,
    readable,
)
from tests.unit.day_records import FIRST_DAY, Record, decided, records


def stopped_while_writing(directory: Path, log: Sequence[Record], random: Random) -> None:
    """The state after a worker was killed between two data files of a range: some files, ``begun`` and the progress before."""
    finish(DECISIONS, log[: len(log) // 2], directory, random)
    for after in range(100):  # the first sync at which one file of the new range is complete, and not all
        with killed_after(after):
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
