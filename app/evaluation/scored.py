"""Scores a labelled file with a bundle, or joins it with a file of scores."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from app.adapters.tabular.files import read_batches
from app.domain.decision import Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.words import named
from app.errors import InvalidFile
from app.evaluation.importances import Sampler
from app.history.feature_fold import FeatureFold
from app.history.fold_history import HistorySource
from app.scoring.model import Model
from app.training.dataset import Numbers, Progress, labelling_of, labels, pattern_numbers, read_parts
from app.training.scored_dataset import ScoredDataset, joined

_READERS = {
    ".parquet": pyarrow.parquet.read_table, ".csv": pyarrow.csv.read_csv,
    ".jsonl": pyarrow.json.read_json, ".ndjson": pyarrow.json.read_json,
}  # fmt: skip


class ScoresFile(NamedTuple):
    """A file of scores as ``fraudstream score`` writes it. The column of outcomes is optional."""

    transaction_ids: pa.Array
    scores: np.ndarray
    outcomes: np.ndarray | None

    def thresholds(self) -> Thresholds | None:
        """Return the lowest scores with each outcome; None if the file has no outcomes."""
        if self.outcomes is None:
            return None
        decline = self._lowest(self.outcomes == Outcome.DECLINE.value)
        review = self._lowest(self.outcomes != Outcome.APPROVE.value)
        return Thresholds(review=review, decline=decline)

    def _lowest(self, chosen: np.ndarray) -> float:
        return float(self.scores[chosen].min()) if chosen.any() else 1.0


def by_model(
    source: HistorySource, fold: FeatureFold, model: Model, sampler: Sampler | None, on_progress: Progress
) -> ScoredDataset:
    """Score every transaction as a worker would have, in bounded memory, and pass the rows to the sampler."""
    parts = []
    for part in read_parts(source, fold, on_progress):
        parts.append(part.with_scores(model.score(np.ascontiguousarray(part.rows))))
        if sampler is not None:
            sampler.add(part.rows, part.frauds)
    return joined(parts)


def read_scores(path: Path) -> ScoresFile:
    """Read a file of scores. Raises InvalidFile."""
    if path.suffix not in _READERS:
        raise InvalidFile(f"{path}: the suffix must be one of {', '.join(_READERS)}")
    try:
        table = _READERS[path.suffix](path)
        ids = table.column("transaction_id").cast(pa.string()).combine_chunks()
        scores = table.column("score").to_numpy().astype(np.float64)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InvalidFile(
            f"{path} is not a file of scores: columns transaction_id and score are needed ({named(error)})"
        ) from error
    if not np.all((scores >= 0) & (scores <= 1)):
        raise InvalidFile(f"{path}: a score is missing or lies outside [0, 1]")
    outcomes = table.column("outcome").to_numpy() if "outcome" in table.column_names else None
    return ScoresFile(ids, scores, outcomes)


def by_file(source: HistorySource, scores: ScoresFile, on_progress: Progress) -> ScoredDataset:
    """Join a labelled file with its scores, without folding it. Raises InvalidFile if a transaction has no score."""
    customers, patterns, parts, read = Numbers(), Numbers(""), [], 0
    labelling = labelling_of(source)
    for batch in read_batches(source.path, source.mapping):
        indexes = pc.index_in(batch.transaction_id, value_set=scores.transaction_ids)
        if indexes.null_count:
            raise InvalidFile(f"{source.path}: {indexes.null_count} of its transactions have no score")
        parts.append(
            ScoredDataset(
                scores=scores.scores[indexes.to_numpy(zero_copy_only=False)],
                frauds=labels(batch, source, labelling)[0],
                event_times=batch.event_time,
                customers=customers.of(batch.customer_id),
                amounts_minor=batch.amount_minor,
                patterns=pattern_numbers(batch, patterns),
                pattern_names=patterns.texts,
            )
        )
        read += len(batch)
        on_progress(read)
    if not read:
        raise InvalidFile(f"{source.path} holds no transactions")
    return joined(parts)
