"""The encoding of a profile in RocksDB and in the changelog: little-endian words of 8 bytes, versioned.

::

    header    PROFILE, 24 words: the customer and the running sums of the windows
    events    n events in order of event time, as columns:
                narrow: n words (time - base) << 32 | amount      wide: n times, n amounts
                n terminal digests, n transaction digests

A profile is narrow, with 24 bytes per event, if its times lie within 49 days and its amounts are below 2**32, which is
nearly always the case. Equal profiles give equal bytes. Topic id and applied offset have a fixed position, so that two
versions of one profile can be ordered without decoding them.
"""

import struct
from typing import Any

import numpy as np

from app.errors import StateCorrupt
from app.features.compiled import compiled
from app.features.copying import copy
from app.features.packed_words import WORD_BYTES, Words
from app.features.window import NEVER_MS, WINDOWS, Log

VERSION = 2

PROFILE = np.dtype(
    [
        ("version", "u1"),
        ("wide", "u1"),
        ("unused", "<u2"),
        ("events", "<u4"),
        ("topic_id", "<u8"),  # of the source topic
        ("applied_offset", "<i8"),  # the last applied offset of it, -1 for none
        ("applied", "<i8"),  # number of transactions that changed this profile
        ("first_seen_ms", "<i8"),
        ("evicted_ms", "<i8"),  # time of the newest event evicted by the cap
        ("base_ms", "<i8"),
        ("place_ms", "<i8"),  # time of the latest transaction with a location
        ("latitude", "<f8"),  # NaN before the first location
        ("longitude", "<f8"),
        ("starts", "<u4", (WINDOWS,)),  # index of each window's first event
        ("totals", "<i8", (WINDOWS,)),  # of amounts
        ("squares_high", "<u8", (WINDOWS,)),  # sums of squared amounts, 128 bits
        ("squares_low", "<u8", (WINDOWS,)),
    ]
)
HEADER_WORDS = PROFILE.itemsize // WORD_BYTES
NARROW_WORDS, WIDE_WORDS = 3, 4
"""Words per event."""

_LINEAGE = struct.Struct("<Qq")
_LINEAGE_AT = 8
_HALF = np.uint64(32)
_LOW_HALF = np.uint64(2**32 - 1)


def _empty() -> bytes:
    profile = np.zeros(1, PROFILE)
    profile["version"], profile["applied_offset"] = VERSION, -1
    profile["first_seen_ms"] = profile["evicted_ms"] = NEVER_MS
    profile["latitude"] = profile["longitude"] = np.nan
    return profile.tobytes()


EMPTY = _empty()
"""The profile of a new customer."""


def lineage(data: bytes) -> tuple[int, int]:
    """Return the topic id and the last applied offset of an encoded profile or activity.

    Raises StateCorrupt if the bytes are too few.
    """
    try:
        return _LINEAGE.unpack_from(data, _LINEAGE_AT)
    except struct.error as error:
        raise StateCorrupt("these bytes are too few for a profile") from error


@compiled
def is_profile(words: Words) -> bool:
    """Whether the words are one profile of this version. Must hold before ``unpack``, or memory outside is accessed."""
    if len(words) < HEADER_WORDS:
        return False
    profile = words[:HEADER_WORDS].view(PROFILE)[0]
    per_event = WIDE_WORDS if profile.wide else NARROW_WORDS
    length = HEADER_WORDS + per_event * np.int64(profile.events)
    starts_inside = bool(profile.starts.max() <= profile.events)
    return profile.version == VERSION and len(words) == length and starts_inside


@compiled
def unpack(profile: Any, words: Words, log: Log) -> bool:
    """Copy the events of a profile, the words behind its header, to the log.

    Returns False if their times do not ascend: then the words are not a profile, and the windows would read outside
    the log.
    """
    n, base_ms, at = int(profile.events), profile.base_ms, HEADER_WORDS
    if profile.wide:
        copy(words[at : at + n], log.times[:n])
        copy(words[at + n : at + 2 * n], log.amounts[:n])
        at += 2 * n
    else:
        times, amounts, packed = log.times[:n], log.amounts[:n], words[at : at + n].view(np.uint64)
        for i in range(n):
            times[i], amounts[i] = base_ms + np.int64(packed[i] >> _HALF), packed[i] & _LOW_HALF
        at += n
    copy(words[at : at + n], log.terminals[:n])
    copy(words[at + n : at + 2 * n], log.ids[:n])
    log.span[0], log.span[1] = 0, n
    return _ascend(log.times[:n])


@compiled
def pack(profile: Any, log: Log, words: Words) -> int:
    """Write the events of the log behind the profile's header. Returns the length of the profile in words."""
    first, end = log.span[0], log.span[1]
    times, amounts = log.times[first:end], log.amounts[first:end]
    n, at = int(end - first), HEADER_WORDS
    profile.events, profile.wide = n, not _fits_narrow(times, amounts)
    profile.base_ms = base_ms = times[0] if n else 0
    for w in range(WINDOWS):
        profile.starts[w] -= first
    if profile.wide:
        copy(times, words[at : at + n])
        copy(amounts, words[at + n : at + 2 * n])
        at += 2 * n
    else:
        packed = words[at : at + n].view(np.uint64)
        for i in range(n):
            packed[i] = np.uint64(times[i] - base_ms) << _HALF | np.uint64(amounts[i])
        at += n
    copy(log.terminals[first:end], words[at : at + n])
    copy(log.ids[first:end], words[at + n : at + 2 * n])
    return at + 2 * n


@compiled
def _ascend(times: Words) -> bool:
    ascend = True
    for i in range(1, len(times)):
        ascend &= (
            times[i - 1] <= times[i]
        )  # no early return, so that the compiler can use vector instructions
    return ascend


@compiled
def _fits_narrow(times: Words, amounts: Words) -> bool:
    """Whether the events fit the narrow encoding; ``times`` must ascend."""
    n = len(times)
    return n == 0 or (times[n - 1] - times[0] < 2**32 and amounts.max() < 2**32)
