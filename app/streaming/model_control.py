"""What may change the champion, heard while the worker scores: an order on the control topic, aliases.toml, SIGHUP.

Scoring depends on none of this: a control topic that cannot be read or written is logged and tried again.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from aiokafka.errors import KafkaError

from app.adapters.aliases import FILE_NAME
from app.adapters.control_log import PARTITION, ControlLog, farewell_record, report_record
from app.adapters.kafka_sender import KafkaSender, OutRecord
from app.adapters.topic_reader import TopicReader, open_reader
from app.domain.control import WorkerReport
from app.errors import FraudstreamError, SendFailed
from app.settings import Settings
from app.streaming.model_switch import ModelSwitch

REPORT_SECONDS = 15.0
"""A report this many times three old is of a worker that is gone."""
_FILE_POLL_SECONDS = 1.0
_RETRY_SECONDS = 5.0

_log = structlog.get_logger("model")


class ModelControl:
    """One worker's ear and voice on the control topic."""

    def __init__(
        self, settings: Settings, worker: str, switch: ModelSwitch, log: ControlLog, sender: KafkaSender
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._switch = switch
        self._log = log  # replaced by what is read while listening
        self._sender = sender
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, now_ms: Callable[[], int]) -> None:
        """Begin to listen; the state of the log was read before."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._changed.set)
        self._tasks = [
            asyncio.create_task(self._follow(now_ms)),
            asyncio.create_task(self._watch_orders()),
            asyncio.create_task(self._watch_aliases()),
        ]

    async def stop(self) -> None:
        """No report of this worker is left behind."""
        for task in self._tasks:
            task.cancel()
        await self._send(farewell_record(self._worker))

    async def _follow(self, now_ms: Callable[[], int]) -> None:
        """One change after the other: the newest counts. Reports after each, and at intervals."""
        while True:
            await self._send(report_record(self._report(now_ms())))
            try:
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()
            await self._switch.follow(self._log.order)

    async def _watch_orders(self) -> None:
        """After a failure all is read again: the topic is small, and an order may have been missed."""
        while True:
            try:
                async with read_control(self._settings) as reader:
                    self._log = await as_it_stands(reader)
                    self._changed.set()
                    async for records in reader.batches():
                        about_the_order = [self._log.apply(record) for record in records]
                        if any(about_the_order):
                            self._changed.set()
            except (FraudstreamError, KafkaError, OSError) as error:
                _log.warning("control_topic_unread", cause=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    async def _watch_aliases(self) -> None:
        file = Path(self._settings.model.dir) / FILE_NAME
        seen = _stamp(file)
        while True:
            await asyncio.sleep(_FILE_POLL_SECONDS)
            if (found := _stamp(file)) != seen:
                seen = found
                self._changed.set()

    def _report(self, now_ms: int) -> WorkerReport:
        running = self._switch.running
        return WorkerReport(
            worker=self._worker,
            host=socket.gethostname(),
            runs=running.bundle.reference,
            since=running.since_ms,
            reported_at=now_ms,
            refused=running.refused,
            answers=running.answers,
        )

    async def _send(self, record: OutRecord) -> None:
        try:
            await self._sender.send(self._settings.topics.control, PARTITION, [record])
        except SendFailed as error:
            _log.warning("control_topic_unwritten", cause=str(error))


@asynccontextmanager
async def read_control(settings: Settings) -> AsyncIterator[TopicReader]:
    """The control topic from its beginning."""
    async with open_reader(settings.kafka, [settings.topics.control], from_beginning=True) as reader:
        yield reader


async def control_log(settings: Settings) -> ControlLog:
    """The control topic as it stands now. Raises ConfigurationError."""
    async with read_control(settings) as reader:
        return await as_it_stands(reader)


async def as_it_stands(reader: TopicReader) -> ControlLog:
    """All of it. What comes after it is not read yet. An order that another one followed is nobody's business any more."""
    log = ControlLog()
    async for record in reader.until(await reader.ends()):
        log.apply(record)
    return log


def _stamp(file: Path) -> tuple[int, int] | None:
    """Of the file that a link or a mounted ConfigMap points to now."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
