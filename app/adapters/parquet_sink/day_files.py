"""Writes rows of a topic to Parquet files by day of event time; every offset is in exactly one file.

::

    DIRECTORY/decisions/day=2026-03-01/decisions-3-00000000000000001000-00000000000000001999.parquet
    DIRECTORY/progress/decisions-3.json    the offset up to which partition 3 is in files
    DIRECTORY/progress/decisions-3.begun   names of the files being written; exists only meanwhile

A range of offsets becomes one file for each day in it, including late events of old days. Files are written under a
temporary name, synced and renamed; then the progress file is replaced, which commits the range. If the worker is killed
before that, the next owner of the partition deletes the files named in ``begun`` and reads the range again.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.adapters.disk import durable_file
from app.adapters.parquet_sink.progress_files import (
    OffsetRange,
    PartitionProgress,
    ProgressFiles,
    naming_setting,
)
from app.adapters.parquet_sink.repeats import Reached


class DayFiles:
    """A directory shared by all workers of the role. Raises StoreFailed when it cannot be read or written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._progress = ProgressFiles(directory)

    def bind(self, feed: str, topic: str, topic_id: str) -> None:
        """See ProgressFiles."""
        with naming_setting(self._directory):
            self._progress.bind(feed, topic, topic_id)

    def progress(self, feed: str, partition: int) -> PartitionProgress:
        """See ProgressFiles.read."""
        with naming_setting(self._directory):
            return self._progress.read(feed, partition)

    def take_over(self, feed: str, partition: int) -> PartitionProgress:
        """Become the owner of a partition: delete files of an uncommitted range and return the progress."""
        with naming_setting(self._directory):
            progress = self._progress.read(feed, partition)
            for path in self._progress.uncommitted(feed, partition, progress.next_offset):
                path.unlink(missing_ok=True)
                _unfinished(path).unlink(missing_ok=True)
            # Last: if this process is killed before, the next owner repeats the deletion.
            self._progress.end(feed, partition)
        return progress

    def write(
        self,
        offset_range: OffsetRange,
        rows: pa.Table,
        reached: Reached,
        guard: Callable[[], None] = lambda: None,
    ) -> int:
        """Write and commit the rows of a range; returns the number of files. ``guard`` raises to stop before either."""
        paths = {day: self._path(offset_range, day) for day in days_of(rows)}
        with naming_setting(self._directory):
            guard()
            # Durable before the first data file: files of a range that is never committed can then always be found.
            self._progress.begin(offset_range, list(paths.values()))
            for day, path in paths.items():
                _write(path, of_day(rows, day).drop_columns(["day"]))
            guard()  # again: writing takes time, and another owner may have the partition by now
            self._progress.commit(offset_range, reached)
        return len(paths)

    def _path(self, offset_range: OffsetRange, day: int) -> Path:
        return self._directory / offset_range.feed / f"day={name_of(day)}" / offset_range.file_name


def days_of(rows: pa.Table) -> list[int]:
    """The days in ``rows`` as days since the epoch, ascending."""
    days: list[int] = np.unique(pc.cast(rows["day"], pa.int32()).to_numpy()).tolist()
    return days


def of_day(rows: pa.Table, day: int) -> pa.Table:
    """The rows of a day, in their order."""
    return rows.filter(pc.equal(pc.cast(rows["day"], pa.int32()), day))


def name_of(day: int) -> str:
    """The ISO 8601 date of a day since the epoch.

    >>> name_of(20_000)
    '2024-10-04'
    """
    return str(np.datetime64(day, "D"))


def replace(path: Path, data: bytes) -> None:
    """Replace the content of a file atomically and durably. Raises StoreFailed."""
    with naming_setting(path):
        durable_file.replace(path, data)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _write(path: Path, rows: pa.Table) -> None:
    """Write rows atomically and durably. The temporary name begins with a dot: DuckDB's globs skip it."""
    durable_file.make_folder(path.parent)
    unfinished = _unfinished(path)
    pq.write_table(rows, unfinished, compression="zstd")
    durable_file.publish(unfinished, path)
