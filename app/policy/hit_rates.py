"""Demotes rules that fire too often: to shadow, from the transaction that exceeds the bound on.

Hits of each live rule are counted over consecutive windows of W transactions of a partition. The rule decides about the first
``floor(max_hit_rate * W)`` hits of a window; the next one, and every later transaction, sees it in shadow. So a rule that is wrong is
stopped long before its window ends, and where chunks begin and end makes no difference.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.policy.definitions import Rule

Integers = NDArray[np.int64]
Matrix = NDArray[np.bool_]
"""Shape (rules, transactions)."""


class Limits(NamedTuple):
    """The bounds of the rules of a program, in their order."""

    window: int
    """Transactions."""
    hits: Integers
    """The most of a window."""
    is_live: NDArray[np.bool_]
    """Which rules decide by their mode."""

    @classmethod
    def of(cls, rules: Sequence[Rule], is_live: NDArray[np.bool_], window: int) -> "Limits":
        hits = [int(rule.max_hit_rate * window + 1e-9) for rule in rules]
        return cls(window, np.array(hits, np.int64), is_live)


class HitState(msgspec.Struct, frozen=True):
    """The counts of one partition. A policy that takes over, and a worker that takes over a partition, begin with ``HitState()``."""

    seen: int = 0
    """Transactions of the current window."""
    hits: tuple[int, ...] = ()
    """Of each rule in the current window; empty before the first transaction."""
    demoted: tuple[int, ...] = ()
    """Indexes of the rules that were demoted, in their order."""


def advance(state: HitState, fired: Matrix, limits: Limits) -> tuple[HitState, Matrix]:
    """Count the next transactions of a partition. Returns the state behind them, and for each rule and transaction whether the
    rule decides. ``fired`` has shape (rules, transactions).
    """
    rules, rows = fired.shape
    live = np.repeat(limits.is_live[:, None], rows, axis=1)
    live[list(state.demoted)] = False
    hits, seen, first = np.array(state.hits or (0,) * rules, np.int64), state.seen, 0
    while first < rows:
        last = min(rows, first + limits.window - seen)
        within = hits[:, None] + np.cumsum(fired[:, first:last], axis=1, dtype=np.int64)
        exceeded = within > limits.hits[:, None]
        for rule in np.flatnonzero(exceeded.any(axis=1)).tolist():
            live[rule, first + int(exceeded[rule].argmax()) :] = False
        hits, seen = within[:, -1], seen + last - first
        if seen == limits.window:
            hits, seen = np.zeros(rules, np.int64), 0
        first = last
    demoted = np.flatnonzero(limits.is_live & ~live[:, -1]).tolist() if rows else state.demoted
    return HitState(seen, tuple(hits.tolist()), tuple(demoted)), live
