"""The daily batch: computes features or scores of a file with the fold and the model of the stream, without Kafka."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from app.adapters.tabular.row_order import GoingBack
from app.adapters.tabular.table_writer import TableWriter
from app.batch import tables
from app.batch.tables import Columns
from app.history.feature_fold import FeatureFold
from app.history.fold_history import FoldedBatch, HistorySource, fold_history
from app.history.prefetch import prefetch
from app.scoring.model import Model

Progress = Callable[[int], None]


class Summary(msgspec.Struct, kw_only=True):
    """Counts of a run: ``rows`` of the input, ``written`` rows of the output."""

    rows: int = 0
    written: int = 0
    skipped: int = 0
    """Rows that the mapping left out: refunds."""
    repeats: int = 0
    """Rows left out because their transaction id occurred before."""
    late: int = 0
    """Rows older than their customer's newest by more than the allowed lateness."""
    going_back: int = 0
    """Rows older than the newest row before them by more than that."""
    customers: int = 0
    alerts: int = 0
    declines: int = 0


class ScoreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Rows and columns of the file of scores."""

    alerts_only: bool = False
    with_features: bool = False
    raw_csv: bool = False
    """Texts of a CSV file as they are, also where a spreadsheet would compute them."""


def write_features(
    source: HistorySource, out: Path, fold: FeatureFold, on_progress: Progress, *, raw_csv: bool = False
) -> Summary:
    """Write one row per transaction of ``source``, in its order: the id and every feature."""
    summary = Summary()
    table = TableWriter(
        out, tables.features_schema(fold.computation.features), inputs=[source.path], raw_csv=raw_csv
    )
    with table as writer, _in_turn(writer) as write:
        for batch in prefetch(_batches(source, fold, summary, on_progress)):
            summary.written += len(batch.applied)
            write(tables.features_table(batch))
    return summary


def write_scores(
    source: HistorySource,
    out: Path,
    fold: FeatureFold,
    model: Model,
    options: ScoreOptions,
    on_progress: Progress,
) -> Summary:
    """Write one row per transaction, or per alert, of ``source``, in its order."""
    summary = Summary()
    schema = tables.SCORES_SCHEMA | (
        tables.feature_columns(fold.computation.features) if options.with_features else {}
    )
    target = TableWriter(out, schema, inputs=[source.path], raw_csv=options.raw_csv)
    with target as writer, _in_turn(writer) as write:
        for batch in prefetch(_batches(source, fold, summary, on_progress)):
            table = tables.scores_table(batch, model, with_features=options.with_features)
            summary.alerts += len(table.alerts)
            summary.declines += table.declines
            summary.written += len(table.alerts) if options.alerts_only else len(batch.applied)
            write(tables.only(table.columns, table.alerts) if options.alerts_only else table.columns)
    return summary


def _batches(
    source: HistorySource, fold: FeatureFold, summary: Summary, on_progress: Progress
) -> Iterator[FoldedBatch]:
    going_back = GoingBack(source.order.allowed_lateness_ms)
    for part in fold_history(source, fold):
        summary.rows += len(part.batch) + part.batch.skipped
        summary.skipped += part.batch.skipped
        summary.repeats += part.repeats
        summary.late += int(np.count_nonzero(part.folded.late))
        going_back.add(part.batch.event_time)
        summary.going_back = going_back.count
        summary.customers = fold.customers
        yield part
        on_progress(summary.rows)


@contextmanager
def _in_turn(writer: TableWriter) -> Iterator[Callable[[Columns], None]]:
    """Write each batch in a thread while the next is folded; compression does not hold the interpreter lock."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="table") as pool:
        pending: list[Future[None]] = []

        def write(columns: Columns) -> None:
            finish()
            pending.append(pool.submit(writer.write, columns))

        def finish() -> None:
            while pending:
                pending.pop().result()

        yield write
        finish()
