"""Whether an alert is what its log and its model make of it, and whether the log still reaches far enough to tell."""

from collections.abc import Iterable
from enum import StrEnum

from app.domain.decision import Alert, FeatureState
from app.features.catalog import DELAYED, FEATURES, Coverage
from app.features.window import NEVER_MS
from app.replay.customer_history import Span
from app.replay.differences import Difference

UNBOUNDED = ("customer_seconds_since_last", "customer_travel_kmh")
"""Features that look back on the one before, however long ago that was."""


class Verdict(StrEnum):
    IDENTICAL = "identical"
    """Everything came out again, bit for bit."""
    LOG_CUT = "log_cut"
    """What retention left of the log does not reach back far enough; nothing contradicts the alert."""
    DIFFERENT = "different"
    """Something came out that deleted history cannot account for."""


def verdict(
    history: Iterable[Difference], judgement: Iterable[Difference], span: Span, needed_since_ms: int
) -> Verdict:
    """``history`` is how the rebuilt features differ, ``judgement`` what the model makes of the published ones;
    ``needed_since_ms`` is how old a record may be that a window still holds.
    """
    if not span.has_transaction:
        deleted = span.offset < span.begins
        return Verdict.LOG_CUT if deleted and not list(judgement) else Verdict.DIFFERENT
    contradictions = [one for one in history if not may_be_older(one, span, needed_since_ms)]
    if contradictions or list(judgement):
        return Verdict.DIFFERENT
    return Verdict.LOG_CUT if list(history) else Verdict.IDENTICAL


def may_be_older(difference: Difference, span: Span, needed_since_ms: int) -> bool:
    """True when records that retention deleted may have made the difference."""
    if not span.is_cut:
        return False
    if difference.field in UNBOUNDED and difference.rebuilt is None:
        return True
    windows_are_whole = span.begins_ms is not None and span.begins_ms <= needed_since_ms
    of_the_customer = difference.field.startswith("customer_") or difference.field == "degraded"
    return of_the_customer and not windows_are_whole


def known_with(alert: Alert, known: Coverage | None) -> Coverage:
    """What is known about the customer, and what the alert's states say of history that is deleted by now.

    A window that was fresh began after the customer was first seen; one that was saturated holds an event that the cap
    pushed out.
    """
    time_ms = alert.event_time
    first_seen_ms, evicted_ms = known or Coverage(time_ms, NEVER_MS)
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
