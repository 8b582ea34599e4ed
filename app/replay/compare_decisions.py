"""Compares published decisions with replayed ones, many at a time: equal to the bit, or counted by what differs."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.outcomes.outcome import Outcome
from app.features.fold import Doubles
from app.replay.published_decisions import PublishedDecision
from app.replay.verdict import UNBOUNDED
from app.scoring import policy
from app.scoring.model import Model
from app.scoring.verdicts import outcome_again

MOST_EXAMPLES = 10
"""Examples kept per kind of difference."""


class Kind(StrEnum):
    """Result of comparing one decision; the first that applies."""

    EQUAL = "equal"
    MISSING = "missing"
    """The log gives a decision, but none was published."""
    UNEXPECTED = "unexpected"
    """A decision was published for a record that gives none."""
    OTHER_CATALOG = "other_catalog"
    """Decided by a release with another feature catalog: not comparable."""
    OLDER_THAN_LOG = "older_than_log"
    """The features that differ may depend on records that were not read."""
    FEATURES = "features"
    OUTCOME = "outcome"
    """Score and outcome differ; the features are equal."""
    SCORE = "score"
    """The score differs; features and outcome are equal."""


NO_DIFFERENCE = {Kind.EQUAL, Kind.OLDER_THAN_LOG, Kind.OTHER_CATALOG}


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that differs."""

    kind: Kind
    offset: int
    partition: int
    transaction_id: str
    recorded: dict[str, Any]
    replayed: dict[str, Any]


class ReplayCounts(msgspec.Struct, kw_only=True):
    """Counts and examples of a replay so far."""

    kinds: Counter[Kind] = msgspec.field(default_factory=Counter)
    features: Counter[str] = msgspec.field(default_factory=Counter)
    """Number of decisions in which a feature differs, by feature name."""
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    """Number of compared decisions by ``recorded>replayed`` outcome."""
    examples: list[Example] = []

    @property
    def differs(self) -> bool:
        return any(count for kind, count in self.kinds.items() if kind not in NO_DIFFERENCE)

    def add(self, example: Example) -> None:
        """Count the example and keep the first ``MOST_EXAMPLES`` of its kind."""
        self.kinds[example.kind] += 1
        if self.kinds[example.kind] <= MOST_EXAMPLES:
            self.examples.append(example)


class ReplayedRows(NamedTuple):
    """Replayed transactions of one partition as columns, with the published decision of each."""

    partition: int
    offsets: list[int]
    decided: Sequence[PublishedDecision]
    rows: Doubles
    """Features of the customer, shape (transactions, features)."""
    windows_read: NDArray[np.bool_]
    """True where every record in the windows of the transaction was read."""
    reads_all: bool
    """True when reading began at offset 0, before any record was deleted."""


def compare(replayed: ReplayedRows, names: Sequence[str], model: Model, counts: ReplayCounts) -> None:
    """Score the rows, compare each published decision with the result, and add it to ``counts``."""
    recorded, rows = np.array([decided.features for decided in replayed.decided], np.float64), replayed.rows
    width = rows.shape[1]
    # Features of other entities come from other topics, which a replay does not read: the published values are used.
    complete = np.ascontiguousarray(np.hstack([rows, recorded[:, width:]]))
    same = (recorded[:, :width] == rows) | (np.isnan(recorded[:, :width]) & np.isnan(rows))
    older = ~same & _unread_history(replayed, names)
    scores: list[float] = model.score(complete).tolist()
    same_features, explained = same.all(axis=1), (same | older).all(axis=1)
    outcomes = [
        policy.outcome(score, model.thresholds) if decided.policy is None else outcome_again(score, decided)
        for score, decided in zip(scores, replayed.decided, strict=True)
    ]
    for row, decided in enumerate(replayed.decided):
        score, outcome = scores[row], outcomes[row]
        counts.outcomes[f"{decided.outcome}>{outcome}"] += 1
        if same_features[row] and score == decided.score and outcome == decided.outcome:
            counts.kinds[Kind.EQUAL] += 1
            continue
        counts.features.update(np.array(names[:width])[~same[row]].tolist())
        counts.add(
            _example(
                replayed,
                row,
                _kind(decided, outcome, same_features[row], explained[row]),
                score,
                outcome,
                names,
            )
        )


def _unread_history(replayed: ReplayedRows, features: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the features, by row, that may depend on records that were not read."""
    if replayed.reads_all:
        return np.zeros(replayed.rows.shape, np.bool_)
    names = features[: replayed.rows.shape[1]]
    unbounded = np.isin(names, UNBOUNDED) & np.isnan(replayed.rows)
    of_the_customer = np.array([name.startswith("customer_") for name in names])
    return unbounded | (of_the_customer & ~replayed.windows_read[:, None])


def _kind(decided: PublishedDecision, outcome: Outcome, same_features: bool, explained: bool) -> Kind:
    if not same_features:
        return Kind.OLDER_THAN_LOG if explained else Kind.FEATURES
    return Kind.SCORE if outcome == decided.outcome else Kind.OUTCOME


def _example(  # one column each
    replayed: ReplayedRows, row: int, kind: Kind, score: float, outcome: Outcome, names: Sequence[str]
) -> Example:
    decided = replayed.decided[row]
    values = [None if value != value else value for value in replayed.rows[row].tolist()]  # noqa: PLR0124  # NaN
    differing = [
        (name, before, now)
        for name, before, now in zip(
            names, decided.features, values, strict=False
        )  # ``values`` holds the customer's features only, the first ones
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
