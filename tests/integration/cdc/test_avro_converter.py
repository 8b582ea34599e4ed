"""Rows of a real Postgres that Debezium and a real Avro converter write: each is decided on the values of its columns."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.local import extras
from app.local import stack as local_stack
from app.local.state import Stack
from tests.support.bank import MAPPING, Bank, change, decided, rows
from tests.support.registry_clients import deployed
from tests.support.servers import avro_converter

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

FILE = "transactions.json"
PRECISE = {"decimal.handling.mode": "precise"}
"""Debezium's default: the connector of this project writes text, since a JSON converter would write base64."""


@pytest.fixture(scope="module")
def avro_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("avro")
    try:
        also = ["postgres", "connect", "registry"]
        started = local_stack.start(directory / "stack", 1, lifeline_pid=os.getpid(), also=also)
        avro_converter.install(started, directory / "plugins")
        yield started
    finally:
        local_stack.stop(directory / "stack")


async def test_rows_of_an_avro_converter_are_decided_on_the_values_of_their_columns(
    avro_stack: Stack, models: Path, tmp_path: Path
) -> None:
    in_avro = avro_converter.options(avro_stack.registry_url) | PRECISE
    with closing(Bank(extras.urls(avro_stack))) as bank, deployed(avro_stack, models, tmp_path) as deployment:
        bank.insert(rows(60, "snapshot"))
        await deployment.ensure_topics()
        deployment.worker(FRAUDSTREAM_CDC_MAPPING=str(MAPPING)).start()
        await asyncio.to_thread(bank.register, deployment, FILE, in_avro)
        await decided(deployment, bank.inserted)
        bank.insert(rows(40, "streamed", seed=8))
        await change(bank)
        await decided(deployment, bank.inserted)
        await deployment.drained()

        records = await deployment.read(deployment.settings.topics.transactions)
        assert {record.value[:1] for record in records if record.value is not None} == {b"\0"}
        found = {name: each["transaction"] for name, (each,) in (await deployment.decisions()).items()}
        assert await deployment.read(deployment.settings.topics.dead_letters) == []

    names = ("customer_id", "amount_minor", "currency", "event_time")
    assert {
        row.transaction_id: (row.customer_id, row.amount_minor, row.currency, row.event_time_ms)
        for row in bank.inserted
    } == {name: tuple(each[field] for field in names) for name, each in found.items()}
