"""Restores cases from their changes into empty tables."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from app.adapters.postgres.outcomes import put_answers, put_labels
from app.adapters.postgres.rows import put_alerts, put_newer_cases
from app.cases.contract import CaseChange
from app.cases.grouping import Placement, case_after
from app.errors import DatabaseRefused, StateCorrupt


async def require_empty(connection: AsyncConnection[Any], schema: str) -> None:
    """Raise DatabaseRefused where a worker or a rebuild has written already."""
    rows = await connection.execute("SELECT EXISTS (SELECT FROM cases) OR EXISTS (SELECT FROM offsets)")
    if (await rows.fetchone() or (False,))[0]:
        raise DatabaseRefused(
            f"the schema {schema} holds cases. Name an empty one in FRAUDSTREAM_CASES_DATABASE_SCHEMA, or drop this one; stop "
            "the workers of the role cases first."
        )


async def begin(connection: AsyncConnection[Any]) -> None:
    """Changes come partition by partition: until all are read, two cases of a customer may look open."""
    await connection.execute("DROP INDEX cases_open")


async def restore(connection: AsyncConnection[Any], changes: Sequence[CaseChange]) -> None:
    """Restore the cases after some changes, with the alerts, labels and answers in them. Nothing is published again."""
    newest = {change.case_id: change for change in sorted(changes, key=lambda change: change.version)}
    await put_newer_cases(connection, [case_after(change) for change in newest.values()])
    placements = [Placement(alert, change.case_id, None) for change in changes for alert in change.alerts]
    await put_alerts(connection, placements, [None] * len(placements))
    await put_labels(connection, [label for change in changes for label in change.labels])
    await put_answers(connection, [answer for change in changes for answer in change.answers])


async def finish(connection: AsyncConnection[Any]) -> None:
    """Raises StateCorrupt where the changes leave a customer with two open cases."""
    rows = await connection.execute(
        "SELECT count(*) FROM (SELECT FROM cases WHERE status <> 'closed' GROUP BY customer_id HAVING count(*) > 1) AS twice"
    )
    twice = (await rows.fetchone() or (0,))[0]
    if twice:
        raise StateCorrupt(
            f"the topic of changes leaves {twice} customers with two open cases: it lacks changes. Use --without-changes."
        )
    await connection.execute("CREATE UNIQUE INDEX cases_open ON cases (customer_id) WHERE status <> 'closed'")
