"""What a policy defines. Every value here is checked: names exist, types fit, bounds hold."""

from collections.abc import Mapping
from datetime import date

import msgspec

from app.domain.decision import Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, RuleMode
from app.expressions.cells import Cell
from app.expressions.names import Kind
from app.expressions.tree import Condition

SCORE = "score"
"""The column with the champion's score, beside the fields and features of the catalog."""
EVENT_TIME = "event_time"
"""The field that decides whether a rule has expired and which entries of lists are valid: a replay gives the same."""


class RuleTest(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction, and whether the rule fires for it. The mode and the expiry of the rule are no part of the test."""

    given: Mapping[str, Cell] = {}
    """Values by column; every other column is missing."""
    lists: Mapping[str, frozenset[str]] = {}
    """Entries by list; every other list is empty."""
    expect: bool


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and its effect."""

    id: str
    when: Condition
    then: Effect
    mode: RuleMode
    reason: str
    """The code that decisions, alerts and reports group by."""
    text: str
    """What the rule means, for analysts."""
    owner: str
    expires: date
    """The last day, UTC, on which the rule fires."""
    expires_ms: int
    """The first event time for which it no longer fires."""
    max_hit_rate: float
    """The share of transactions for which a live rule may fire; beyond it the rule is demoted to shadow (hit_rates)."""
    tests: tuple[RuleTest, ...] = ()


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of the score for the transactions that match."""

    when: Condition | None
    """None: every transaction."""
    thresholds: Thresholds


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered to a transaction whose ``decide_by`` has passed."""

    default: Outcome
    channels: Mapping[str, Outcome] = {}


class Holdout(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the declines by score bands that is released at random."""

    share: float
    most_per_day: int
    most_amount_per_day: int
    """Minor units of the reference currency."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts that analysts can work, and how far the review thresholds may move for it."""

    alerts_per_day: int
    review_minimum: float
    review_maximum: float


class DeclaredList(msgspec.Struct, frozen=True, kw_only=True):
    """A list that conditions may name. Its entries are on the lists' topic."""

    name: str
    kind: Kind
    """Identifier or text: of the columns that are looked up in it."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides about transactions besides the models, in the order of the file."""

    name: str
    version: str
    reference_currency: str
    hit_rate_window: int
    """Transactions of a partition over which the hit rate of a rule is counted."""
    lists: tuple[DeclaredList, ...] = ()
    rules: tuple[Rule, ...] = ()
    bands: tuple[Band, ...] = ()
    """The first that matches decides; without one, the thresholds of the model."""
    deadline: Deadline | None = None
    holdout: Holdout | None = None
    budget: Budget | None = None
