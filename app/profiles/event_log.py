"""The events of one customer in order of time, as rows of whole numbers; compiled.

``span`` holds the index of the first event and the index behind the last one.
"""

from app.features.compiled import borrowing
from app.profiles.aggregates import NONE, Integers
from app.profiles.kept import FLAGS, IDS, LIVE, TIMES

Log = Integers
"""Shape (rows, space for events)."""


@borrowing
def holds(log: Log, span: Integers, event_id: int) -> bool:
    """Whether the log has an event with this id."""
    return index_of(log, span, event_id) >= 0


@borrowing
def index_of(log: Log, span: Integers, event_id: int) -> int:
    """The index of the event with this id, -1 without one."""
    ids = log[IDS, span[0] : span[1]]
    found = 0
    for each in ids:  # no early return, so that the compiler can use vector instructions
        found += each == event_id
    if found:
        for i in range(len(ids)):
            if ids[i] == event_id:
                return int(span[0]) + i
    return -1


@borrowing
def behind(times: Integers, first: int, end: int, time_ms: int) -> int:
    """The index behind all events from ``first`` to ``end`` that are not later than a time."""
    low, high = first, end
    while low < high:
        middle = (low + high) // 2
        if time_ms < times[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@borrowing
def previous_ms(log: Log, span: Integers, end: int) -> int:
    """The time of the last event before an index that is not reversed; NONE without one."""
    for i in range(end - 1, span[0] - 1, -1):
        if log[FLAGS, i] & LIVE:
            return int(log[TIMES, i])
    return NONE


@borrowing
def insert(log: Log, span: Integers, index: int, event: Integers) -> None:
    """Insert an event at an index; the log must have space for it."""
    end = span[1]
    for row in range(len(event)):
        for i in range(end, index, -1):
            log[row, i] = log[row, i - 1]
        log[row, index] = event[row]
    span[1] = end + 1
