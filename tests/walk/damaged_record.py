"""Sends a record that can never be scored, and waits until the workers have read everything: ``python -m tests.walk.damaged_record``."""

import asyncio
import json
import time

from aiokafka import AIOKafkaProducer

from app.adapters.kafka.cluster import read_cluster
from app.settings import Settings

RECORD = {
    "transaction_id": "t",
    "customer_id": "c",
    "terminal_id": "m",
    "event_time": 1,
    "amount_minor": "ten",
}
SECONDS = 120.0


async def main(settings: Settings) -> None:
    """Send the record, then wait."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(settings.topics.transactions, json.dumps(RECORD).encode(), key=b"c")
    await producer.stop()
    deadline = time.monotonic() + SECONDS
    while unread := await _unread(settings):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the workers have not read everything after {SECONDS:.0f} s: {unread}")
        await asyncio.sleep(1)


async def _unread(settings: Settings) -> dict[str, int | str]:
    """What workers have not read, by group. The role analytics commits when a file is full, minutes later."""
    groups = (settings.worker.app_id, settings.entities.app_id, settings.crm.app_id)
    state = await read_cluster(settings.kafka, list(groups))
    running = {group.name: group.lag_records for group in state.groups if group.members}
    return {name: running.get(name, "no worker") for name in groups if running.get(name) != 0}


if __name__ == "__main__":
    asyncio.run(main(Settings.from_env()))
