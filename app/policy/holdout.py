"""Releases a share of the declines by score at random, so that the true labels of some of them become known.

The choice is a hash of the transaction id, so that it is the same whenever the transaction is decided. A partition releases at most its
part of the day's bounds on number and money; days are those of the event times, UTC, and a day that is over does not come back.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from app.domain.identifiers import digest64
from app.policy.definitions import Holdout

DAY_MS = 86_400_000
_PURPOSE = "holdout "
"""Another hash than that of the canary's customers, and of the digests in profiles."""


class Declined(NamedTuple):
    """A decline by score bands."""

    row: int
    transaction_id: str
    event_time_ms: int
    amount: int | None
    """Minor units of the reference currency; None where the amount is in another one."""


class HoldoutState(msgspec.Struct, frozen=True):
    """What one partition has released. A worker that takes a partition over begins with ``HoldoutState()``."""

    day: int = -1
    """The newest day since 1970 of which a decline was seen."""
    released: int = 0
    amount: int = 0
    """Of that day, in minor units of the reference currency."""


class Allowance(NamedTuple):
    """The bounds of one partition for a day."""

    share: float
    most: int
    most_amount: int

    @classmethod
    def of(cls, holdout: Holdout, partition: int, partitions: int) -> "Allowance":
        """The part of ``partition``; the parts of all add up to the bounds of the policy."""
        whole = (holdout.most_per_day, holdout.most_amount_per_day)
        return cls(
            holdout.share, *(total // partitions + (partition < total % partitions) for total in whole)
        )


def is_chosen(transaction_id: str, share: float) -> bool:
    """Whether a decline of this transaction may be released: for a ``share`` of all ids, and for each of them always.

    >>> [is_chosen("t1", share) for share in (0.0, 1.0)]
    [False, True]
    """
    return int.from_bytes(digest64(_PURPOSE + transaction_id)) < share * 2**64


def release(
    state: HoldoutState, declined: Sequence[Declined], allowance: Allowance
) -> tuple[HoldoutState, list[int]]:
    """Return the state behind the next declines of a partition, and the rows that are released.

    A decline without an amount in the reference currency, or of an earlier day than the newest, is not released.
    """
    released = []
    for decline in declined:
        day = decline.event_time_ms // DAY_MS
        if day > state.day:
            state = HoldoutState(day)
        if (
            day < state.day
            or decline.amount is None
            or not is_chosen(decline.transaction_id, allowance.share)
        ):
            continue
        after = HoldoutState(day, state.released + 1, state.amount + decline.amount)
        if after.released <= allowance.most and after.amount <= allowance.most_amount:
            state = after
            released.append(decline.row)
    return state, released
