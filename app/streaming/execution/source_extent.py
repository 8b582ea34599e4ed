"""How far the log of transactions is known to reach, as a bound on the offsets that other records name in it.

The brokers are asked only for an offset behind the end that is known. The writer of a genuine record had read its
transaction, so an answer that was requested after the record arrived includes it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from app.errors import FraudstreamError
from app.processing.source_ends import SourceEnds

ANSWER_SECONDS = 5.0
PROVIDER = "the brokers of the transactions"

_log = structlog.get_logger("source_ends")


class Reader(Protocol):
    """See SourceEndsReader."""

    async def read(self) -> SourceEnds: ...

    async def close(self) -> None: ...


class SourceExtent:
    """The newest answer of the brokers."""

    def __init__(self, reader: Reader) -> None:
        self.ends = SourceEnds()
        self._reader = reader
        self._asking = asyncio.Lock()
        self._answers = True

    async def refresh(self, is_enough: Callable[[], bool]) -> bool:
        """Ask the brokers, unless an answer that others waited for is enough. False when they do not answer, which is logged once."""
        async with self._asking:
            if is_enough():
                return True
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    self.ends = await self._reader.read()
            except (FraudstreamError, TimeoutError, OSError) as error:
                if self._answers:
                    _log.warning("source_ends_unknown", cause=str(error) or type(error).__name__)
                self._answers = False
            else:
                self._answers = True
            return self._answers

    async def close(self) -> None:
        """Close the connection to the brokers."""
        await self._reader.close()
