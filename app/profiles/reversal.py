"""Takes reversed transactions out of all windows. Nothing is deleted: the id of a reversed event still identifies repeats."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt
from app.features.compiled import borrowing
from app.features.packed_words import Joined, join, split, writable
from app.profiles.aggregates import Integers
from app.profiles.event_log import index_of
from app.profiles.fold import Groups, group
from app.profiles.kept import FLAGS, LIVE
from app.profiles.layout import HEADER, HEADER_WORDS, empty, pack, unpack
from app.profiles.plan import Plan


class Reversed(NamedTuple):
    """The profiles after all reversals."""

    profiles: list[bytes]
    found: NDArray[np.bool_]
    """Whether the profile still holds the transaction."""


class Buffers(NamedTuple):
    """The log of one customer, reused for the next."""

    log: Integers
    span: Integers


class Reversals(NamedTuple):
    """Output buffers."""

    words: Integers
    lengths: Integers
    """Words of each profile; -1 for bytes that are none."""
    found: NDArray[np.bool_]


def reverse(plan: Plan, profiles: Sequence[bytes], customer: Integers, transaction: Integers) -> Reversed:
    """Reverse transactions: ``customer`` has the index of each one's profile, ``transaction`` the digest of its id.

    Raises StateCorrupt if a value is not a profile of this layout.
    """
    customer, transaction = writable(customer), writable(transaction)
    joined = join(profiles, empty(plan.kept), "a profile")
    groups = group(customer, joined, plan.kept)
    log, span = np.empty((plan.kept.rows, groups.most_events), np.int64), np.zeros(2, np.int64)
    words, found = np.empty(groups.out_starts[-1], np.int64), np.zeros(len(customer), np.bool_)
    lengths = np.full(len(profiles), -1)
    _reverse_all(joined, groups, transaction, Buffers(log, span), Reversals(words, lengths, found))
    if lengths.min(initial=0) < 0:
        raise StateCorrupt("these bytes are not a profile of this version and layout")
    return Reversed(split(words, groups.out_starts[:-1], lengths), found)


@borrowing
def _reverse_all(
    joined: Joined, groups: Groups, transaction: Integers, scratch: Buffers, out: Reversals
) -> None:
    """Reverse the events of every profile."""
    log, span = scratch.log, scratch.span
    for i in range(len(out.lengths)):
        before = joined.words[joined.starts[i] : joined.starts[i + 1]]
        after = out.words[groups.out_starts[i] : groups.out_starts[i + 1]]
        if groups.stored[i] < 0 or not unpack(before, groups.stored[i], log, span):
            continue
        for word in range(HEADER_WORDS):
            after[word] = before[word]
        for position in range(groups.firsts[i], groups.firsts[i + 1]):
            at = groups.order[position]
            index = index_of(log, span, transaction[at])
            if index >= 0:
                out.found[at] = True
                log[FLAGS, index] &= ~LIVE
        out.lengths[i] = pack(after[:HEADER_WORDS].view(HEADER)[0], log, span, after)
