"""How the figures of a cluster have changed over the last polls."""

from collections import deque
from typing import NamedTuple

from app.adapters.kafka.cluster_state import ClusterState, GroupState

POLLS = 8
"""Polls that are remembered: two minutes by default. Each is one column of a picture."""
_BARS = "▁▂▃▄▅▆▇█"
_STEADY_SHARE = 0.1
_Commits = dict[tuple[str, int], int]


class GroupTrend(NamedTuple):
    """A consumer group over the last polls."""

    rate: float | None
    """Records a second that were committed; None after a single poll."""
    lags: list[int]
    """Records of lag, the oldest first."""

    @property
    def picture(self) -> str:
        """The lags as bars, and whether they grow.

        >>> GroupTrend(None, [0, 50, 100]).picture, GroupTrend(None, [100, 95]).picture, GroupTrend(None, [0, 0]).picture
        ('▁▅█ ↑', '██ →', '▁▁ →')
        """
        if len(self.lags) < 2:
            return ""
        highest = max(*self.lags, 1)
        bars = "".join(_BARS[round(lag / highest * (len(_BARS) - 1))] for lag in self.lags)
        change = self.lags[-1] - self.lags[0]
        return f"{bars} {'→' if abs(change) <= _STEADY_SHARE * highest else '↑' if change > 0 else '↓'}"


class Trends:
    """Remembers the last polls. A poll that failed is left out."""

    def __init__(self) -> None:
        self._states: deque[ClusterState] = deque(maxlen=POLLS)

    def add(self, state: ClusterState | None) -> None:
        if state is not None:
            self._states.append(state)

    def of_group(self, name: str) -> GroupTrend:
        found = [(state, group) for state in self._states for group in state.groups if group.name == name]
        if len(found) < 2:
            return GroupTrend(None, [])
        (first, before), (last, now) = found[0], found[-1]
        seconds = (last.seen_at_ms - first.seen_at_ms) / 1000
        rate = _progress(before, now) / seconds if seconds > 0 else None
        return GroupTrend(rate, [group.lag_records for _, group in found])

    def log_bytes_per_hour(self) -> float | None:
        """Return the growth of all logs; None after a single poll."""
        if len(self._states) < 2:
            return None
        first, last = self._states[0], self._states[-1]
        hours = (last.seen_at_ms - first.seen_at_ms) / 3_600_000
        return (log_bytes(last) - log_bytes(first)) / hours if hours > 0 else None


def log_bytes(state: ClusterState) -> int:
    """Return the bytes of all logs of all brokers."""
    return sum(directory.log_bytes for broker in state.brokers for directory in broker.log_dirs)


def _progress(before: GroupState, now: GroupState) -> int:
    """Records committed in partitions that both polls know. A group that is set back counts as none."""
    known = _commits(before)
    return max(0, sum(offset - known[key] for key, offset in _commits(now).items() if key in known))


def _commits(group: GroupState) -> _Commits:
    return {(lag.topic, lag.partition): lag.committed for lag in group.partitions}
