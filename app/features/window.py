"""Exact sliding windows over a log of events in order of event time.

A window of width w at time t is ``(t - w, t]``. The log keeps the time, the amount and two digests of each event that a
window can still need. Each window keeps the index of its first event and integer running sums, so that the sums equal
a recount exactly.

::

    log      a  b  c  d  e  f  g          time ->
                ^     ^        ^
                |     |        newest event
                |     start of the 1h window: sums cover d..g
                start of the 30d window:      sums cover b..g

An event in order costs O(1) amortised per window, since a start only moves forward. An event out of order is inserted
by its time, and its own windows are counted from the log, O(events in the window). Memory is bounded by ``max_events``
per log.

A profile here is a record with the ``starts``, ``totals`` and ``squares`` of the windows (state.py). Digests have 64
bits: a comparison takes two different texts for the same with probability 2**-64.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled
from app.features.exact import add, square, subtract

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WIDTHS_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
"""Widths of the windows of every log, ascending."""
WINDOWS = len(WIDTHS_MS)
LONGEST_MS = WIDTHS_MS[-1]
NEVER_MS = -(2**63)
"""A time before all others."""
MOST_EVENTS = 8192
"""The largest allowed ``max_events``: up to it, count times sum of squares stays below 2**127."""

_WIDTHS = np.array(WIDTHS_MS)
_LONGEST = WINDOWS - 1

Column = NDArray[np.int64]


class Bounds(NamedTuple):
    """Limits of a log."""

    allowed_lateness_ms: int
    """The windows of an event up to this much older than the newest are complete."""
    max_events: int

    @property
    def retention_ms(self) -> int:
        """Age up to which an event can be part of a window, also of a window of a late event."""
        return LONGEST_MS + self.allowed_lateness_ms


class Log(NamedTuple):
    """Buffers for one customer's events in order of time, as columns; ``span`` holds the first index and the end."""

    times: Column
    amounts: Column
    terminals: Column
    ids: Column
    span: Column


class Event(NamedTuple):
    """The data that the log keeps of one transaction."""

    time_ms: int
    amount: int
    terminal: int
    id: int


VIEW = np.dtype(
    [
        ("counts", "<i8", (WINDOWS,)),
        ("totals", "<i8", (WINDOWS,)),
        ("squares_high", "<u8", (WINDOWS,)),
        ("squares_low", "<u8", (WINDOWS,)),
        ("previous_ms", "<i8"),  # time of the previous event, NEVER_MS for the first
        ("same_terminal", "<i8"),  # events at this terminal in the longest window
        ("late", "u1"),  # after the allowed lateness: events of its windows may have been evicted
    ]
)
"""The windows of one event as of its own time, the event included."""


def empty_log(events: int) -> Log:
    """Allocate an empty log for this many events."""
    times, amounts, terminals, ids = np.empty((4, events), np.int64)
    return Log(times, amounts, terminals, ids, np.zeros(2, np.int64))


@compiled
def holds(log: Log, event_id: int) -> bool:
    """Whether the log holds an event with this id."""
    return _count(log.ids[log.span[0] : log.span[1]], event_id) > 0


@compiled
def observe(profile: Any, log: Log, bounds: Bounds, event: Event, view: Any) -> None:
    """Add an event, and write its windows as of its own time to ``view``."""
    first, end = log.span[0], log.span[1]
    newest_ms = log.times[end - 1] if end > first else NEVER_MS
    if event.time_ms < newest_ms:
        _observe_late(profile, log, bounds, event, view)
        return
    view.late, view.previous_ms = False, newest_ms
    _insert(log, event)
    _evict_excess(profile, log, bounds.max_events)
    _advance(profile, log, view)
    _evict_expired(log, event.time_ms - LONGEST_MS - bounds.allowed_lateness_ms)
    view.same_terminal = _count(log.terminals[profile.starts[_LONGEST] : log.span[1]], event.terminal)


@compiled
def _observe_late(profile: Any, log: Log, bounds: Bounds, event: Event, view: Any) -> None:
    """Add an event that is older than the newest. One that no later event can need is counted but not kept."""
    age_ms = log.times[log.span[1] - 1] - event.time_ms
    _count_late(log, event, view)
    view.late = age_ms > bounds.allowed_lateness_ms
    if age_ms < LONGEST_MS + bounds.allowed_lateness_ms:
        _insert(log, event)
        _update_windows(profile, age_ms, event.amount)
        _evict_excess(profile, log, bounds.max_events)


@compiled
def _advance(profile: Any, log: Log, view: Any) -> None:
    """Move the end of every window to the event that was just appended."""
    last = log.span[1] - 1
    time_ms, amount = log.times[last], log.amounts[last]
    for w in range(WINDOWS):
        _add(profile, w, amount)
        start = np.int64(profile.starts[w])
        while log.times[start] <= time_ms - _WIDTHS[w]:
            _remove(profile, w, log.amounts[start])
            start += 1
        profile.starts[w] = start
        view.counts[w] = last + 1 - start
        view.totals[w] = profile.totals[w]
        view.squares_high[w], view.squares_low[w] = profile.squares_high[w], profile.squares_low[w]


@compiled
def _count_late(log: Log, event: Event, view: Any) -> None:
    """Count the windows of an event out of order from the log, since the running sums are those of the newest event."""
    index = _insertion_index(log, event.time_ms)
    view.previous_ms = log.times[index - 1] if index > log.span[0] else NEVER_MS
    for w in range(WINDOWS):
        start, total = _insertion_index(log, event.time_ms - _WIDTHS[w]), event.amount
        high, low = square(event.amount)
        for i in range(start, index):
            total += log.amounts[i]
            more_high, more_low = square(log.amounts[i])
            high, low = add(high, low, more_high, more_low)
        view.counts[w], view.totals[w] = index - start + 1, total
        view.squares_high[w], view.squares_low[w] = high, low
    first = index + 1 - view.counts[_LONGEST]
    view.same_terminal = 1 + _count(log.terminals[first:index], event.terminal)


@compiled
def _insertion_index(log: Log, time_ms: int) -> int:
    """Return the index at which to insert an event of this time: behind all that are not later."""
    low, high = int(log.span[0]), int(log.span[1])
    while low < high:
        middle = (low + high) // 2
        if time_ms < log.times[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def _insert(log: Log, event: Event) -> None:
    """Insert an event by its time; the log must have space for it."""
    index, end = _insertion_index(log, event.time_ms), log.span[1]
    for i in range(end, index, -1):
        log.times[i], log.amounts[i] = log.times[i - 1], log.amounts[i - 1]
        log.terminals[i], log.ids[i] = log.terminals[i - 1], log.ids[i - 1]
    log.times[index], log.amounts[index] = event.time_ms, event.amount
    log.terminals[index], log.ids[index] = event.terminal, event.id
    log.span[1] = end + 1


@compiled
def _update_windows(profile: Any, age_ms: int, amount: int) -> None:
    """Update the windows for an event inserted ``age_ms`` before the newest: it is in a window, or before its start."""
    for w in range(WINDOWS):
        if age_ms < _WIDTHS[w]:
            _add(profile, w, amount)
        else:
            profile.starts[w] += 1


@compiled
def _evict_expired(log: Log, horizon_ms: int) -> None:
    """Evict the events up to a time; the newest event, which is later, ends the loop."""
    first = log.span[0]
    while log.times[first] <= horizon_ms:
        first += 1
    log.span[0] = first


@compiled
def _evict_excess(profile: Any, log: Log, max_events: int) -> None:
    """Evict the oldest events beyond the cap, also from the windows that still contain them."""
    while log.span[1] - log.span[0] > max_events:
        oldest = log.span[0]
        log.span[0] = oldest + 1
        profile.evicted_ms = max(profile.evicted_ms, log.times[oldest])
        for w in range(WINDOWS):
            if profile.starts[w] == oldest:
                profile.starts[w] += 1
                _remove(profile, w, log.amounts[oldest])


@compiled
def _add(profile: Any, window: int, amount: int) -> None:
    high, low = square(amount)
    profile.totals[window] += amount
    profile.squares_high[window], profile.squares_low[window] = add(
        profile.squares_high[window], profile.squares_low[window], high, low
    )


@compiled
def _remove(profile: Any, window: int, amount: int) -> None:
    high, low = square(amount)
    profile.totals[window] -= amount
    profile.squares_high[window], profile.squares_low[window] = subtract(
        profile.squares_high[window], profile.squares_low[window], high, low
    )


@compiled
def _count(column: Column, wanted: int) -> int:
    found = 0
    for value in column:
        found += value == wanted
    return found
