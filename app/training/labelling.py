"""What is known of each transaction at some time, by a file of labels: reversals and late reports included."""

from pathlib import Path

import numpy as np

from app.history.fold_history import HistorySource
from app.history.labels import read_labels
from app.training.judged import Flags, Integers

ALWAYS_MS = np.iinfo(np.int64).max


class Labelling:
    """The labels of a file, in memory. Of several for one transaction the one reported last counts."""

    def __init__(self, path: Path, source: HistorySource) -> None:
        labels = read_labels(path, source.acceptance, source.now_ms)
        # Stable, so that of two reported at one instant the one that came last stays last.
        order = np.lexsort((labels.reported_ms, labels.transaction))
        self._transactions = labels.transaction[order]
        self._reported_ms, self._frauds = labels.reported_ms[order], labels.is_fraud[order]

    def frauds(self, transactions: Integers, known_at_ms: int = ALWAYS_MS) -> Flags:
        """Which of these digests were known to be fraud; what nobody reported is taken for legitimate."""
        known = self._reported_ms <= known_at_ms
        reported, frauds = self._transactions[known], self._frauds[known]
        places = np.searchsorted(reported, transactions, side="right") - 1
        found = np.zeros(len(transactions), dtype=np.bool_)
        some = places >= 0
        some[some] = reported[places[some]] == transactions[some]
        found[some] = frauds[places[some]]
        return found
