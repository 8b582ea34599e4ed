"""Reads cases for people."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from app.adapters.postgres.actions import AVAILABLE, BY_PRIORITY
from app.adapters.postgres.rows import SELECT_CASES
from app.cases.case import Case
from app.cases.contract import Status


class AlertRow(NamedTuple):
    """An alert of a case with what became known of it."""

    alert_id: str
    transaction_id: str
    terminal_id: str
    event_time: int
    score: float
    outcome: str
    amount_minor: int
    currency: str
    is_fraud: bool | None
    """By its newest label; None without one."""
    customer_says_fraud: bool | None


class Hidden(NamedTuple):
    """What one suppression hid."""

    suppression_id: int
    key: str
    value: str
    reason: str
    created_by: str
    starts_at: int
    ends_at: int
    alerts: int
    fraud: int
    """Alerts whose transaction was later labelled fraud."""


async def queue(connection: AsyncConnection[Any], now_ms: int, most: int) -> list[Case]:
    """The cases that wait, the most urgent first."""
    statement = f"{SELECT_CASES} WHERE {AVAILABLE} ORDER BY {BY_PRIORITY} LIMIT %(most)s"
    return await _cases(connection, statement, {"now": now_ms, "most": most})


async def by_status(connection: AsyncConnection[Any], status: Status, most: int) -> list[Case]:
    """Cases of one status, the newest change first."""
    statement = f"{SELECT_CASES} WHERE status = %(status)s ORDER BY changed_at DESC, case_id LIMIT %(most)s"
    return await _cases(connection, statement, {"status": status, "most": most})


async def one(connection: AsyncConnection[Any], case_id: str) -> Case | None:
    """A case by its id."""
    found = await _cases(connection, f"{SELECT_CASES} WHERE case_id = %(id)s", {"id": case_id})
    return found[0] if found else None


async def alerts_of(connection: AsyncConnection[Any], case_id: str) -> Sequence[AlertRow]:
    """The alerts of a case, in order of event time."""
    async with connection.cursor(row_factory=class_row(AlertRow)) as cursor:
        await cursor.execute(
            "SELECT alert_id, transaction_id, terminal_id, event_time, score, outcome, amount_minor, currency, "
            "labels.is_fraud, answers.is_fraud AS customer_says_fraud FROM alerts "
            "LEFT JOIN labels USING (transaction_id) LEFT JOIN answers USING (transaction_id) "
            "WHERE case_id = %s ORDER BY event_time, alert_id",
            (case_id,),
        )
        return await cursor.fetchall()


async def hidden(connection: AsyncConnection[Any]) -> Sequence[Hidden]:
    """Every suppression, with the alerts that it hid and how many of them were later labelled fraud."""
    async with connection.cursor(row_factory=class_row(Hidden)) as cursor:
        await cursor.execute(
            "SELECT suppressions.suppression_id, key, value, reason, created_by, starts_at, ends_at, "
            "count(alert_id) AS alerts, count(*) FILTER (WHERE labels.is_fraud) AS fraud FROM suppressions "
            "LEFT JOIN alerts USING (suppression_id) LEFT JOIN labels USING (transaction_id) "
            "GROUP BY suppressions.suppression_id ORDER BY suppressions.suppression_id"
        )
        return await cursor.fetchall()


async def _cases(connection: AsyncConnection[Any], statement: str, values: dict[str, object]) -> list[Case]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement.encode(), values)
        return [msgspec.convert(row, Case) for row in await cursor.fetchall()]
