"""What is answered to a transaction."""

from enum import StrEnum


class Outcome(StrEnum):
    """Ordered by severity: approve < review < decline."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"
