"""The expected activities, recounted from the logs by code that the service does not share."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DELAY_MS = 7 * DAY_MS
WIDTHS_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)


class Known(NamedTuple):
    """One label."""

    transaction: str
    event_time: int
    is_fraud: bool
    reported_at: int
    arrived: int


class Entity:
    """All transactions and labels of one terminal or customer."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.labels: list[Known] = []

    def hours(self) -> dict[int, int]:
        """The number of transactions by the hour in which they end, for the hours that are kept."""
        counts = Counter(-(-time // HOUR_MS) for time in self.times)
        newest = max(counts, default=0)
        return {hour: count for hour, count in counts.items() if hour > newest - 44 * 24}

    def known(self, time_ms: int) -> list[tuple[int, int]]:
        """Count and frauds of each window, as a transaction at ``time_ms`` sees them."""
        end = (time_ms - DELAY_MS) // HOUR_MS * HOUR_MS
        cut = time_ms // HOUR_MS * HOUR_MS
        last: dict[str, Known] = {}
        for label in sorted(self.labels, key=lambda label: (label.reported_at, label.arrived)):
            if label.reported_at <= cut:
                last[label.transaction] = label
        found = []
        for width in WIDTHS_MS:
            count = sum(end - width < time <= end for time in self.times)
            frauds = sum(label.is_fraud and end - width < label.event_time <= end for label in last.values())
            found.append((count, min(count, frauds)))
        return found

    def features(self, time_ms: int) -> tuple[list[float], float]:
        """Of a terminal: counts and risks; of a customer: frauds of 30 days."""
        known = self.known(time_ms)
        counts = [float(count) for count, _ in known]
        risks = [frauds / count if count else 0.0 for count, frauds in known]
        return counts + risks, float(known[-1][1])


def entities(transactions: Iterable[Any], labels: Iterable[Any]) -> dict[str, Entity]:
    """By ``terminal:ID`` and ``customer:ID``, from the records of both topics. A transaction counts once."""
    found: dict[str, Entity] = defaultdict(Entity)
    seen: set[str] = set()
    for record in transactions:
        fields = json.loads(record.value)
        if fields["transaction_id"] in seen:
            continue
        seen.add(fields["transaction_id"])
        for kind in ("terminal", "customer"):
            found[f"{kind}:{fields[f'{kind}_id']}"].times.append(fields["event_time"])
    for arrived, record in enumerate(labels):
        fields = json.loads(record.value)
        label = Known(
            fields["transaction_id"], fields["event_time"], fields["is_fraud"], fields["reported_at"], arrived
        )
        for kind in ("terminal", "customer"):
            found[f"{kind}:{fields[f'{kind}_id']}"].labels.append(label)
    return dict(found)
