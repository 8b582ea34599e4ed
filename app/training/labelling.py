"""The labels of transactions as known at a given time, from a file of labels with late reports and reversals."""

from pathlib import Path

import numpy as np

from app.history.fold_history import HistorySource
from app.history.labels import read_labels
from app.training.scored_dataset import Flags, Integers

ALWAYS_MS = np.iinfo(np.int64).max


class Labelling:
    """The labels of a file, in memory. The last reported label of a transaction counts."""

    def __init__(self, path: Path, source: HistorySource) -> None:
        labels = read_labels(path, source.acceptance, source.now_ms)
        # A stable sort: of two labels reported at the same time, the later in the file stays the last.
        order = np.lexsort((labels.reported_ms, labels.transaction))
        self._transactions = labels.transaction[order]
        self._reported_ms, self._frauds = labels.reported_ms[order], labels.is_fraud[order]

    def frauds(self, transactions: Integers, known_at_ms: int = ALWAYS_MS) -> Flags:
        """Return for each digest whether it was known as fraud; a transaction without a label counts as legitimate."""
        known = self._reported_ms <= known_at_ms
        reported, frauds = self._transactions[known], self._frauds[known]
        indexes = np.searchsorted(reported, transactions, side="right") - 1
        found = np.zeros(len(transactions), dtype=np.bool_)
        some = indexes >= 0
        some[some] = reported[indexes[some]] == transactions[some]
        found[some] = frauds[indexes[some]]
        return found
