"""What a worker has done and used at one reading and at the next, and from these the cost of an event."""

from collections.abc import Mapping
from typing import NamedTuple


class Counters(NamedTuple):
    """At one moment, all counted from the start."""

    seconds: float
    """On any clock that does not jump."""
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
    """Send and changelog are waits that overlap the computing of other chunks."""


def between(start: Counters, end: Counters) -> EventCost:
    """Something must have been decided between the readings."""
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
