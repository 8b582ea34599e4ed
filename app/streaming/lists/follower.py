"""Holds the lists of a worker in memory: all records up to the present end before the start, then each as it arrives.

Records are applied in the event loop that also decides chunks, so never while a chunk is decided. If the topic cannot be read, the
lists stay as they are, which a metric and the log show; decisions name their offset.
"""

import asyncio

import structlog
from aiokafka.errors import KafkaError

from app.adapters.kafka.records import Record
from app.adapters.topic_records.list_log import ListLog
from app.adapters.topic_records.list_reader import ListReader, open_list_reader
from app.errors import FraudstreamError, ListsTooLarge, LogReplaced
from app.lists.view import ListsView
from app.metrics import Metrics
from app.settings import Settings
from app.streaming.delivery.fail_stop import fail_stop

RETRY_SECONDS = 1.0

_log = structlog.get_logger("lists")


class ListsFollower:
    """``load``, then ``follow``; ``current`` is asked for each chunk."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._log = ListLog(settings.lists)
        self._topic_id = ""

    @property
    def offset(self) -> int:
        """Of the newest record that was applied; -1 before the first."""
        return self._log.state.offset

    @property
    def size_bytes(self) -> int:
        """The memory of the entries."""
        return self._log.state.size_bytes

    def current(self) -> ListsView:
        """The lists now. The view serves until the event loop runs something else."""
        return self._log.state.current()

    async def load(self) -> None:
        """Read every record. Raises ConfigurationError when the lists cannot be held, or the topic is missing or incomplete."""
        async with open_list_reader(self._settings) as reader:
            self._log, self._topic_id = await reader.read_to_end(), reader.topic_id
        state = self._log.state
        self._metrics.count("list_records_refused_total", self._log.refused)
        self._report()
        _log.info("lists_loaded", offset=self.offset, entries=len(state), bytes=state.size_bytes)

    async def follow(self) -> None:
        """Apply records until cancelled. Ends the process when the lists cannot be held, or the topic was created again."""
        with fail_stop("following the lists"):
            while True:
                try:
                    async with open_list_reader(self._settings) as reader:
                        await self._follow(reader)
                except (ListsTooLarge, LogReplaced):
                    raise
                except (FraudstreamError, KafkaError, OSError) as error:
                    self._metrics.count("list_read_failures_total")
                    _log.warning("lists_unread", cause=str(error))
                    await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, reader: ListReader) -> None:
        if reader.topic_id != self._topic_id:
            raise LogReplaced(f"{reader.topic} was deleted or created again since this worker started")
        async for records in reader.after(self.offset):
            await self._apply(records)

    async def _apply(self, records: list[Record]) -> None:
        refused = self._log.refused
        for record in records:
            if record.offset <= self.offset:
                raise LogReplaced(
                    f"{record.topic} begins again at offset {record.offset} since this worker started"
                )
            self._log.apply(record)
            await asyncio.sleep(
                0
            )  # a record of 1,000 entries takes half a millisecond: chunks come in between
        self._metrics.count("list_records_refused_total", self._log.refused - refused)
        self._report()

    def _report(self) -> None:
        state = self._log.state
        self._metrics.gauge("list_offset", state.offset)
        self._metrics.gauge("list_entries", len(state))
        self._metrics.gauge("list_bytes", state.size_bytes)
