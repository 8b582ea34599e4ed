"""What a decision says about the policy that made it: which one, the rules that fired, and what settled the outcome."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.bounded import Digest, ModelName
from app.domain.outcomes.outcome import Outcome

RuleId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z][a-z0-9_-]*$")]
Propensity = Annotated[float, Meta(gt=0, le=1, description="Probability with which it was released.")]


class Effect(StrEnum):
    """What a rule does when it fires, in order of precedence: block > approve > decline > review > score bands."""

    BLOCK = "block"
    """Declines and overrides every other effect; a holdout never releases it."""
    APPROVE = "approve"
    DECLINE = "decline"
    REVIEW = "review"


class RuleMode(StrEnum):
    """Whether a rule takes part in decisions. A rule that is off is not evaluated."""

    OFF = "off"
    SHADOW = "shadow"
    """Evaluated and recorded, without effect."""
    LIVE = "live"


class OutcomeBy(StrEnum):
    """What settled the outcome of a transaction."""

    BAND = "band"
    """The score bands of the policy; without a policy, the thresholds of the model."""
    RULE = "rule"
    DEADLINE = "deadline"
    """The transaction's ``decide_by`` had passed, and the policy says what is answered then."""
    HOLDOUT = "holdout"
    """A decline was released at random."""


class PolicyReference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which policy decided: its name, its version and the sha256 of its manifest."""

    name: ModelName
    version: ModelName
    digest: Digest


class FiredRule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule whose condition held for the transaction."""

    id: RuleId
    effect: Effect
    mode: RuleMode


class Holdout(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decline that was released at random, so that its true label becomes known."""

    propensity: Propensity
    overridden: Outcome
    """The outcome without the holdout."""
