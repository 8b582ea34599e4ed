"""The worker's side of the control topics: it applies orders and publishes the worker's report.

The models also change with aliases.toml, which is read again when the file changes and on SIGHUP. Scoring does not
depend on any of this: if a topic cannot be read or written, the failure is logged and tried again.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from aiokafka.errors import KafkaError

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.models.aliases import FILE_NAME
from app.adapters.observability.causes import where
from app.adapters.topic_records.control_log import (
    PARTITION,
    ControlLog,
    farewell_record,
    report_record,
    stop_record,
)
from app.adapters.topic_records.control_reader import ControlReader, open_control_reader
from app.domain.control import REPORT_SECONDS, WorkerReport
from app.errors import FraudstreamError, SendFailed
from app.metrics import Metrics
from app.settings import Settings
from app.streaming.control.controller import ModelController

_FILE_POLL_SECONDS = 1.0
_RETRY_SECONDS = 5.0

_log = structlog.get_logger("model")


class ControlListener:
    """Passes orders to the ModelController of a worker and sends its reports. ``log`` is what was read at the start."""

    def __init__(
        self,
        settings: Settings,
        worker: str,
        controller: ModelController,
        log: ControlLog,
        sender: BatchProducer,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._controller = controller
        self._log = log  # _read_orders replaces it whenever it reads the topic from its beginning
        self._heard = log.orders.heard
        self._sender = sender
        self._metrics = metrics
        self._metrics.count("control_records_refused_total", log.refused)
        self._retry_seconds = _RETRY_SECONDS
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start to read the topic, to poll aliases.toml and to report."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._controller.changed.set)
        loops = (self._follow, self._read_orders, self._poll_aliases)
        self._tasks = [asyncio.create_task(self._keep_running(work)) for work in loops]

    async def stop(self) -> None:
        """Stop, and remove the worker's report from the topic."""
        for task in self._tasks:
            task.cancel()
        await self._send(farewell_record(self._worker))

    async def _keep_running(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin ``work`` again after an error: without it no later order would be followed. The worker scores meanwhile."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # no record, and no fault of this code, may end the control of models
                self._metrics.count("model_control_failures_total")
                _log.error("model_control_failed", cause=type(error).__name__, at=where(error))
                await asyncio.sleep(self._retry_seconds)

    async def _follow(self) -> None:
        """Apply the newest orders after each change, one change at a time. Report after each, and at intervals."""
        changed = self._controller.changed
        while True:
            await self._send_stop()
            await self._send(report_record(self._report()))
            try:
                async with asyncio.timeout(REPORT_SECONDS):
                    await changed.wait()
            except TimeoutError:
                continue
            changed.clear()
            orders = self._log.orders
            await self._controller.follow(orders)
            self._heard = orders.heard

    def _report(self) -> WorkerReport:
        report, refused = self._controller.report(self._heard), self._log.order_refused
        return report if refused is None else msgspec.structs.replace(report, order_refused=refused)

    async def _send_stop(self) -> None:
        """Report that the canary left its bounds on this worker, so that the others stop it too.

        Nothing is sent if the order in force is another one by now, or none.
        """
        stop, order = self._controller.unsent_stop, self._log.orders.canary
        if stop is None:
            return
        stale = order is None or order.ordered_at != stop.ordered_at
        if stale or await self._send(stop_record(self._worker, stop)):
            self._controller.stop_sent()

    async def _read_orders(self) -> None:
        """Read the topic for ever. After a failure it is read from its beginning: it is small, and no order is missed."""
        changed = self._controller.changed
        while True:
            try:
                async with open_control_reader(self._settings) as reader:
                    self._log = await reader.read_to_end()
                    self._metrics.count("control_records_refused_total", self._log.refused)
                    changed.set()
                    async for records in reader.batches():
                        self._apply(reader, records)
            except (FraudstreamError, KafkaError, OSError) as error:
                _log.warning("control_topic_unread", cause=str(error))
                await asyncio.sleep(self._retry_seconds)

    def _apply(self, reader: ControlReader, records: Sequence[Record]) -> None:
        refused = self._log.refused
        about_orders = [reader.apply(self._log, record) for record in records]
        if any(about_orders):
            self._controller.changed.set()
        self._metrics.count("control_records_refused_total", self._log.refused - refused)

    async def _poll_aliases(self) -> None:
        file = Path(self._settings.model.dir) / FILE_NAME
        previous = _version(file)
        while True:
            await asyncio.sleep(_FILE_POLL_SECONDS)
            if (current := _version(file)) != previous:
                previous = current
                self._controller.changed.set()

    async def _send(self, record: OutRecord) -> bool:
        try:
            await self._sender.send(self._settings.topics.worker_reports, PARTITION, [record])
        except SendFailed as error:
            _log.warning("report_unwritten", cause=str(error))
            return False
        return True


def _version(file: Path) -> tuple[int, int] | None:
    """Modification time and inode of the file, links followed: a mounted ConfigMap changes by its link."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
