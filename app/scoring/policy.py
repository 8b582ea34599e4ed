"""Turns a score into an outcome."""

from app.domain.decision import Thresholds
from app.domain.outcomes.outcome import Outcome


def outcome(score: float, thresholds: Thresholds) -> Outcome:
    """Return the outcome of a score. Monotone; a score equal to a threshold has the more severe outcome."""
    if score >= thresholds.decline:
        return Outcome.DECLINE
    return Outcome.REVIEW if score >= thresholds.review else Outcome.APPROVE
