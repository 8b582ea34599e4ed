"""One connection to the database of cases that is opened when needed, and again after it broke."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection

from app.adapters.postgres.connecting import REFUSALS, connect, refused
from app.domain.words import named
from app.errors import DatabaseAway
from app.settings import CasesSettings

PAUSE_SECONDS = 0.5
ResultT = TypeVar("ResultT")
Work = Callable[[AsyncConnection[Any]], Awaitable[ResultT]]
"""What a transaction does. It may run several times, so that it must not change anything but the database."""

_log = structlog.get_logger("cases")


class Database:
    """Runs transactions, one at a time. A transaction that fails for a passing cause runs again within a bound."""

    def __init__(
        self, cases: CasesSettings, clock: Callable[[], float], on_retry: Callable[[], None] = lambda: None
    ) -> None:
        self._cases = cases
        self._clock = clock
        self._on_retry = on_retry
        self._connection: AsyncConnection[Any] | None = None
        self._busy = asyncio.Lock()

    async def run(self, work: Work[ResultT]) -> ResultT:
        """The result of ``work`` in a transaction that is committed.

        After an answer to a commit was lost, ``work`` runs again: it must find what it wrote. Raises DatabaseAway when the
        database does not answer for FRAUDSTREAM_CASES_DATABASE_WAIT_SECONDS, DatabaseRefused when it refuses.
        """
        async with self._busy:
            deadline = self._clock() + self._cases.database_wait_seconds
            while True:
                try:
                    return await self._attempt(work)
                except (psycopg.OperationalError, psycopg.errors.UniqueViolation, OSError) as error:
                    # A row that another worker inserted first is found at the next attempt.
                    await self.close()
                    await self._pause(deadline, error)

    async def close(self) -> None:
        """Close the connection; the next transaction opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _attempt(self, work: Work[ResultT]) -> ResultT:
        if self._connection is None:
            self._connection = await connect(self._cases)
        try:
            async with self._connection.transaction():
                return await work(self._connection)
        except REFUSALS as error:
            raise refused(self._cases, error) from None

    async def _pause(self, deadline: float, error: Exception) -> None:
        self._on_retry()
        if self._clock() >= deadline:
            raise DatabaseAway(
                f"the database of cases did not answer for {self._cases.database_wait_seconds} s ({named(error)})"
            ) from None
        _log.warning("database_away", cause=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)
