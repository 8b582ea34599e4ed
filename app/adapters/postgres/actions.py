"""What analysts do, each in one transaction of the caller, with its change in the outbox."""

from collections.abc import Callable
from typing import Any

import msgspec
from psycopg import AsyncConnection, errors
from psycopg.rows import dict_row

from app.adapters.postgres.rows import RETURNING, put_cases, put_changes, read_cases
from app.cases.case import HOUR_MS, Case
from app.cases.contract import ChangeKind
from app.cases.grouping import change_of
from app.cases.suppression import Suppression, SuppressionKey, check_duration
from app.errors import TransitionRefused

AVAILABLE = "(status = 'open' OR (status = 'claimed' AND lease_until <= %(now)s) OR (status = 'snoozed' AND snoozed_until <= %(now)s))"
"""As ``is_available`` of app/cases/case.py."""
BY_PRIORITY = f"expected_loss::float8 * greatest(0, %(now)s - opened_at) / {HOUR_MS} DESC, opened_at, case_id"
"""As ``priority`` of app/cases/case.py."""
_TAKE = f"""
WITH chosen AS (
    SELECT case_id FROM cases WHERE {AVAILABLE} ORDER BY {BY_PRIORITY} LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE cases SET status = 'claimed', assignee = %(analyst)s, lease_until = %(until)s, snoozed_until = NULL,
    version = version + 1, changed_at = greatest(changed_at, %(now)s)
FROM chosen WHERE cases.case_id = chosen.case_id {RETURNING}
"""  # noqa: S608  # constants


async def take_next(
    connection: AsyncConnection[Any], analyst: str, now_ms: int, lease_ms: int
) -> Case | None:
    """Claim the waiting case of the highest priority; None where none waits. Two analysts never get the same one."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_TAKE.encode(), {"now": now_ms, "analyst": analyst, "until": now_ms + lease_ms})
        row = await cursor.fetchone()
    if row is None:
        return None
    case = msgspec.convert(row, Case)
    await put_changes(connection, [change_of(case, ChangeKind.CLAIMED)])
    return case


async def act(
    connection: AsyncConnection[Any], case_id: str, kind: ChangeKind, transition: Callable[[Case], Case]
) -> Case:
    """Apply a transition of app/cases/transitions.py to a case. Raises TransitionRefused."""
    found = await read_cases(connection, "WHERE case_id = %s FOR UPDATE", (case_id,))
    if not found:
        raise TransitionRefused(f"there is no case {case_id}. `fraudstream cases list` shows the cases.")
    case = transition(found[0])
    try:
        await put_cases(connection, [case])
    except errors.UniqueViolation:
        raise TransitionRefused(
            f"{case.customer_id} has another open case. Work that one, or close it before {case_id} is reopened."
        ) from None
    await put_changes(connection, [change_of(case, kind)])
    return case


async def suppress(  # noqa: PLR0913  # the columns of the row
    connection: AsyncConnection[Any],
    key: SuppressionKey,
    value: str,
    *,
    reason: str,
    created_by: str,
    starts_at: int,
    ends_at: int,
) -> Suppression:
    """Hide later alerts with this value from the queue until an expiry. Raises TransitionRefused for one too far away."""
    check_duration(starts_at, ends_at)
    rows = await connection.execute(
        "INSERT INTO suppressions (key, value, reason, created_by, starts_at, ends_at) VALUES (%s, %s, %s, %s, %s, %s) "
        "RETURNING suppression_id",
        (key, value, reason, created_by, starts_at, ends_at),
    )
    number = (await rows.fetchone() or (0,))[0]
    return Suppression(suppression_id=number, key=key, value=value, starts_at=starts_at, ends_at=ends_at)
