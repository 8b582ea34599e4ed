"""Records when decisions and alerts arrive, in a process of its own: `python -m bench.harness.receiver REPORT`.

It reads raw records and only extracts their number, without decoding. The clock is the machine's monotonic one, which all
processes on Linux share. At SIGTERM it writes the report and exits.
"""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from numpy.typing import NDArray

from app.settings import Settings
from bench.data.numbered import number_of

POLL_MS = 200
READY = "ready"


class Arrivals:
    """Event numbers of the records that arrived, each with the time of its first arrival."""

    def __init__(self) -> None:
        self._first_ns: dict[int, int] = {}

    def note(self, records: list[Any], now_ns: int) -> None:
        """Record the arrival of these records."""
        for record in records:
            self._first_ns.setdefault(number_of(record.value), now_ns)

    def columns(self) -> NDArray[np.int64]:
        """Return an array of two rows: numbers and nanoseconds."""
        return np.array([list(self._first_ns), list(self._first_ns.values())], dtype=np.int64)


async def run(report: Path) -> None:
    """Receive until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = Settings.from_env()
    topics = settings.topics
    arrivals = {topics.decisions: Arrivals(), topics.alerts: Arrivals()}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    async with consumer:
        consumer.assign([TopicPartition(topic, at) for topic in arrivals for at in range(topics.partitions)])
        print(READY, flush=True)
        while not stop.is_set():
            fetched = await consumer.getmany(timeout_ms=POLL_MS)
            now_ns = time.monotonic_ns()
            for tp, records in fetched.items():
                arrivals[tp.topic].note(records, now_ns)
    np.savez(report, decisions=arrivals[topics.decisions].columns(), alerts=arrivals[topics.alerts].columns())


if __name__ == "__main__":
    uvloop.run(run(Path(sys.argv[1])))
