"""Suppressions: alerts with a key are hidden from the queue until an expiry, counted, and compared with later labels."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from app.cases.contract import CaseAlert
from app.errors import TransitionRefused

DAY_MS = 86_400_000
MAX_DAYS = 90
"""The longest suppression: as long as alerts are retained, so that what one hides can still be read."""


class SuppressionKey(StrEnum):
    """The field of an alert that a suppression compares."""

    CUSTOMER = "customer"
    TERMINAL = "terminal"
    DEVICE = "device"
    CARD = "card"


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """Hides alerts that were raised from ``starts_at`` up to, not including, ``ends_at``."""

    suppression_id: int
    key: SuppressionKey
    value: str
    starts_at: int
    ends_at: int

    def hides(self, alert: CaseAlert) -> bool:
        """The time of the alert counts, not the time of reading: a rebuild hides the same alerts."""
        return self.starts_at <= alert.scored_at < self.ends_at and key_of(alert, self.key) == self.value


def key_of(alert: CaseAlert, key: SuppressionKey) -> str | None:
    """The value of the field that a key names; None where the alert has none."""
    match key:
        case SuppressionKey.CUSTOMER:
            return alert.customer_id
        case SuppressionKey.TERMINAL:
            return alert.terminal_id
        case SuppressionKey.DEVICE:
            return alert.device_id
        case SuppressionKey.CARD:
            return alert.card_token


def hidden_by(alert: CaseAlert, suppressions: Iterable[Suppression]) -> int | None:
    """The lowest id of the suppressions that hide an alert; None for an alert that is shown."""
    return min((each.suppression_id for each in suppressions if each.hides(alert)), default=None)


def check_duration(starts_at: int, ends_at: int) -> None:
    """Raise TransitionRefused unless a suppression ends, and ends soon enough."""
    if not starts_at < ends_at <= starts_at + MAX_DAYS * DAY_MS:
        raise TransitionRefused(f"a suppression lasts at most {MAX_DAYS} days. Choose an earlier end.")
