"""A case, and what follows from its fields: whether it waits, how urgent it is, whether it is overdue."""

import msgspec

from app.cases.contract import MAX_LOSS, CaseAlert, Disposition, Status
from app.domain.money import minor_digits

HOUR_MS = 3_600_000


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a case. Times are milliseconds since the epoch, UTC."""

    case_id: str
    customer_id: str
    status: Status
    version: int
    """The number of changes so far."""
    opened_at: int
    due_at: int
    changed_at: int
    alert_count: int
    expected_loss: int
    """The sum of ``expected_loss`` of its alerts."""
    assignee: str | None = None
    """Who works on it, or closed it."""
    lease_until: int | None = None
    snoozed_until: int | None = None
    disposition: Disposition | None = None
    closed_at: int | None = None


def expected_loss(alert: CaseAlert) -> int:
    """Score times amount, in hundredths of the major unit of the amount's currency, rounded.

    Amounts of different currencies are compared without an exchange rate: the service has none.
    """
    return round(alert.score * alert.amount_minor * 10.0 ** (2 - minor_digits(alert.currency)))


def total_loss(so_far: int, alert: CaseAlert) -> int:
    """The sum of losses with that of one more alert; it stays at the largest that can be stored."""
    return min(so_far + expected_loss(alert), MAX_LOSS)


def is_available(case: Case, now_ms: int) -> bool:
    """Whether the case waits in the queue: open, or its lease or its snooze has ended."""
    match case.status:
        case Status.OPEN:
            return True
        case Status.CLAIMED:
            return (case.lease_until or 0) <= now_ms
        case Status.SNOOZED:
            return (case.snoozed_until or 0) <= now_ms
        case Status.CLOSED:
            return False


def priority(case: Case, now_ms: int) -> float:
    """Expected loss times age in hours: of two equal losses the older case comes first, and a small one is not left for ever."""
    return float(case.expected_loss) * max(0, now_ms - case.opened_at) / HOUR_MS


def is_overdue(case: Case, now_ms: int) -> bool:
    """Whether the case is past its due time, or was when it was closed."""
    return (now_ms if case.closed_at is None else case.closed_at) > case.due_at
