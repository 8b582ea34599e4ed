"""The cost of an event, from two readings of a worker's counters."""

from collections.abc import Mapping
from typing import NamedTuple


class Counters(NamedTuple):
    """The worker's counters at one moment, counted from its start."""

    seconds: float
    """Time of the reading, on a monotonic clock."""
    decisions: int = 0
    cpu_seconds: float = 0.0
    changelog_bytes: int = 0
    rss_peak_bytes: int = 0
    stage_seconds: Mapping[str, float] = {}


class EventCost(NamedTuple):
    """The cost of an event between two readings."""

    events_per_s: float
    cpu_seconds_per_million: float
    changelog_bytes_per_event: float
    rss_peak_bytes: int
    stage_us_per_event: dict[str, float]
    """Send and changelog are waits that overlap the computation of other chunks."""


def between(start: Counters, end: Counters) -> EventCost:
    """Return the cost between two readings. At least one decision must lie between them."""
    events = end.decisions - start.decisions
    return EventCost(
        events / (end.seconds - start.seconds),
        (end.cpu_seconds - start.cpu_seconds) / events * 1e6,
        (end.changelog_bytes - start.changelog_bytes) / events,
        end.rss_peak_bytes,
        {
            stage: (seconds - start.stage_seconds.get(stage, 0.0)) / events * 1e6
            for stage, seconds in end.stage_seconds.items()
        },
    )
