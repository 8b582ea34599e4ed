"""What is published about a scored transaction: decisions (all of them) and alerts (review and decline).

The structs are trees of values, so the garbage collector need not look at them (``gc=False``).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.transaction import Transaction

Score = Annotated[float, Meta(ge=0, le=1, description="Probability of fraud given by the champion.")]


class Outcome(StrEnum):
    """Ordered by severity: approve < review < decline."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"


class Degradation(StrEnum):
    """What was missing or cut when a decision was made. Not an error: the decision stands and says so."""

    LATE = "late"
    """The event came after the allowed lateness; its windows hold what was still known."""
    SATURATED = "saturated"
    """The customer has more events than a profile keeps; its windows hold the newest."""
    ENTITIES_ABSENT = "entities_absent"
    """What is known of terminals and of past fraud could not be read; those features are missing."""


class FeatureState(StrEnum):
    """How far a feature of an entity can be trusted."""

    FRESH = "fresh"
    WARMING_UP = "warming_up"
    """The entity was first seen within the window."""
    ABSENT = "absent"
    """Missing: the vector holds NaN, the catalog says why that can be."""
    SATURATED = "saturated"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Scores from which a transaction is reviewed and declined; ``0 <= review <= decline``."""

    review: float
    decline: float

    def __post_init__(self) -> None:
        if not 0 <= self.review <= self.decline:
            raise ValueError("thresholds must satisfy 0 <= review <= decline")


class ModelReference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which model scored: its name, its version and the sha256 of its manifest."""

    name: str
    version: str
    digest: str


class SourceOffset(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the transaction stands in the log, so that a decision can be replayed."""

    topic: str
    partition: int
    offset: int


class Method(StrEnum):
    """How the reasons of an alert were found; docs/models/reasons.md."""

    TREE_PATHS = "tree_paths"
    """By what each split changed on the transaction's way through the model's trees."""
    LINEAR = "linear"
    """Coefficient times distance from the usual transaction."""
    RARITY = "rarity"
    """The model does not come apart: the features whose values are rarest. They need not be what the model looked at."""


class Reason(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One cause of an alert: a feature, with what is usual for the customer or, failing that, for legitimate
    transactions.
    """

    code: str
    """The feature's name."""
    text: str
    value: float | None
    """Null where the feature is absent and its absence counts."""
    baseline: float | None
    contribution: float | None = None
    """What the feature added to the score: to its log-odds, or to the score itself where trees are averaged."""


class FeatureValue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One feature of an alert's snapshot; ``value`` is null where the feature is absent."""

    value: float | None
    state: FeatureState


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The audit log's record of one transaction; ``features`` is the vector in the catalog's order."""

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


class Alert(Decision, frozen=True, kw_only=True, gc=False):
    """A decision to review or decline, with what an analyst needs to judge it."""

    alert_id: str
    explained_by: Method = Method.RARITY
    snapshot: dict[str, FeatureValue]
