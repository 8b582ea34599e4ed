"""A bank on this machine for ``fraudstream cdc demo``: Postgres, Kafka Connect, Kafka and a worker."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.adapters.kafka.connect_rest import ConnectClient, load_connector
from app.demo import workers
from app.demo.folder import STACK
from app.demo.machine_code import compiling
from app.demo.models import with_models
from app.demo.workers import Worker
from app.local import extras
from app.local import stack as local_stack
from app.local.state import Stack
from app.settings import Settings, values
from app.topics import provisioning
from app.traffic.bank_table import BankTable, example

PARTITIONS = 4
"""The same number as in the demo without a database."""
CONNECTOR = "transactions.json"


class Bank(NamedTuple):
    """The running servers. No rows are streamed until ``stream`` registers the connector."""

    settings: Settings
    table: BankTable
    worker: Worker

    def stream(self) -> None:
        """Register the connector: it sends the present rows of the table to Kafka, then every change."""
        connector = load_connector(example(CONNECTOR))
        connect = ConnectClient(self.settings.cdc.connect_url)
        connect.put(connector)
        connect.wait_running(connector.name)


@contextmanager
def open_bank(directory: Path, settings: Settings) -> Iterator[Bank]:
    """Start everything, and stop it again however the block ends."""
    settings = with_models(settings, os.environ)
    worker: Worker | None = None
    try:
        with compiling(directory, settings):
            stack = local_stack.start(
                directory / STACK, brokers=1, lifeline_pid=os.getpid(), also=["postgres", "connect"]
            )
        urls = extras.urls(stack)
        local = _local(settings, stack, urls["connect"])
        asyncio.run(provisioning.ensure(local))
        worker = Worker("worker-1", directory, {name: str(value) for name, value in values(local).items()})
        worker.start()
        with BankTable(urls["postgres"]) as table:
            table.create()
            yield Bank(local, table, worker)
    finally:
        if worker is not None:
            workers.stop([worker])
        local_stack.stop(directory / STACK)


def _local(settings: Settings, stack: Stack, connect_url: str) -> Settings:
    replace = msgspec.structs.replace
    return replace(
        settings,
        kafka=replace(settings.kafka, bootstrap_servers=stack.bootstrap_servers),
        topics=replace(settings.topics, replication_factor=1, partitions=PARTITIONS),
        worker=replace(settings.worker, metrics_port=0),
        redis=stack.redis,
        cdc=replace(settings.cdc, connect_url=connect_url, mapping=str(example("transactions.toml"))),
    )
