"""The worker of the role "analytics": decisions and labels into Parquet by day, and each day's report as it goes on.

It has no table. Its files say where reading goes on, not what the group has committed: docs/groups.md.
"""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import faust
import structlog
from faust.types import TP

from app.adapters.day_figures import FiguresOfDays
from app.adapters.day_files import DayFiles
from app.adapters.feeds import DECISIONS, LABELS, Feed
from app.settings import Settings
from app.streaming.chunks import ChunkTransport
from app.streaming.fail_stop import fail_stop
from app.streaming.role import Role
from app.streaming.shelf import Cabinet, Shelf

_log = structlog.get_logger("analytics")


class AnalyticsWorker(Role):
    """A day's figures are at most FRAUDSTREAM_ANALYTICS_REPORT_SECONDS behind what it has read."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        topics, ours = settings.topics, settings.analytics
        super().__init__(settings, app, (topics.decisions, topics.labels))
        self._feeds: dict[str, Feed] = {topics.decisions: DECISIONS, topics.labels: LABELS}
        self._files = DayFiles(Path(ours.dir))
        self._cabinet = Cabinet(
            self._files,
            FiguresOfDays(Path(ours.dir)),
            self.metrics,
            ours.roll_rows,
            ours.roll_seconds,
            time.monotonic,
            self._fence.check,
        )
        self._shelves: dict[TP, Shelf] = {}

    async def start(self) -> None:
        """See Role.start."""
        await self._check()
        ids = await self._know_logs()
        for topic, feed in self._feeds.items():
            self._files.bind(feed.name, topic, str(ids[topic]))
        cast(ChunkTransport, self._app.transport).places = self._places
        self._stand()
        self._beside.append(asyncio.create_task(self._tick()))
        _log.info("started", role="analytics")

    def on_restored(self) -> None:
        """See Role.on_restored."""
        self._forget()
        super().on_restored()

    async def accept(self, event: Any) -> None:
        """See Role.accept."""
        chunk, message = event.value, event.message
        lane, last_offset = self.lanes.of(message.topic, chunk.partition), message.offset
        self.health.taken(lane, last_offset)
        self.metrics.observe("chunk_events", len(chunk.records))
        await self._shelf(message.tp).put(event, self._consumer)
        self.health.finished(lane, last_offset)
        if message.topic == self.settings.topics.decisions:
            self._tell_lag(message.topic, chunk.partition, last_offset)

    def _shelf(self, tp: TP) -> Shelf:
        if tp not in self._shelves:
            self._shelves[tp] = Shelf(self._feeds[tp.topic], tp.partition, self._cabinet)
        return self._shelves[tp]

    async def _tick(self) -> None:
        with fail_stop("keeping the day's figures"):
            while True:
                await asyncio.sleep(self.settings.analytics.report_seconds)
                for shelf in list(self._shelves.values()):
                    await shelf.tick(self._consumer)

    def _places(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Called in the Kafka client's thread."""
        with fail_stop("finding where the files end"):
            found = {tp: self._files.progress(self._feeds[tp.topic].name, tp.partition) for tp in tps}
        return {tp: progress.next_offset for tp, progress in found.items() if progress.next_offset}
