"""The one window primitive: exact sliding windows over a log of events in order of event time.

A window of width w at time t is ``(t - w, t]``. The log keeps, for each event still needed, its time, its
amount and two digests; each window keeps a pointer into the log and integer running sums, so that the sums
equal a recount exactly.

::

    log      a  b  c  d  e  f  g          time ->
                ^     ^        ^
                |     |        newest event
                |     start of the 1h window: sums cover d..g
                start of the 30d window:      sums cover b..g

In order, observing costs O(1) amortised per window: a pointer only moves forward. Out of order, the event is
inserted in its place and its own windows are counted from the log, O(events in the window). Memory is
bounded: ``max_events`` a log.

Digests are 8 bytes side by side, searched as text at memory speed (0.6 µs in 200 events, 12 µs in 4,096). A
false match, aligned or not, has probability 2**-61 an event compared.
"""

from array import array
from bisect import bisect_right
from typing import NamedTuple

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WIDTHS_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
"""The windows of every log, ascending."""
LONGEST_MS = WIDTHS_MS[-1]

NARROW, WIDE = "I", "q"
"""Array type codes: 4 bytes unsigned, 8 bytes signed. A column starts narrow and widens when it must."""

DIGEST_BYTES = 8
_COMPACT_AT = 32
NEVER_MS = -(2**63)
"""Stands for a time before all others."""


class Bounds(NamedTuple):
    """What a log keeps."""

    allowed_lateness_ms: int
    """An event this much older than the newest still sees its windows whole."""
    max_events: int

    @property
    def retention_ms(self) -> int:
        """How long an event can be part of a window, its own or a late one's."""
        return LONGEST_MS + self.allowed_lateness_ms


Sums = tuple[int, int, int]
"""A window's count of events, sum of amounts and sum of squared amounts (minor units, exact)."""


class WindowView(NamedTuple):
    """The windows as of one event's own time, the event included."""

    sums: tuple[Sums, ...]
    previous_ms: int | None
    """Time of the event before this one, None for the first."""
    same_terminal: int
    """Events at this terminal in the longest window."""
    late: bool = False
    """The event came after the allowed lateness, so events of its windows may have been forgotten."""


class WindowLog:
    """The events of one customer and their windows. ``head`` is the first event still needed."""

    __slots__ = (
        "amounts", "base_ms", "bounds", "evicted_ms", "head", "ids", "squares", "starts", "terminals", "times", "totals"
    )  # fmt: skip

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.base_ms = 0  # times are kept relative to it
        self.evicted_ms = NEVER_MS  # the newest event that the cap pushed out
        self.head = 0
        self.times = array(NARROW)
        self.amounts = array(NARROW)
        self.terminals = bytearray()
        self.ids = bytearray()
        self.starts = [0] * len(WIDTHS_MS)
        self.totals = [0] * len(WIDTHS_MS)
        self.squares = [0] * len(WIDTHS_MS)

    def __len__(self) -> int:
        return len(self.times) - self.head

    @property
    def newest_ms(self) -> int:
        """Time of the newest event; NEVER_MS for an empty log."""
        return self.base_ms + self.times[-1] if self.times else NEVER_MS

    def holds(self, event_id: bytes) -> bool:
        """True when the event is in the log: it came before, under whatever offset."""
        return self.ids.find(event_id, DIGEST_BYTES * self.head) >= 0

    def observe(self, time_ms: int, amount: int, terminal: bytes, event_id: bytes) -> WindowView:
        """Add an event and return the windows as of its own time."""
        previous_ms = None
        if self.times:
            previous_ms = self.base_ms + self.times[-1]
            if time_ms < previous_ms:
                return self._observe_late(time_ms, amount, terminal, event_id)
        else:
            self.base_ms = time_ms
        self._insert(len(self.times), time_ms, amount, terminal, event_id)
        self._drop_excess()
        sums = self._advance(time_ms - self.base_ms, amount)
        self._drop_expired(time_ms)
        return WindowView(sums, previous_ms, self._at_terminal(terminal, self.starts[-1], len(self.times)))

    def _advance(self, time: int, amount: int) -> tuple[Sums, ...]:
        """Move every window's end to the event just appended; ``time`` is relative to the base."""
        times, amounts, starts, totals, squares = (
            self.times,
            self.amounts,
            self.starts,
            self.totals,
            self.squares,
        )
        square, end, view = amount * amount, len(times), []
        for i, width in enumerate(WIDTHS_MS):
            start, total, sum_of_squares = starts[i], totals[i] + amount, squares[i] + square
            horizon = time - width
            while times[start] <= horizon:
                gone = amounts[start]
                total -= gone
                sum_of_squares -= gone * gone
                start += 1
            starts[i], totals[i], squares[i] = start, total, sum_of_squares
            view.append((end - start, total, sum_of_squares))
        return tuple(view)

    def _observe_late(self, time_ms: int, amount: int, terminal: bytes, event_id: bytes) -> WindowView:
        newest_ms = self.newest_ms
        place = bisect_right(self.times, time_ms - self.base_ms, self.head)
        previous_ms = self.base_ms + self.times[place - 1] if place > self.head else None
        starts = [bisect_right(self.times, time_ms - w - self.base_ms, self.head, place) for w in WIDTHS_MS]
        sums = tuple(self._recount(start, place, amount) for start in starts)
        same_terminal = 1 + self._at_terminal(terminal, starts[-1], place)
        if time_ms > newest_ms - self.bounds.retention_ms:
            self._insert(place, time_ms, amount, terminal, event_id)
            self._adjust(newest_ms - time_ms, amount)
            self._drop_excess()
        late = time_ms < newest_ms - self.bounds.allowed_lateness_ms
        return WindowView(sums, previous_ms, same_terminal, late)

    def _recount(self, start: int, end: int, amount: int) -> Sums:
        others = self.amounts[start:end]
        return end - start + 1, sum(others) + amount, sum(a * a for a in others) + amount * amount

    def _adjust(self, age_ms: int, amount: int) -> None:
        """An event was inserted ``age_ms`` before the newest: it joins a window or shifts its start."""
        for i, width in enumerate(WIDTHS_MS):
            if age_ms < width:
                self.totals[i] += amount
                self.squares[i] += amount * amount
            else:
                self.starts[i] += 1

    def _at_terminal(self, terminal: bytes, start: int, end: int) -> int:
        return self.terminals.count(terminal, DIGEST_BYTES * start, DIGEST_BYTES * end)

    def _insert(self, place: int, time_ms: int, amount: int, terminal: bytes, event_id: bytes) -> None:
        try:
            self.times.insert(place, time_ms - self.base_ms)
        except OverflowError:
            place -= self._rebase(time_ms)
            self.times.insert(place, time_ms - self.base_ms)
        try:
            self.amounts.insert(place, amount)
        except OverflowError:
            self.amounts = array(WIDE, self.amounts)
            self.amounts.insert(place, amount)
        at = DIGEST_BYTES * place
        self.terminals[at:at] = terminal
        self.ids[at:at] = event_id

    def _rebase(self, time_ms: int) -> int:
        """Choose a base that ``time_ms`` fits, wide where it must be; return how many places the log moved."""
        moved = self.head
        self._compact()
        old = self.base_ms
        first_ms = old + self.times[0]
        self.base_ms = min(first_ms, time_ms)
        shifted = [old + time - self.base_ms for time in self.times]
        newest_ms = max(self.base_ms + shifted[-1], time_ms)
        fits = newest_ms - self.base_ms < 2**32
        self.times = array(NARROW if fits and self.times.typecode == NARROW else WIDE, shifted)
        return moved

    def _drop_expired(self, newest_ms: int) -> None:
        head, horizon = self.head, newest_ms - self.bounds.retention_ms - self.base_ms
        while self.times[head] <= horizon:
            head += 1
        self.head = head
        if head >= _COMPACT_AT and 2 * head >= len(self.times):
            self._compact()

    def _drop_excess(self) -> None:
        """Beyond the cap the oldest event goes, out of every window that still holds it."""
        while len(self) > self.bounds.max_events:
            oldest, amount = self.head, self.amounts[self.head]
            self.head += 1
            self.evicted_ms = max(self.evicted_ms, self.base_ms + self.times[oldest])
            for i, start in enumerate(self.starts):
                if start == oldest:
                    self.starts[i] += 1
                    self.totals[i] -= amount
                    self.squares[i] -= amount * amount

    def _compact(self) -> None:
        gone = self.head
        del self.times[:gone], self.amounts[:gone]
        del self.terminals[: DIGEST_BYTES * gone], self.ids[: DIGEST_BYTES * gone]
        self.starts = [start - gone for start in self.starts]
        self.head = 0
