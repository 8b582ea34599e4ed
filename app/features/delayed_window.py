"""The delayed windows of an entity: transactions counted by hour, and the labels that were known at a time.

An activity here is a record of ACTIVITY with its hours, guards and labels in ``Kept`` (activity_bytes.py). Counts by hour,
instead of single events, bound the size of busy merchants; the price is that windows begin and end at full hours.
"""

from typing import Any, NamedTuple

import numpy as np

from app.features.activity_bytes import KEPT_HOURS, MOST_GUARDS, MOST_LABELS, Kept
from app.features.compiled import compiled
from app.features.copying import copy_column
from app.features.entities import DELAY_HOURS, DELAYED_WIDTHS_HOURS, DELAYED_WINDOWS
from app.features.window import HOUR_MS

_WIDTHS = np.array(DELAYED_WIDTHS_HOURS)
_LONGEST = DELAYED_WIDTHS_HOURS[-1]
_TRANSACTION, _REPORTED, _WORD = 0, 1, 2
_TOPIC_ID, _PARTITION, _OFFSET = 0, 1, 2


class Source(NamedTuple):
    """Position of the transaction of a fact in the log of transactions."""

    topic_id: int
    partition: int
    offset: int


class Label(NamedTuple):
    """One reported label of a transaction."""

    transaction: int
    """Digest."""
    hour: int
    """Hour of the event time of the transaction."""
    reported_ms: int
    is_fraud: bool


@compiled
def hour_of(time_ms: int) -> int:
    """Return the hour of an event time, which is the first hour that does not end before it."""
    return -(-time_ms // HOUR_MS)


@compiled
def advance_guard(activity: Any, kept: Kept, source: Source) -> bool:
    """Advance the guard of the source partition to this offset. Returns False if it was there before.

    The guard recognises a transaction that a restarted scoring worker writes to the log of facts a second time, at
    another offset of that log.
    """
    guards, count = kept.guards, int(activity.guards)
    for i in range(count):
        if guards[_TOPIC_ID, i] == source.topic_id and guards[_PARTITION, i] == source.partition:
            if source.offset <= guards[_OFFSET, i]:
                return False
            guards[_OFFSET, i] = source.offset
            return True
    if count == MOST_GUARDS:
        for i in range(1, count):
            copy_column(guards, i, i - 1)
        count -= 1
    guards[_TOPIC_ID, count], guards[_PARTITION, count] = source.topic_id, source.partition
    guards[_OFFSET, count] = source.offset
    activity.guards = count + 1
    return True


@compiled
def count_transaction(activity: Any, kept: Kept, hour: int) -> None:
    """Count a transaction in its hour, unless the hour is too old to be kept."""
    activity.first_hour = min(activity.first_hour, hour)
    if hour > activity.newest_hour:
        activity.newest_hour = hour
        _evict_hours(activity, kept, hour - KEPT_HOURS)
    if hour <= activity.newest_hour - KEPT_HOURS:
        return
    hours, count = kept.hours, int(activity.hours)
    at = count
    while at > 0 and hours[at - 1] >> 32 > hour:
        at -= 1
    if at > 0 and hours[at - 1] >> 32 == hour:
        hours[at - 1] += 1
        return
    for i in range(count, at, -1):
        hours[i] = hours[i - 1]
    hours[at] = hour << 32 | 1
    activity.hours = count + 1


@compiled
def add_label(activity: Any, kept: Kept, label: Label) -> None:
    """Insert a label, unless it is a repeat or its transaction is too old to be kept.

    Several labels of one transaction are all kept, since a query for an earlier time must not see a later report.
    """
    if label.hour <= activity.newest_hour - KEPT_HOURS:
        return
    labels, count = kept.labels, int(activity.labels)
    word = label.hour << 1 | np.int64(label.is_fraud)
    at = _insertion_index(kept, count, label)
    before = at
    while before > 0 and _same_report(kept, before - 1, label.transaction, label.reported_ms):
        before -= 1
        if labels[_WORD, before] == word:
            return
    for i in range(count, at, -1):
        copy_column(labels, i - 1, i)
    labels[_TRANSACTION, at], labels[_REPORTED, at] = label.transaction, label.reported_ms
    labels[_WORD, at] = word
    activity.labels = count + 1
    if count == MOST_LABELS:
        _evict_label(activity, kept)


@compiled
def count_windows(activity: Any, kept: Kept, hour: int, view: Any) -> None:
    """Write to ``view`` the transactions of each window, then the known frauds of each window.

    ``hour`` is the last full hour before the query: windows end DELAY_HOURS before it, and labels reported after it do
    not count. The last of several labels of a transaction decides.
    """
    end = hour - DELAY_HOURS
    view[:] = 0
    for i in range(int(activity.hours) - 1, -1, -1):
        back = end - (kept.hours[i] >> 32)
        if back >= _LONGEST:
            break
        if back >= 0:
            _add(view, 0, back, kept.hours[i] & 0xFFFFFFFF)
    cut_ms, labels, count, at = hour * HOUR_MS, kept.labels, int(activity.labels), 0
    while at < count:
        transaction, verdict = labels[_TRANSACTION, at], np.int64(0)
        while at < count and labels[_TRANSACTION, at] == transaction:
            if labels[_REPORTED, at] <= cut_ms:
                verdict = labels[_WORD, at]
            at += 1
        back = end - (verdict >> 1)
        if (verdict & 1) == 1 and 0 <= back < _LONGEST:
            _add(view, DELAYED_WINDOWS, back, 1)


@compiled
def _add(view: Any, first: int, back: Any, count: Any) -> None:
    """Add ``count`` to every window that is longer than ``back`` hours."""
    for w in range(DELAYED_WINDOWS):
        if back < _WIDTHS[w]:
            view[first + w] += count


@compiled
def _evict_hours(activity: Any, kept: Kept, horizon: int) -> None:
    """Evict the hours up to ``horizon``, and the labels of transactions of these hours."""
    first, count = 0, int(activity.hours)
    while first < count and kept.hours[first] >> 32 <= horizon:
        first += 1
    if first:
        for i in range(first, count):
            kept.hours[i - first] = kept.hours[i]
        activity.hours = count - first
    left = 0
    for i in range(int(activity.labels)):
        if kept.labels[_WORD, i] >> 1 > horizon:
            if left < i:
                copy_column(kept.labels, i, left)
            left += 1
    activity.labels = left


@compiled
def _insertion_index(kept: Kept, count: int, label: Label) -> int:
    """Return the index at which to insert a label: behind those of its transaction that were reported no later."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        transaction, reported_ms = kept.labels[_TRANSACTION, middle], kept.labels[_REPORTED, middle]
        if label.transaction < transaction or (
            label.transaction == transaction and label.reported_ms < reported_ms
        ):
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def _same_report(kept: Kept, at: int, transaction: int, reported_ms: int) -> bool:
    same: bool = kept.labels[_TRANSACTION, at] == transaction and kept.labels[_REPORTED, at] == reported_ms
    return same


@compiled
def _evict_label(activity: Any, kept: Kept) -> None:
    """Evict the least label by hour, digest, report and word, so that the same labels are kept in any order of arrival."""
    labels, count, least = kept.labels, int(activity.labels), 0
    for i in range(1, count):
        hour, least_hour = labels[_WORD, i] >> 1, labels[_WORD, least] >> 1
        tie = hour == least_hour and _same_report(
            kept, i, labels[_TRANSACTION, least], labels[_REPORTED, least]
        )
        if hour < least_hour or (tie and labels[_WORD, i] < labels[_WORD, least]):
            least = i
    activity.evicted_hour = max(activity.evicted_hour, labels[_WORD, least] >> 1)
    for i in range(least + 1, count):
        copy_column(labels, i, i - 1)
    activity.labels = count - 1
