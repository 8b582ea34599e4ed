"""Publishes changes of cases: they leave the database in order, are acknowledged by Kafka, and are then marked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection

_LOCK = 0x6F757462
"""Key of the advisory lock that the one publisher of a deployment holds: "outb"."""

MOST_BYTES = 4 * 1024 * 1024
"""Of the changes that are in memory at once; a larger one goes alone."""
_NEXT = """
SELECT outbox_id, case_id, version, body FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY outbox_id) - octet_length(body) AS bytes_before FROM (
        SELECT outbox_id, case_id, version, body FROM outbox WHERE published_at IS NULL ORDER BY outbox_id LIMIT %s
    ) AS first
) AS sized WHERE bytes_before < %s ORDER BY outbox_id
"""


class Waiting(NamedTuple):
    """A change that is not published."""

    outbox_id: int
    case_id: str
    version: int
    body: bytes


Publish = Callable[[Sequence[Waiting]], Awaitable[None]]
"""Returns when the topic has all of them."""


async def drain(connection: AsyncConnection[Any], publish: Publish, most: int, now_ms: int) -> int:
    """Publish up to ``most`` changes, and MOST_BYTES, in the transaction of the caller; how many. 0 while another process publishes.

    A crash between the acknowledgement and the commit publishes them again, under the same ids: readers skip a version that
    they have seen.
    """
    locked = await connection.execute(
        "SELECT pg_try_advisory_xact_lock(%s, hashtext(current_schema()))", (_LOCK,)
    )
    if not (await locked.fetchone() or (False,))[0]:
        return 0
    rows = await connection.execute(_NEXT, (most, MOST_BYTES))
    waiting = [
        Waiting(number, name, version, bytes(body)) for number, name, version, body in await rows.fetchall()
    ]
    if waiting:
        await publish(waiting)
        await connection.execute(
            "UPDATE outbox SET published_at = %s WHERE outbox_id = ANY(%s)",
            (now_ms, [change.outbox_id for change in waiting]),
        )
    return len(waiting)


async def count_waiting(connection: AsyncConnection[Any]) -> int:
    """The changes that are not published."""
    rows = await connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return int((await rows.fetchone() or (0,))[0])


async def remove_published(connection: AsyncConnection[Any], before_ms: int) -> None:
    """Remove changes that were published before a time."""
    await connection.execute("DELETE FROM outbox WHERE published_at < %s", (before_ms,))
