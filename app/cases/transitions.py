"""What an analyst does with a case. Each function returns the case after it, or raises TransitionRefused.

::

    open -- claim --> claimed -- close --> closed -- reopen --> open
                      claimed -- snooze --> snoozed
                      claimed -- release --> open

A claim holds until its lease ends; only its holder renews, releases, snoozes and closes. When a lease or a snooze has ended, the
case can be claimed as an open one.
"""

from app.cases.case import Case, is_available
from app.cases.contract import ChangeKind, Disposition, Status
from app.errors import TransitionRefused


def claim(case: Case, analyst: str, now_ms: int, lease_ms: int) -> Case:
    """Claim a case that waits. Who holds the claim already renews it."""
    if not is_available(case, now_ms) and not _holds(case, analyst, now_ms):
        raise TransitionRefused(f"{case.case_id} is {_described(case)}. Take another one.")
    return _changed(case, now_ms, status=Status.CLAIMED, assignee=analyst, lease_until=now_ms + lease_ms)


def renew(case: Case, analyst: str, now_ms: int, lease_ms: int) -> Case:
    """Extend the lease of a claim."""
    _require_holder(case, analyst, now_ms)
    return _changed(case, now_ms, status=Status.CLAIMED, assignee=analyst, lease_until=now_ms + lease_ms)


def release(case: Case, analyst: str, now_ms: int) -> Case:
    """Give a claimed case back to the queue."""
    _require_holder(case, analyst, now_ms)
    return _changed(case, now_ms, status=Status.OPEN)


def snooze(case: Case, analyst: str, now_ms: int, until_ms: int) -> Case:
    """Hide a claimed case from the queue until a time, or until the customer's next alert."""
    _require_holder(case, analyst, now_ms)
    if until_ms <= now_ms:
        raise TransitionRefused("a snooze must end in the future. Choose a later time.")
    return _changed(case, now_ms, status=Status.SNOOZED, snoozed_until=until_ms)


def close(case: Case, analyst: str, now_ms: int, disposition: Disposition) -> Case:
    """Close a claimed case with a result."""
    _require_holder(case, analyst, now_ms)
    return _changed(
        case, now_ms, status=Status.CLOSED, assignee=analyst, disposition=disposition, closed_at=now_ms
    )


def reopen(case: Case, now_ms: int) -> Case:
    """Put a closed case back into the queue. Its disposition is removed; the log of changes keeps it."""
    if case.status is not Status.CLOSED:
        raise TransitionRefused(f"{case.case_id} is {_described(case)}; only a closed case can be reopened.")
    return _changed(case, now_ms, status=Status.OPEN)


KINDS = {
    claim: ChangeKind.CLAIMED,
    renew: ChangeKind.RENEWED,
    release: ChangeKind.RELEASED,
    snooze: ChangeKind.SNOOZED,
    close: ChangeKind.CLOSED,
    reopen: ChangeKind.REOPENED,
}
"""The kind of change that each transition is."""


def _require_holder(case: Case, analyst: str, now_ms: int) -> None:
    if not _holds(case, analyst, now_ms):
        raise TransitionRefused(
            f"{case.case_id} is {_described(case)}, not claimed by {analyst}. Claim it first."
        )


def _holds(case: Case, analyst: str, now_ms: int) -> bool:
    return case.status is Status.CLAIMED and case.assignee == analyst and (case.lease_until or 0) > now_ms


def _described(case: Case) -> str:
    if case.status is Status.CLAIMED:
        return f"claimed by {case.assignee} until {case.lease_until}"
    return str(case.status)


def _changed(  # noqa: PLR0913  # one argument for each field that a status decides about
    case: Case,
    now_ms: int,
    *,
    status: Status,
    assignee: str | None = None,
    lease_until: int | None = None,
    snoozed_until: int | None = None,
    disposition: Disposition | None = None,
    closed_at: int | None = None,
) -> Case:
    """The case in another status. Fields that belong to the status before are removed."""
    return Case(
        case_id=case.case_id,
        customer_id=case.customer_id,
        status=status,
        version=case.version + 1,
        opened_at=case.opened_at,
        due_at=case.due_at,
        changed_at=max(case.changed_at, now_ms),
        alert_count=case.alert_count,
        expected_loss=case.expected_loss,
        assignee=assignee,
        lease_until=lease_until,
        snoozed_until=snoozed_until,
        disposition=disposition,
        closed_at=closed_at,
    )
