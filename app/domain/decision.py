"""Records about a scored transaction: a decision for each, and an alert for those to review or decline.

The structs contain no reference cycles, so the garbage collector does not track them (``gc=False``), which saves time.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.bounded import Digest, ModelName, Offset
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import FiredRule, Holdout, OutcomeBy, PolicyReference
from app.domain.transaction import Transaction

Score = Annotated[float, Meta(ge=0, le=1, description="Probability of fraud given by the champion.")]


class Degradation(StrEnum):
    """What was missing or cut when a decision was made. Not an error: the decision stands and says so."""

    LATE = "late"
    """The event was older than the allowed lateness, so events of its windows may have been evicted."""
    SATURATED = "saturated"
    """The customer has more events than a profile keeps; the windows contain the newest."""
    ENTITIES_ABSENT = "entities_absent"
    """The states of terminals and other delayed entities could not be read; their features are missing."""


class FeatureState(StrEnum):
    """How far a feature of an entity can be trusted."""

    FRESH = "fresh"
    """The window is complete."""
    WARMING_UP = "warming_up"
    """The entity was first seen within the window."""
    ABSENT = "absent"
    """The value is missing (NaN in the vector); the catalog gives the possible reason."""
    SATURATED = "saturated"
    """Events or labels of the window were evicted by a cap."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Scores from which a transaction is reviewed and declined; ``0 <= review <= decline``."""

    review: float
    decline: float

    def __post_init__(self) -> None:
        if not 0 <= self.review <= self.decline:
            raise ValueError("thresholds must satisfy 0 <= review <= decline")


class ModelReference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which model scored: its name, its version and the sha256 of its manifest."""

    name: ModelName
    version: ModelName
    digest: Digest


class SourceOffset(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the transaction stands in the log, so that a decision can be replayed."""

    topic: str
    partition: int
    offset: int


class Method(StrEnum):
    """How the reasons of an alert were found; docs/models/reasons.md."""

    TREE_PATHS = "tree_paths"
    """By the change of the expected value at each split on the transaction's path through the trees."""
    LINEAR = "linear"
    """Coefficient times the difference from the usual transaction."""
    RARITY = "rarity"
    """For a model without contributions: the features with the rarest values, which need not be those that the model used."""


class Direction(StrEnum):
    """On which side of what is usual a value is."""

    HIGHER = "higher"
    LOWER = "lower"
    EQUAL = "equal"


class Reason(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One cause of an alert: a feature, compared with legitimate transactions and with the customer's own history."""

    code: str
    """The feature's name."""
    text: str
    value: float | None
    """Null if the feature is missing and its absence is the reason."""
    baseline: float | None
    """Usual for legitimate transactions: what the contribution is measured against."""
    contribution: float | None = None
    """What the feature added to the log-odds of the score, or to the score itself if the model averages trees."""
    direction: Direction | None = None
    """Of the value, seen from the baseline."""
    customer_usual: float | None = None
    """Usual for this customer; null where their history gives none."""


class FeatureValue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One feature of an alert's snapshot; ``value`` is null where the feature is absent."""

    value: float | None
    state: FeatureState


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The audit log's record of one transaction; ``features`` is the vector in the catalog's order.

    ``fired`` holds every rule that fired, also in shadow; ``rules`` the ids of those that were live, in order of precedence.
    ``lists_offset`` is the offset of the newest record of the lists that the rules saw; -1 where there was none.
    """

    decision_id: str
    transaction_id: str
    customer_id: str
    event_time: int
    scored_at: int
    score: Score
    outcome: Outcome
    thresholds: Thresholds
    model: ModelReference
    catalog: str
    features: Sequence[float | None]
    source: SourceOffset
    transaction: Transaction
    degraded: list[Degradation] = []
    rules: list[str] = []
    reasons: list[Reason] = []
    shadow: dict[str, float] = {}
    policy: PolicyReference | None = None
    lists_offset: Offset | None = None
    outcome_by: OutcomeBy = OutcomeBy.BAND
    fired: list[FiredRule] = []
    holdout: Holdout | None = None


class Alert(Decision, frozen=True, kw_only=True, gc=False):
    """A decision to review or decline, with what an analyst needs to judge it."""

    alert_id: str
    explained_by: Method = Method.RARITY
    snapshot: dict[str, FeatureValue]
