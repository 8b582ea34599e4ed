"""Sorts the batches of a file by event time in bounded memory: sorted runs in temporary files, then one merge.

Rows of the same time keep their order. The memory is that of one run, and of one block of each run.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from app.adapters.tabular.batches import TransactionBatch, of_table
from app.errors import InvalidFile

RUN_ROWS = 500_000
"""Rows that are sorted in memory, about 100 MB."""
BLOCK_ROWS = 10_000
"""Rows of each run that are in memory during the merge."""

_ROW = "row"


def sorted_batches(
    batches: Iterable[TransactionBatch],
    batch_rows: int,
    *,
    run_rows: int = RUN_ROWS,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[TransactionBatch]:
    """All rows in order of event time, ``batch_rows`` at a time; ``rows`` of a batch are their numbers in the file.

    Raises InvalidFile where the temporary files cannot be written.
    """
    try:
        skipped: list[int] = []
        runs = [_written(run, block_rows) for run in _runs(batches, run_rows, skipped)]
        for batch in _batches(_merged(runs), batch_rows):
            yield msgspec.structs.replace(batch, skipped=sum(skipped))
            skipped.clear()
    except OSError as error:
        raise InvalidFile(
            f"{tempfile.gettempdir()}: {error.strerror}. --sort needs about as much space there as the rows take; "
            "TMPDIR names another directory."
        ) from error


def _runs(batches: Iterable[TransactionBatch], run_rows: int, skipped: list[int]) -> Iterator[pa.Table]:
    """Tables of at least ``run_rows`` rows, each sorted by time and row; notes how many rows each batch left out."""
    waiting: list[pa.Table] = []
    for batch in batches:
        skipped.append(batch.skipped)
        waiting.append(pa.table(batch.all_columns() | {_ROW: batch.row_numbers()}))
        if sum(map(len, waiting)) >= run_rows:
            yield _sorted(waiting)
            waiting = []
    if waiting:
        yield _sorted(waiting)


def _sorted(tables: list[pa.Table]) -> pa.Table:
    """The rows of all tables by time and row; a column that one of them lacks is null there."""
    table = pa.concat_tables(tables, promote_options="default").combine_chunks()
    return table.take(pc.sort_indices(table, [("event_time", "ascending"), (_ROW, "ascending")]))


def _written(run: pa.Table, block_rows: int) -> "_Run":
    """Write a run to a file without a name: its space is free again when the process ends, however it ends."""
    descriptor, name = tempfile.mkstemp(prefix="fraudstream-sort-")
    os.close(descriptor)
    try:
        with pa.OSFile(name, "wb") as sink, pyarrow.ipc.new_file(sink, run.schema) as writer:
            writer.write_table(run, max_chunksize=block_rows)
        return _Run(pa.memory_map(name))
    finally:
        Path(name).unlink()


class _Run:
    """A sorted run that is read block by block."""

    def __init__(self, file: pa.MemoryMappedFile) -> None:
        # Mapped to memory: the system frees the blocks that were read where it needs room.
        self._reader = pyarrow.ipc.open_file(file)
        self._next = 0
        self.head = pa.table({})
        self.refill()

    @property
    def finished(self) -> bool:
        """Whether the head is the last of the run."""
        return bool(self._next == self._reader.num_record_batches)

    def refill(self) -> None:
        if not len(self.head) and not self.finished:
            self.head = pa.Table.from_batches([self._reader.get_batch(self._next)])
            self._next += 1

    def last(self) -> tuple[int, int]:
        return self.head["event_time"][-1].as_py(), self.head[_ROW][-1].as_py()

    def take_until(self, bound: tuple[int, int]) -> pa.Table:
        """Remove and return the rows up to ``bound``, a time and a row."""
        times, rows = self.head["event_time"].to_numpy(), self.head[_ROW].to_numpy()
        start, end = np.searchsorted(times, bound[0], "left"), np.searchsorted(times, bound[0], "right")
        count = int(start + np.searchsorted(rows[start:end], bound[1], "right"))
        taken, self.head = self.head.slice(0, count), self.head.slice(count)
        return taken


def _merged(runs: list[_Run]) -> Iterator[pa.Table]:
    """Consecutive sorted tables. Each round passes on the rows that no unread block can precede."""
    while any(len(run.head) for run in runs):
        open_runs = [run.last() for run in runs if not run.finished]
        bound = min(open_runs, default=(np.iinfo(np.int64).max, np.iinfo(np.int64).max))
        yield _sorted([run.take_until(bound) for run in runs])
        for run in runs:
            run.refill()


def _batches(tables: Iterable[pa.Table], batch_rows: int) -> Iterator[TransactionBatch]:
    first_row = 1
    for table in tables:
        for start in range(0, len(table), batch_rows):
            part = table.slice(start, batch_rows)
            yield of_table(part.drop_columns([_ROW]), first_row, part[_ROW].to_numpy())
            first_row += len(part)
