"""The bytes of an activity: what one delayed entity did and what became known of it. Little-endian words, versioned.

::

    header    ACTIVITY, 7 words
    hours     n words, ascending: hour << 32 | transactions
    guards    n source partitions, as columns: n topic ids, n partitions, n offsets that were applied last
    labels    n, as columns: n transaction digests, n times of report in ms, n words hour << 1 | is_fraud;
              in order of digest, then of report, then of arrival

Hour h holds the event times of ``((h - 1) h, h h]`` since the epoch. An activity is at most 56 bytes, 8 for each of
1,056 hours, 24 for each of 1,024 source partitions and 24 for each of 4,096 labels: 131 kB. A terminal with a
transaction a day has 0.5 kB, a merchant busy at all hours on 64 partitions 10 kB. Equal activities give equal bytes.
Topic id and applied offset stand where those of a profile do (state.py).
"""

from typing import Any, NamedTuple

import numpy as np

from app.features.compiled import compiled
from app.features.entities import DELAY_HOURS, DELAYED_WIDTHS_HOURS
from app.features.packed_words import WORD_BYTES, Words

VERSION = 1

ACTIVITY = np.dtype(
    [
        ("version", "u1"),
        ("unused", "u1", (3,)),
        ("hours", "<u4"),
        ("topic_id", "<u8"),  # of the log of facts
        ("applied_offset", "<i8"),  # the last of it, -1 for none
        ("guards", "<u4"),
        ("labels", "<u4"),
        ("newest_hour", "<i8"),  # of the newest transaction
        ("first_hour", "<i8"),  # of the oldest transaction ever
        ("evicted_hour", "<i8"),  # of the newest label that the cap pushed out
    ]
)
HEADER_WORDS = ACTIVITY.itemsize // WORD_BYTES
GUARD_WORDS = LABEL_WORDS = 3

NEVER_HOUR = -(2**62)
"""Stands for an hour before all others; NO_HOUR for one after them."""
NO_HOUR = 2**62
KEPT_HOURS = DELAY_HOURS + DELAYED_WIDTHS_HOURS[-1] + 7 * 24
"""Before the newest transaction: the longest window, the delay, and a week for what comes out of order."""
MOST_GUARDS = 1024
"""Beyond, the guard that was made first goes: its source partition could be counted twice."""
MOST_LABELS = 4096
"""Beyond, the label of the oldest transaction goes, and windows that reach back to it are saturated."""


def _empty() -> bytes:
    activity = np.zeros(1, ACTIVITY)
    activity["version"], activity["applied_offset"] = VERSION, -1
    activity["newest_hour"] = activity["evicted_hour"] = NEVER_HOUR
    activity["first_hour"] = NO_HOUR
    return activity.tobytes()


EMPTY = _empty()
"""The activity of an entity never seen."""


class Kept(NamedTuple):
    """Room for the hours, guards and labels of one activity, and one more of each."""

    hours: Words
    guards: Words
    """Shape (3, guards): topic_id, partition, offset."""
    labels: Words
    """Shape (3, labels): transaction, reported_ms, hour << 1 | is_fraud."""


def empty_kept() -> Kept:
    """For any activity."""
    return Kept(
        np.empty(KEPT_HOURS + 1, np.int64),
        np.empty((GUARD_WORDS, MOST_GUARDS + 1), np.int64),
        np.empty((LABEL_WORDS, MOST_LABELS + 1), np.int64),
    )


@compiled
def is_activity(words: Words) -> bool:
    """Whether these words are one activity of this version, so that nothing is read or written beside it."""
    if len(words) < HEADER_WORDS:
        return False
    activity = words[:HEADER_WORDS].view(ACTIVITY)[0]
    hours, guards, labels = np.int64(activity.hours), np.int64(activity.guards), np.int64(activity.labels)
    if activity.version != VERSION or hours > KEPT_HOURS or guards > MOST_GUARDS or labels > MOST_LABELS:
        return False
    return len(words) == HEADER_WORDS + hours + GUARD_WORDS * guards + LABEL_WORDS * labels


@compiled
def unpack(activity: Any, words: Words, kept: Kept) -> bool:
    """Fill ``kept`` with the words behind an activity's header.

    False when the hours do not ascend within those that are kept: that is no activity.
    """
    hours, guards, labels = int(activity.hours), int(activity.guards), int(activity.labels)
    at = HEADER_WORDS
    kept.hours[:hours] = words[at : at + hours]
    at += hours
    for part in range(GUARD_WORDS):
        kept.guards[part, :guards] = words[at : at + guards]
        at += guards
    for part in range(LABEL_WORDS):
        kept.labels[part, :labels] = words[at : at + labels]
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
    """Write what is kept behind the activity's header; the length of both in words."""
    hours, guards, labels = int(activity.hours), int(activity.guards), int(activity.labels)
    at = HEADER_WORDS
    words[at : at + hours] = kept.hours[:hours]
    at += hours
    for part in range(GUARD_WORDS):
        words[at : at + guards] = kept.guards[part, :guards]
        at += guards
    for part in range(LABEL_WORDS):
        words[at : at + labels] = kept.labels[part, :labels]
        at += labels
    return at
