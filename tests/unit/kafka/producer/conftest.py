"""A batch producer on a fake client."""

from typing import Any, cast

import pytest

from app.adapters.kafka.batch_producer import BatchProducer
from app.settings import KafkaSettings
from tests.unit.kafka.producer.fake_client import Ids, ManualExecutor, Producer


@pytest.fixture
def producer() -> Producer:
    return Producer()


@pytest.fixture
def executor() -> ManualExecutor:
    return ManualExecutor()


@pytest.fixture
async def sender(producer: Producer, executor: ManualExecutor) -> Any:
    made = BatchProducer(KafkaSettings())
    made._producer = producer
    made._pool = cast(Any, executor)
    made._ids = Ids()
    yield made
    await made.stop()
