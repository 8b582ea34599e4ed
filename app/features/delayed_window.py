"""The one delayed window: transactions counted by the hour, and the labels known about them.

An activity here is a record of ACTIVITY with the rows that are ``Kept`` for it (activity_bytes.py).
"""

from typing import Any, NamedTuple

import numpy as np

from app.features.activity_bytes import KEPT_HOURS, MOST_GUARDS, MOST_LABELS, Kept
from app.features.compiled import compiled
from app.features.entities import DELAY_HOURS, DELAYED_WIDTHS_HOURS, DELAYED_WINDOWS
from app.features.window import HOUR_MS

_WIDTHS = np.array(DELAYED_WIDTHS_HOURS)
_LONGEST = DELAYED_WIDTHS_HOURS[-1]
_TRANSACTION, _REPORTED, _WORD = 0, 1, 2
_TOPIC_ID, _PARTITION, _OFFSET = 0, 1, 2


class Source(NamedTuple):
    """Where the transaction behind a fact stands in the log of transactions."""

    topic_id: int
    partition: int
    offset: int


class Label(NamedTuple):
    """What one report says of a transaction."""

    transaction: int
    """Digest."""
    hour: int
    """Of the transaction."""
    reported_ms: int
    is_fraud: bool


@compiled
def hour_of(time_ms: int) -> int:
    """The hour that holds an event time: the first whose end is not before it."""
    return -(-time_ms // HOUR_MS)


@compiled
def is_new(activity: Any, kept: Kept, source: Source) -> bool:
    """Whether the source partition is not past this offset; from now on it is."""
    guards, count = kept.guards, int(activity.guards)
    for i in range(count):
        if guards[_TOPIC_ID, i] == source.topic_id and guards[_PARTITION, i] == source.partition:
            if source.offset <= guards[_OFFSET, i]:
                return False
            guards[_OFFSET, i] = source.offset
            return True
    if count == MOST_GUARDS:
        guards[:, : count - 1] = guards[:, 1:count].copy()
        count -= 1
    guards[_TOPIC_ID, count], guards[_PARTITION, count] = source.topic_id, source.partition
    guards[_OFFSET, count] = source.offset
    activity.guards = count + 1
    return True


@compiled
def count_transaction(activity: Any, kept: Kept, hour: int) -> None:
    """One more in this hour, unless it is too old to be kept."""
    activity.first_hour = min(activity.first_hour, hour)
    if hour > activity.newest_hour:
        activity.newest_hour = hour
        _forget(activity, kept, hour - KEPT_HOURS)
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
def take_label(activity: Any, kept: Kept, label: Label) -> None:
    """Keep what was reported, unless it is known or about a transaction too old to be kept."""
    if label.hour <= activity.newest_hour - KEPT_HOURS:
        return
    labels, count = kept.labels, int(activity.labels)
    word = label.hour << 1 | np.int64(label.is_fraud)
    at = _place(kept, count, label)
    before = at
    while before > 0 and _same_report(kept, before - 1, label.transaction, label.reported_ms):
        before -= 1
        if labels[_WORD, before] == word:
            return
    for i in range(count, at, -1):
        labels[:, i] = labels[:, i - 1]
    labels[_TRANSACTION, at], labels[_REPORTED, at] = label.transaction, label.reported_ms
    labels[_WORD, at] = word
    activity.labels = count + 1
    if count == MOST_LABELS:
        _evict(activity, kept)


@compiled
def look(activity: Any, kept: Kept, hour: int, view: Any) -> None:
    """Write down what is known in an hour: transactions and frauds of each window. ``hour`` is the last full one."""
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
    """To every window that reaches ``back`` so many hours from its end."""
    for w in range(DELAYED_WINDOWS):
        if back < _WIDTHS[w]:
            view[first + w] += count


@compiled
def _forget(activity: Any, kept: Kept, horizon: int) -> None:
    """Drop hours up to the horizon, and labels of transactions of those hours."""
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
                kept.labels[:, left] = kept.labels[:, i]
            left += 1
    activity.labels = left


@compiled
def _place(kept: Kept, count: int, label: Label) -> int:
    """Where a label belongs: behind all of its transaction that were not reported later."""
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
def _evict(activity: Any, kept: Kept) -> None:
    """The least label goes, by hour, digest, report and word: whatever came first, the same ones stay."""
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
        labels[:, i - 1] = labels[:, i]
    activity.labels = count - 1
