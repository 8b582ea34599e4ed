"""From a score to an outcome."""

from app.domain.decision import Outcome, Thresholds


def outcome(score: float, thresholds: Thresholds) -> Outcome:
    """Monotone in the score: a threshold belongs to the more severe side."""
    if score >= thresholds.decline:
        return Outcome.DECLINE
    return Outcome.REVIEW if score >= thresholds.review else Outcome.APPROVE
