"""The offsets that rows were applied to."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection

from app.adapters.postgres.connecting import connect_blocking
from app.domain.words import named
from app.errors import DatabaseAway
from app.settings import CasesSettings

PAUSE_SECONDS = 0.5
_SELECT = "SELECT topic, partition, topic_id, next_offset FROM offsets"

Stored = dict[tuple[str, int], tuple[str, int]]
"""The topic id and the next offset of each topic and partition."""


async def read_offsets(connection: AsyncConnection[Any]) -> Stored:
    """All offsets."""
    return _stored(await (await connection.execute(_SELECT)).fetchall())


def read_offsets_blocking(cases: CasesSettings, clock: Callable[[], float]) -> Stored:
    """All offsets, for a thread without an event loop; tries again within a bound. Raises DatabaseAway."""
    deadline = clock() + cases.database_wait_seconds
    while True:
        try:
            with connect_blocking(cases) as connection:
                return _stored(connection.execute(_SELECT).fetchall())
        except psycopg.OperationalError as error:
            if clock() >= deadline:
                raise DatabaseAway(f"the database of cases did not answer ({named(error)})") from None
        time.sleep(PAUSE_SECONDS)  # in a thread of its own; a database that is away sends no notification


def _stored(rows: Sequence[Any]) -> Stored:
    return {(topic, number): (topic_id, offset) for topic, number, topic_id, offset in rows}
