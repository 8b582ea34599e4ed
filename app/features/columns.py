"""Converts transactions to the columns that the fold takes."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import nan

import numpy as np

from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.activity import observe, queries
from app.features.fold import Doubles, Events, Integers, fold
from app.features.window import Bounds

terminal_digest = lru_cache(maxsize=1 << 16)(digest64)
"""Cached, because terminals repeat."""


def events(transactions: Sequence[Transaction], customer: Sequence[int], offsets: Sequence[int]) -> Events:
    """Return transactions as Events. ``customer`` holds the index of each transaction's profile, ``offsets`` its source offset."""
    return Events(
        customer=np.array(customer, np.int64),
        time_ms=np.array([transaction.event_time for transaction in transactions], np.int64),
        amount_minor=np.array([transaction.amount_minor for transaction in transactions], np.int64),
        terminal=digests(terminal_digest(transaction.terminal_id) for transaction in transactions),
        transaction=digests(digest64(transaction.transaction_id) for transaction in transactions),
        latitude=_degrees(transaction.latitude for transaction in transactions),
        longitude=_degrees(transaction.longitude for transaction in transactions),
        offset=np.array(offsets, np.int64),
    )


def digests(values: Iterable[bytes]) -> Integers:
    """Return digests of eight bytes as numbers.

    A writable copy: numba would compile the fold a second time for a read-only array.
    """
    return np.frombuffer(b"".join(values), np.int64).copy()


def _degrees(values: Iterable[float | None]) -> Doubles:
    return np.array([nan if value is None else value for value in values], np.float64)


def compile_fold() -> None:
    """Load the machine code of both folds, so that the first chunk does not wait: 1 s from disk, 17 s if it is compiled."""
    compile_profiles()
    compile_observe()


def compile_profiles() -> None:
    """Load the machine code that folds transactions into profiles."""
    nothing = np.zeros(1, np.int64)
    nowhere = np.full(1, nan)
    fold([b""], Events(*(nothing,) * 5, nowhere, nowhere, nothing), Bounds(0, 1))


def compile_observe() -> None:
    """Load the machine code that reads the states of entities."""
    nothing = np.zeros(1, np.int64)
    observe([b""], queries(nothing, nothing))
