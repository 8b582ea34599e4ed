"""Cases and alerts as rows, and back."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from app.cases.case import Case
from app.cases.contract import CaseAlert, CaseChange
from app.cases.grouping import Placement

CASE_COLUMNS = Case.__struct_fields__
ALERT_COLUMNS = CaseAlert.__struct_fields__
_CASE_NAMES = ", ".join(CASE_COLUMNS)
SELECT_CASES = f"SELECT {_CASE_NAMES} FROM cases"  # noqa: S608  # names of columns
RETURNING = "RETURNING " + ", ".join(f"cases.{name}" for name in CASE_COLUMNS)
_PUT_CASE = (
    f"INSERT INTO cases ({_CASE_NAMES}) VALUES ({', '.join(['%s'] * len(CASE_COLUMNS))}) ON CONFLICT (case_id) DO UPDATE SET "  # noqa: S608  # names of columns
    + ", ".join(f"{name} = excluded.{name}" for name in CASE_COLUMNS if name != "case_id")
)
# An alert that was restored from a change of its case gets its body when it is read again.
_PUT_ALERT = (
    f"INSERT INTO alerts ({', '.join(ALERT_COLUMNS)}, case_id, suppression_id, body) "  # noqa: S608  # names of columns
    f"VALUES ({', '.join(['%s'] * (len(ALERT_COLUMNS) + 3))}) ON CONFLICT (alert_id) DO NOTHING"
)


async def read_cases(connection: AsyncConnection[Any], where: str, values: Sequence[object]) -> list[Case]:
    """The cases that a condition and what follows it select."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{SELECT_CASES} {where}".encode(), values)
        return [msgspec.convert(row, Case) for row in await cursor.fetchall()]


async def put_cases(connection: AsyncConnection[Any], cases: Sequence[Case]) -> None:
    """Write cases, each as a whole. Their rows are locked, or new."""
    await _many(connection, _PUT_CASE, _rows(cases))


async def put_newer_cases(connection: AsyncConnection[Any], cases: Sequence[Case]) -> None:
    """Write cases of which no later version is there."""
    await _many(connection, f"{_PUT_CASE} WHERE cases.version < excluded.version", _rows(cases))


async def put_alerts(
    connection: AsyncConnection[Any], placements: Sequence[Placement], bodies: Sequence[bytes | None]
) -> None:
    """Write alerts that are not there."""
    rows = [
        (*_values(place.alert), place.case_id, place.suppression_id, body)
        for place, body in zip(placements, bodies, strict=True)
    ]
    await _many(connection, _PUT_ALERT, rows)


async def put_changes(connection: AsyncConnection[Any], changes: Sequence[CaseChange]) -> None:
    """Write changes into the outbox, in order."""
    rows = [(change.case_id, change.version, msgspec.json.encode(change)) for change in changes]
    await _many(connection, "INSERT INTO outbox (case_id, version, body) VALUES (%s, %s, %s)", rows)


def _rows(cases: Sequence[Case]) -> list[tuple[object, ...]]:
    return [tuple(getattr(case, name) for name in CASE_COLUMNS) for case in cases]


def _values(alert: CaseAlert) -> tuple[object, ...]:
    return tuple(getattr(alert, name) for name in ALERT_COLUMNS)


async def _many(connection: AsyncConnection[Any], statement: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        async with connection.cursor() as cursor:
            await cursor.executemany(statement.encode(), rows)
