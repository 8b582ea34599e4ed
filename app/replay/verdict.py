"""Decides whether an alert was reproduced, and whether deleted records can explain a difference."""

from collections.abc import Iterable
from enum import StrEnum

from app.domain.decision import Alert, FeatureState
from app.features.catalog import DELAYED, FEATURES, Coverage
from app.features.window import NEVER_MS
from app.replay.customer_history import Span
from app.replay.differences import Difference

UNBOUNDED = ("customer_seconds_since_last", "customer_travel_kmh")
"""Features that depend on the previous transaction, however old it is."""


class Verdict(StrEnum):
    """Result of comparing an alert with its recomputation."""

    IDENTICAL = "identical"
    """Everything was reproduced, bit for bit."""
    LOG_CUT = "log_cut"
    """Retention has deleted records that are needed; the remaining ones do not contradict the alert."""
    DIFFERENT = "different"
    """Something differs that deleted records cannot explain."""


def verdict(
    history: Iterable[Difference], scoring: Iterable[Difference], span: Span, needed_since_ms: int
) -> Verdict:
    """Return the verdict.

    ``history`` are the differences of the rebuilt features, ``scoring`` those of the model's result for the published
    features; ``needed_since_ms`` is the oldest record timestamp that a window can still hold.
    """
    if not span.has_transaction:
        deleted = span.offset < span.begins
        return Verdict.LOG_CUT if deleted and not list(scoring) else Verdict.DIFFERENT
    contradictions = [one for one in history if not explained_by_deletion(one, span, needed_since_ms)]
    if contradictions or list(scoring):
        return Verdict.DIFFERENT
    return Verdict.LOG_CUT if list(history) else Verdict.IDENTICAL


def explained_by_deletion(difference: Difference, span: Span, needed_since_ms: int) -> bool:
    """Return whether deleted records may explain the difference."""
    if not span.is_cut:
        return False
    if difference.field in UNBOUNDED and difference.rebuilt is None:
        return True
    windows_are_complete = span.begins_ms is not None and span.begins_ms <= needed_since_ms
    of_the_customer = difference.field.startswith("customer_") or difference.field == "degraded"
    return of_the_customer and not windows_are_complete


def extended_coverage(alert: Alert, coverage: Coverage | None) -> Coverage:
    """Extend what the log gives about the customer by what the alert's feature states imply about deleted records.

    The state FRESH means that the customer was first seen at least a window before; SATURATED means that the cap on events
    has evicted one that the window would hold.
    """
    time_ms = alert.event_time
    first_seen_ms, evicted_ms = coverage or Coverage(time_ms, NEVER_MS)
    fresh, saturated = (_widths(alert, state) for state in (FeatureState.FRESH, FeatureState.SATURATED))
    return Coverage(
        min([first_seen_ms, *(time_ms - width for width in fresh)]),
        max([evicted_ms, *(time_ms - width + 1 for width in saturated)]),
    )


def _widths(alert: Alert, state: FeatureState) -> list[int]:
    return [
        feature.window_ms
        for feature in FEATURES[: DELAYED.start]
        if feature.window_ms
        and feature.name in alert.snapshot
        and alert.snapshot[feature.name].state == state
    ]
