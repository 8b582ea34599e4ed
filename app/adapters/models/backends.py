"""Chooses the code that scores a model: scikit-learn's own, or compiled code where that is faster and equal.

The choice is made by measurement when a model is loaded, for each of the batch sizes in BATCHES. Before that both are
compared on the golden rows and on rows interpolated around the thresholds, where the smallest difference would change an
outcome. Compiled code that differs anywhere is not used.
"""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from app.adapters.models.golden import TOLERANCE
from app.adapters.models.scorers import ScoreRows, Scorers
from app.domain.decision import Thresholds
from app.errors import ModelRejected
from app.scoring.model import Rows, Scores

BackendName = Literal["sklearn", "compiled"]
BackendChoice = Literal["auto", "sklearn", "compiled"]
BATCHES = (1, 32, 500)
"""Rows per chunk of an idle worker, of a busy one, and of one that is behind."""
_STEPS = 33
"""Rows interpolated between two golden rows, and then between the two neighbours on both sides of the threshold."""
_TURNS = 3


class Backend(NamedTuple):
    """The code chosen for a model."""

    by_batch: dict[int, BackendName]
    """The back-end for chunks of up to this many rows; the last one also scores larger chunks."""
    micros: dict[BackendName, dict[int, float]]
    """Measured microseconds per call, by back-end and number of rows. Empty where there was no choice."""
    score: ScoreRows
    warning: str = ""


def choose(
    wanted: BackendChoice,
    scorers: Scorers,
    rows: Rows,
    thresholds: Thresholds,
    measure: Callable[[ScoreRows, Rows], float] | None = None,
) -> Backend:
    """The back-end for a model whose golden rows are ``rows``, shape (rows, features).

    ``measure`` returns microseconds of one call. Raises ModelRejected where ``wanted`` is impossible.
    """
    if scorers.compiled is None:
        if wanted == "compiled":
            raise ModelRejected(
                "FRAUDSTREAM_MODEL_BACKEND=compiled, but a model of this kind is scored by sklearn only. Set it to auto."
            )
        return Backend(_only("sklearn"), {}, scorers.own)
    if wanted == "sklearn":
        return Backend(_only("sklearn"), {}, scorers.own)
    if not same(scorers.own, scorers.compiled, rows, thresholds):
        if wanted == "compiled":
            raise ModelRejected(
                "the compiled back-end scores this model differently. Set FRAUDSTREAM_MODEL_BACKEND=auto."
            )
        warning = "the compiled back-end scores this model differently and is not used"
        return Backend(_only("sklearn"), {}, scorers.own, warning)
    if wanted == "compiled":
        return Backend(_only("compiled"), {}, scorers.compiled)
    return _fastest(scorers.own, scorers.compiled, rows, measure or _micros)


def same(own: ScoreRows, compiled: ScoreRows, rows: Rows, thresholds: Thresholds) -> bool:
    """Whether both give equal scores (within TOLERANCE) and equal outcomes, also around the thresholds."""
    # Golden rows rarely score close to a threshold, where a difference in the last bit changes the outcome.
    compared = compared_rows(own, rows, thresholds)
    return same_scores(own(compared), compiled(compared), thresholds)


def compared_rows(own: ScoreRows, rows: Rows, thresholds: Thresholds) -> Rows:
    """The golden rows and the rows interpolated around the thresholds."""
    return np.concatenate([rows, *(around(own, rows, at) for at in (thresholds.review, thresholds.decline))])


def same_scores(expected: Scores, found: Scores, thresholds: Thresholds) -> bool:
    """Whether the scores are equal within TOLERANCE and lead to equal outcomes."""
    # Not any(... > TOLERANCE): a comparison with NaN is false, and NaN must count as different.
    if not np.all(np.abs(expected - found) <= TOLERANCE):
        return False
    return not any(
        np.any((expected >= at) != (found >= at)) for at in (thresholds.review, thresholds.decline)
    )


def around(own: ScoreRows, rows: Rows, threshold: float) -> Rows:
    """Rows interpolated around a threshold, between golden rows on both sides; none where all are on one side."""
    scores = own(rows)
    below, above = np.flatnonzero(scores < threshold), np.flatnonzero(scores >= threshold)
    if not len(below) or not len(above):
        return rows[:0]
    low, high = rows[below[np.argmax(scores[below])]], rows[above[np.argmin(scores[above])]]
    # The two golden rows whose scores enclose the threshold most closely. The score between them need not be monotonic; the
    # first crossing is enough.
    coarse = _between(low, high)
    crossing = max(int(np.argmax(own(coarse) >= threshold)), 1)
    return np.concatenate([coarse, _between(coarse[crossing - 1], coarse[crossing])])


def _between(low: Rows, high: Rows) -> Rows:
    """Rows in equal steps from ``low`` to ``high``; where one of the two is NaN the other's value is used."""
    low, high = np.where(np.isnan(low), high, low), np.where(np.isnan(high), low, high)
    return low + np.linspace(0, 1, _STEPS)[:, None] * (high - low)


def _fastest(
    own: ScoreRows, compiled: ScoreRows, rows: Rows, measure: Callable[[ScoreRows, Rows], float]
) -> Backend:
    scorers: dict[BackendName, ScoreRows] = {"sklearn": own, "compiled": compiled}
    batches = {size: np.resize(rows, (size, rows.shape[1])) for size in BATCHES}
    micros: dict[BackendName, dict[int, float]] = {
        name: {size: measure(score, batch) for size, batch in batches.items()}
        for name, score in scorers.items()
    }
    by_batch: dict[int, BackendName] = {
        size: "compiled" if micros["compiled"][size] <= micros["sklearn"][size] else "sklearn"
        for size in BATCHES
    }
    # Equal times favour compiled code, which starts no threads.
    return Backend(by_batch, micros, _by_size(by_batch, scorers))


def _by_size(by_batch: dict[int, BackendName], scorers: dict[BackendName, ScoreRows]) -> ScoreRows:
    if len(names := set(by_batch.values())) == 1:
        return scorers[names.pop()]  # without the choice per call
    largest = scorers[by_batch[BATCHES[-1]]]

    def score(rows: Rows) -> Scores:
        fitting = next((scorers[by_batch[size]] for size in BATCHES if len(rows) <= size), largest)
        return fitting(rows)

    return score


def _only(name: BackendName) -> dict[int, BackendName]:
    return dict.fromkeys(BATCHES, name)


def _micros(score: ScoreRows, batch: Rows) -> float:
    """Microseconds of one call, the fastest of a few: other load on the machine only makes a call slower."""
    taken = []
    for _ in range(_TURNS):
        begin = time.perf_counter()
        score(batch)
        taken.append(time.perf_counter() - begin)
    return round(min(taken) * 1e6, 1)
