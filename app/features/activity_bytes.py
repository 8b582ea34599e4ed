"""The encoding of an activity, the state of one delayed entity: its transactions by hour, and their labels. Versioned.

::

    header    ACTIVITY, 7 words
    hours     n words, ascending: hour << 32 | transactions
    guards    n source partitions, as columns: n topic ids, n partitions, n last applied offsets
    labels    n labels, as columns: n transaction digests, n times of report in ms, n words hour << 1 | is_fraud;
              ordered by digest, then by report, then by arrival

Words are little-endian, of 8 bytes. Hour h holds the event times in ``(h - 1 hours, h hours]`` since the epoch. An activity
is at most 131 kB: 56 bytes, 8 for each of 1,056 hours, 24 for each of 1,024 source partitions and 24 for each of 4,096
labels. A terminal with a transaction a day has 0.5 kB, a merchant that is busy at all hours on 64 partitions 10 kB. Equal
activities give equal bytes. Topic id and applied offset have the same position as in a profile (state.py), so that
one function reads both.
"""

from typing import Any, NamedTuple

import numpy as np

from app.features.compiled import compiled
from app.features.copying import copy
from app.features.entities import DELAY_HOURS, DELAYED_WIDTHS_HOURS
from app.features.packed_words import WORD_BYTES, Words

VERSION = 1

ACTIVITY = np.dtype(
    [
        ("version", "u1"),
        ("unused", "u1", (3,)),
        ("hours", "<u4"),
        ("topic_id", "<u8"),  # of the log of facts
        ("applied_offset", "<i8"),  # the last applied offset of it, -1 for none
        ("guards", "<u4"),
        ("labels", "<u4"),
        ("newest_hour", "<i8"),  # of the newest transaction
        ("first_hour", "<i8"),  # of the oldest transaction ever
        ("evicted_hour", "<i8"),  # of the newest label evicted by the cap
    ]
)
HEADER_WORDS = ACTIVITY.itemsize // WORD_BYTES
GUARD_WORDS = LABEL_WORDS = 3

NEVER_HOUR = -(2**62)
"""An hour before all others."""
NO_HOUR = 2**62
"""An hour after all others."""
KEPT_HOURS = DELAY_HOURS + DELAYED_WIDTHS_HOURS[-1] + 7 * 24
"""Hours kept before the newest transaction: the longest window, the delay, and a week for late transactions."""
MOST_GUARDS = 1024
"""Most guards. Beyond, the oldest guard is evicted; a repeat from its source partition would then be counted twice."""
MOST_LABELS = 4096
"""Most labels. Beyond, the label of the oldest transaction is evicted; windows that reach back to it are saturated."""


def _empty() -> bytes:
    activity = np.zeros(1, ACTIVITY)
    activity["version"], activity["applied_offset"] = VERSION, -1
    activity["newest_hour"] = activity["evicted_hour"] = NEVER_HOUR
    activity["first_hour"] = NO_HOUR
    return activity.tobytes()


EMPTY = _empty()
"""The activity of an entity that was never seen."""


class Kept(NamedTuple):
    """Buffers for the hours, guards and labels of one activity, each with space for one more than is kept."""

    hours: Words
    guards: Words
    """Shape (3, guards): topic id, partition, offset."""
    labels: Words
    """Shape (3, labels): transaction, reported_ms, hour << 1 | is_fraud."""


def empty_kept() -> Kept:
    """Allocate buffers that any activity fits."""
    return Kept(
        np.empty(KEPT_HOURS + 1, np.int64),
        np.empty((GUARD_WORDS, MOST_GUARDS + 1), np.int64),
        np.empty((LABEL_WORDS, MOST_LABELS + 1), np.int64),
    )


@compiled
def is_activity(words: Words) -> bool:
    """Whether the words are one activity of this version. Must hold before ``unpack``, or memory outside is accessed."""
    if len(words) < HEADER_WORDS:
        return False
    activity = words[:HEADER_WORDS].view(ACTIVITY)[0]
    hours, guards, labels = np.int64(activity.hours), np.int64(activity.guards), np.int64(activity.labels)
    if activity.version != VERSION or hours > KEPT_HOURS or guards > MOST_GUARDS or labels > MOST_LABELS:
        return False
    return len(words) == HEADER_WORDS + hours + GUARD_WORDS * guards + LABEL_WORDS * labels


@compiled
def unpack(activity: Any, words: Words, kept: Kept) -> bool:
    """Copy the words behind an activity's header to ``kept``.

    Returns False if the hours do not ascend within the kept range: then the words are not an activity.
    """
    hours, guards, labels = int(activity.hours), int(activity.guards), int(activity.labels)
    at = HEADER_WORDS
    copy(words[at : at + hours], kept.hours[:hours])
    at += hours
    for part in range(GUARD_WORDS):
        copy(words[at : at + guards], kept.guards[part, :guards])
        at += guards
    for part in range(LABEL_WORDS):
        copy(words[at : at + labels], kept.labels[part, :labels])
        at += labels
    before = activity.newest_hour - KEPT_HOURS
    for i in range(hours):
        hour = kept.hours[i] >> 32
        if hour <= before or hour > activity.newest_hour:
            return False
        before = hour
    return True


@compiled
def pack(activity: Any, kept: Kept, words: Words) -> int:
    """Write ``kept`` behind the activity's header. Returns the length of the activity in words."""
    hours, guards, labels = int(activity.hours), int(activity.guards), int(activity.labels)
    at = HEADER_WORDS
    copy(kept.hours[:hours], words[at : at + hours])
    at += hours
    for part in range(GUARD_WORDS):
        copy(kept.guards[part, :guards], words[at : at + guards])
        at += guards
    for part in range(LABEL_WORDS):
        copy(kept.labels[part, :labels], words[at : at + labels])
        at += labels
    return at
