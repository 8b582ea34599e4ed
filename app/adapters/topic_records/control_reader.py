"""Reads the control topics: the orders of the operators, and the reports of the workers on a topic of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.adapters.topic_records.control_log import ControlLog
from app.adapters.topic_records.order_signatures import OrderCheck, check_by, order_check
from app.settings import Settings


class ControlReader:
    """Reads records from the beginning of the topics. ``check`` refuses orders that are not signed as required."""

    def __init__(self, reader: TailReader, reports_topic: str, check: OrderCheck) -> None:
        self._reader = reader
        self._reports_topic = reports_topic
        self.check = check

    def new_log(self) -> ControlLog:
        """An empty log."""
        return ControlLog(self.check)

    async def read_to_end(self) -> ControlLog:
        """Read all records up to the present end; superseded orders have no effect. Later records remain to be read."""
        log = self.new_log()
        async for record in self.until_end():
            self.apply(log, record)
        return log

    async def until_end(self) -> AsyncIterator[Any]:
        """All records up to the present end, topic after topic."""
        async for record in self._reader.until(await self._reader.ends()):
            yield record

    async def batches(self) -> AsyncIterator[list[Any]]:
        """See TailReader.batches."""
        async for records in self._reader.batches():
            yield records

    def apply(self, log: ControlLog, record: Any) -> bool:
        """Add a record of either topic to ``log``; True when it changes what models the workers run."""
        return log.apply_report(record) if record.topic == self._reports_topic else log.apply(record)


@asynccontextmanager
async def open_control_reader(
    settings: Settings, key: Ed25519PrivateKey | None = None, *, reports: bool = True
) -> AsyncIterator[ControlReader]:
    """A reader of the control topics from their beginning; without ``reports``, of the orders only.

    With ``key``, only orders signed with it count: a command that signs an order must not repeat in it what others wrote, such
    as the model before. Raises ConfigurationError when a topic does not exist, and when the key of the settings, which verifies
    orders otherwise, cannot be read.
    """
    topics = settings.topics
    names = [topics.control, topics.worker_reports] if reports else [topics.control]
    async with open_tail_reader(settings.kafka, names, from_beginning=True) as reader:
        topic_id = reader.topic_ids[topics.control]
        if key is None:
            check = check_by(settings.control.public_key_file, topic_id)
        else:
            check = order_check(key.public_key(), topic_id)
        yield ControlReader(reader, topics.worker_reports, check)


async def read_control_log(settings: Settings, key: Ed25519PrivateKey | None = None) -> ControlLog:
    """Read the control topics up to their present end. Raises as ``open_control_reader``."""
    async with open_control_reader(settings, key) as reader:
        return await reader.read_to_end()


async def read_orders(settings: Settings) -> ControlLog:
    """Read the topic of orders up to its present end. Raises as ``open_control_reader``."""
    async with open_control_reader(settings, reports=False) as reader:
        return await reader.read_to_end()
