"""By which code a model is scored: scikit-learn's own, or machine code where it wins and says the same.

Chosen when a model is loaded, for each of the batch sizes that matter, by measuring. Both are held against each other
on the golden rows and on rows made up around the thresholds, where the least difference would change an outcome; machine
code that differs anywhere is not used.
"""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from app.adapters.models.golden import TOLERANCE
from app.adapters.models.scorers import Judgement, ScoreRows
from app.domain.decision import Thresholds
from app.errors import ModelRejected
from app.scoring.model import Rows, Scores

BackendName = Literal["sklearn", "compiled"]
BackendChoice = Literal["auto", "sklearn", "compiled"]
BATCHES = (1, 32, 500)
"""A quiet worker, a busy one, and one that is behind."""
_STEPS = 33
"""Rows made up between two golden ones; done twice, the second time between the two on both sides of the threshold."""
_TURNS = 3


class Backend(NamedTuple):
    """How a model is scored."""

    by_batch: dict[int, BackendName]
    """What scores up to so many rows; the last one scores more, too."""
    micros: dict[BackendName, dict[int, float]]
    """Measured for each back-end: microseconds a call by its number of rows. Empty where nothing was to choose."""
    score: ScoreRows
    warning: str = ""


def choose(
    wanted: BackendChoice,
    judged: Judgement,
    rows: Rows,
    thresholds: Thresholds,
    measure: Callable[[ScoreRows, Rows], float] | None = None,
) -> Backend:
    """The back-end for a model; ``rows`` are its golden ones. Raises ModelRejected where there is none as wanted."""
    if judged.compiled is None:
        if wanted == "compiled":
            raise ModelRejected(
                "FRAUDSTREAM_MODEL_BACKEND=compiled, but a model of this kind is scored by sklearn only. Set it to auto."
            )
        return Backend(_only("sklearn"), {}, judged.own)
    if wanted == "sklearn":
        return Backend(_only("sklearn"), {}, judged.own)
    if not same(judged.own, judged.compiled, rows, thresholds):
        if wanted == "compiled":
            raise ModelRejected(
                "the compiled back-end scores this model differently. Set FRAUDSTREAM_MODEL_BACKEND=auto."
            )
        warning = "the compiled back-end scores this model differently and is not used"
        return Backend(_only("sklearn"), {}, judged.own, warning)
    if wanted == "compiled":
        return Backend(_only("compiled"), {}, judged.compiled)
    return _fastest(judged.own, judged.compiled, rows, measure or _micros)


def same(own: ScoreRows, compiled: ScoreRows, rows: Rows, thresholds: Thresholds) -> bool:
    """Whether both give the same scores and outcomes, also around the thresholds."""
    compared = compared_rows(own, rows, thresholds)
    return same_scores(own(compared), compiled(compared), thresholds)


def compared_rows(own: ScoreRows, rows: Rows, thresholds: Thresholds) -> Rows:
    """The golden rows, then those made up around the thresholds."""
    return np.concatenate([rows, *(around(own, rows, at) for at in (thresholds.review, thresholds.decline))])


def same_scores(expected: Scores, found: Scores, thresholds: Thresholds) -> bool:
    """Whether the scores and the outcomes they lead to are the same."""
    if not np.all(np.abs(expected - found) <= TOLERANCE):
        return False
    return not any(
        np.any((expected >= at) != (found >= at)) for at in (thresholds.review, thresholds.decline)
    )


def around(own: ScoreRows, rows: Rows, threshold: float) -> Rows:
    """Made-up rows around a threshold, between golden ones on both sides; none where all lie on one side."""
    scores = own(rows)
    below, above = np.flatnonzero(scores < threshold), np.flatnonzero(scores >= threshold)
    if not len(below) or not len(above):
        return rows[:0]
    low, high = rows[below[np.argmax(scores[below])]], rows[above[np.argmin(scores[above])]]
    coarse = _between(low, high)
    crossing = max(int(np.argmax(own(coarse) >= threshold)), 1)
    return np.concatenate([coarse, _between(coarse[crossing - 1], coarse[crossing])])


def _between(low: Rows, high: Rows) -> Rows:
    """In equal steps; a value that one of the two lacks is the other's."""
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
    return Backend(by_batch, micros, _by_size(by_batch, scorers))


def _by_size(by_batch: dict[int, BackendName], scorers: dict[BackendName, ScoreRows]) -> ScoreRows:
    if len(names := set(by_batch.values())) == 1:
        return scorers[names.pop()]
    largest = scorers[by_batch[BATCHES[-1]]]

    def score(rows: Rows) -> Scores:
        fitting = next((scorers[by_batch[size]] for size in BATCHES if len(rows) <= size), largest)
        return fitting(rows)

    return score


def _only(name: BackendName) -> dict[int, BackendName]:
    return dict.fromkeys(BATCHES, name)


def _micros(score: ScoreRows, batch: Rows) -> float:
    """Of one call, the fastest of a few: whatever else the machine does only makes it longer."""
    taken = []
    for _ in range(_TURNS):
        begin = time.perf_counter()
        score(batch)
        taken.append(time.perf_counter() - begin)
    return round(min(taken) * 1e6, 1)
