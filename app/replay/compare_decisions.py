"""Decisions held against what comes out now, many at a time: equal to the bit, or counted by what differs."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.decision import Outcome
from app.features.catalog import NAMES
from app.features.fold import Doubles
from app.replay.published_decisions import PublishedDecision
from app.replay.verdict import UNBOUNDED
from app.scoring import policy
from app.scoring.model import Model

MOST_EXAMPLES = 10
"""Of each kind."""


class Kind(StrEnum):
    """What a comparison came to; the first that holds."""

    EQUAL = "equal"
    MISSING = "missing"
    """The log gives a decision, and none was published."""
    UNEXPECTED = "unexpected"
    """A decision was published of a record that gives none."""
    OTHER_CATALOG = "other_catalog"
    """PublishedDecision by a release with other features: nothing to compare."""
    OLDER_THAN_LOG = "older_than_log"
    """The features that differ may rest on records that were not read."""
    FEATURES = "features"
    OUTCOME = "outcome"
    """And the score."""
    SCORE = "score"
    """The outcome is the same."""


NO_DIFFERENCE = {Kind.EQUAL, Kind.OLDER_THAN_LOG, Kind.OTHER_CATALOG}


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that is not equal."""

    kind: Kind
    offset: int
    partition: int
    transaction_id: str
    recorded: dict[str, Any]
    replayed: dict[str, Any]


class ReplayCounts(msgspec.Struct, kw_only=True):
    """Of a replay so far."""

    kinds: Counter[Kind] = msgspec.field(default_factory=Counter)
    features: Counter[str] = msgspec.field(default_factory=Counter)
    """By name, in how many decisions each differs."""
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    """``recorded>replayed``, of all that were compared."""
    examples: list[Example] = []

    @property
    def differs(self) -> bool:
        return any(count for kind, count in self.kinds.items() if kind not in NO_DIFFERENCE)

    def add(self, example: Example) -> None:
        """Count it, and keep it while there are few of its kind."""
        self.kinds[example.kind] += 1
        if self.kinds[example.kind] <= MOST_EXAMPLES:
            self.examples.append(example)


class ReplayedRows(NamedTuple):
    """Transactions of one partition that the log decides, as columns, with what was decided of each."""

    partition: int
    offsets: list[int]
    decided: Sequence[PublishedDecision]
    rows: Doubles
    reads_whole: NDArray[np.bool_]
    """Whether all that the windows of each reach back to was read."""
    reads_all: bool
    """Whether reading began with the log's first record ever."""


def compare(replayed: ReplayedRows, model: Model, counts: ReplayCounts) -> None:
    """Score the rows and hold each decision against them."""
    recorded, rows = np.array([decided.features for decided in replayed.decided], np.float64), replayed.rows
    width = rows.shape[1]  # what other entities had done is taken as it was published
    whole = np.ascontiguousarray(np.hstack([rows, recorded[:, width:]]))
    same = (recorded[:, :width] == rows) | (np.isnan(recorded[:, :width]) & np.isnan(rows))
    older = ~same & _may_be_older(replayed)
    scores: list[float] = model.score(whole).tolist()
    same_features, explained = same.all(axis=1), (same | older).all(axis=1)
    outcomes = [policy.outcome(score, model.thresholds) for score in scores]
    for row, decided in enumerate(replayed.decided):
        score, outcome = scores[row], outcomes[row]
        counts.outcomes[f"{decided.outcome}>{outcome}"] += 1
        if same_features[row] and score == decided.score and outcome == decided.outcome:
            counts.kinds[Kind.EQUAL] += 1
            continue
        counts.features.update(np.array(NAMES[:width])[~same[row]].tolist())
        counts.add(
            _example(
                replayed, row, _kind(decided, outcome, same_features[row], explained[row]), score, outcome
            )
        )


def _may_be_older(replayed: ReplayedRows) -> NDArray[np.bool_]:
    if replayed.reads_all:
        return np.zeros(replayed.rows.shape, np.bool_)
    names = NAMES[: replayed.rows.shape[1]]
    unbounded = np.isin(names, UNBOUNDED) & np.isnan(replayed.rows)
    of_the_customer = np.array([name.startswith("customer_") for name in names])
    return unbounded | (of_the_customer & ~replayed.reads_whole[:, None])


def _kind(decided: PublishedDecision, outcome: Outcome, same_features: bool, explained: bool) -> Kind:
    if not same_features:
        return Kind.OLDER_THAN_LOG if explained else Kind.FEATURES
    return Kind.SCORE if outcome == decided.outcome else Kind.OUTCOME


def _example(replayed: ReplayedRows, row: int, kind: Kind, score: float, outcome: Outcome) -> Example:
    decided = replayed.decided[row]
    values = [None if value != value else value for value in replayed.rows[row].tolist()]  # noqa: PLR0124  # NaN
    differing = [
        (name, before, now)
        for name, before, now in zip(
            NAMES, decided.features, values, strict=False
        )  # the last may be other entities'
        if before != now
    ]
    return Example(
        kind=kind,
        partition=replayed.partition,
        offset=replayed.offsets[row],
        transaction_id=decided.transaction_id,
        recorded={"score": decided.score, "outcome": decided.outcome}
        | {n: before for n, before, _ in differing},
        replayed={"score": score, "outcome": outcome} | {n: now for n, _, now in differing},
    )
