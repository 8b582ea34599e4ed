"""Topics that do not exist yet: Kafka Connect creates the topic of a table with its first row."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

CHECK_SECONDS = 5.0
"""Time between two looks for the missing topics, whose first row waits as long."""

_log = structlog.get_logger("reference")


class AwaitedTopics:
    """Finds topics as they appear."""

    def __init__(
        self,
        wanted: Sequence[str],
        find: Callable[[], Awaitable[Mapping[str, str]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted, self._find, self._clock = wanted, find, clock
        self.present: Mapping[str, str] = {}
        """The ids of those that existed at the last look, by name."""
        self._looked_at = float("-inf")
        self._reported: list[str] | None = None

    async def look(self) -> None:
        """Find those that exist. Logs which ones are missing, once."""
        self._looked_at = self._clock()
        self.present = await self._find()
        missing = [name for name in self._wanted if name not in self.present]
        if missing and missing != self._reported:
            _log.warning(
                "topics_awaited",
                topics=missing,
                why="Kafka Connect creates a topic with the first row of its table: "
                "`fraudstream cdc register deploy/connect/reference.json`",
            )
        self._reported = missing

    async def more(self) -> bool:
        """Whether others have appeared. Looks every few seconds, and not at all if all are present."""
        before = len(self.present)
        if before == len(self._wanted) or self._clock() - self._looked_at < CHECK_SECONDS:
            return False
        await self.look()
        return len(self.present) > before
