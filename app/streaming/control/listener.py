"""What may change who scores, heard while the worker scores: an order on the control topic, aliases.toml, SIGHUP.

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

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord
from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.adapters.models.aliases import FILE_NAME
from app.adapters.topic_records.control_log import (
    PARTITION,
    ControlLog,
    farewell_record,
    order_record,
    report_record,
)
from app.domain.control import WorkerReport
from app.errors import FraudstreamError, SendFailed
from app.settings import Settings
from app.streaming.control.champion import ModelSwitch
from app.streaming.control.lineup import LineupSwitch

REPORT_SECONDS = 15.0
"""A report this many times three old is of a worker that is gone."""
_FILE_POLL_SECONDS = 1.0
_RETRY_SECONDS = 5.0

_log = structlog.get_logger("model")


class ModelControl:
    """One worker's ear and voice on the control topic."""

    def __init__(
        self,
        settings: Settings,
        worker: str,
        switch: ModelSwitch,
        lineup: LineupSwitch,
        log: ControlLog,
        sender: BatchProducer,
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._switch = switch
        self._lineup = lineup
        self._log = log  # replaced by what is read while listening
        self._heard = log.orders.heard
        self._sender = sender
        self._changed = asyncio.Event()
        lineup.on_stopped = self._changed.set
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, now_ms: Callable[[], int]) -> None:
        """Begin to listen; the state of the log was read before."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._changed.set)
        self._tasks = [
            asyncio.create_task(self._follow(now_ms)),
            asyncio.create_task(self._watch_orders()),
            asyncio.create_task(self._watch_aliases()),
        ]
        for task in self._tasks:
            task.add_done_callback(_tell_of_an_end)

    async def stop(self) -> None:
        """No report of this worker is left behind."""
        for task in self._tasks:
            task.cancel()
        await self._send(farewell_record(self._worker))

    async def _follow(self, now_ms: Callable[[], int]) -> None:
        """One change after the other: the newest counts. Reports after each, and at intervals."""
        while True:
            await self._tell_of_a_stop()
            await self._send(report_record(self._report(now_ms())))
            try:
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()
            orders = self._log.orders
            await self._switch.follow(orders.champion)
            await self._lineup.follow(orders)
            self._heard = orders.heard

    async def _tell_of_a_stop(self) -> None:
        """A canary that left its bounds here is ended everywhere; unless another was ordered since."""
        stop, order = self._lineup.unsent_stop, self._log.orders.canary
        if stop is None:
            return
        if order is None or order.ordered_at != stop.ordered_at or await self._send(order_record(stop)):
            self._lineup.unsent_stop = None

    async def _watch_orders(self) -> None:
        """After a failure all is read again: the topic is small, and an order may have been missed."""
        while True:
            try:
                async with read_control(self._settings) as reader:
                    self._log = await as_it_stands(reader)
                    self._changed.set()
                    async for records in reader.batches():
                        about_orders = [self._log.apply(record) for record in records]
                        if any(about_orders):
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
            heard=self._heard,
            challengers=self._lineup.challengers_reports(),
            canary=self._lineup.canary_report(),
        )

    async def _send(self, record: OutRecord) -> bool:
        try:
            await self._sender.send(self._settings.topics.control, PARTITION, [record])
        except SendFailed as error:
            _log.warning("control_topic_unwritten", cause=str(error))
            return False
        return True


@asynccontextmanager
async def read_control(settings: Settings) -> AsyncIterator[TailReader]:
    """The control topic from its beginning."""
    async with open_tail_reader(settings.kafka, [settings.topics.control], from_beginning=True) as reader:
        yield reader


async def control_log(settings: Settings) -> ControlLog:
    """The control topic as it stands now. Raises ConfigurationError."""
    async with read_control(settings) as reader:
        return await as_it_stands(reader)


async def as_it_stands(reader: TailReader) -> ControlLog:
    """All of it. What comes after it is not read yet. An order that another one followed is nobody's business any more."""
    log = ControlLog()
    async for record in reader.until(await reader.ends()):
        log.apply(record)
    return log


def _tell_of_an_end(task: asyncio.Task[None]) -> None:
    """None of them ends by itself. Scoring goes on, by the models it has."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("model_control_ended", cause=repr(error))


def _stamp(file: Path) -> tuple[int, int] | None:
    """Of the file that a link or a mounted ConfigMap points to now."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
