"""A worker of any role whose clock is wrong does not start, whether it writes to Kafka or not."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast, get_args

import msgspec
import pytest

from app.errors import ClockWrong, Paused
from app.settings import Settings, WorkerRole
from app.streaming.execution.prerequisites import NoPrerequisites
from app.streaming.faust_app import build_app
from app.streaming.monitoring.broker_clock import check_clock
from app.streaming.monitoring.clock_watch import ClockWatch
from app.streaming.roles.analytics import AnalyticsWorker
from app.streaming.roles.cases import CasesWorker
from app.streaming.roles.crm import CrmWorker
from app.streaming.roles.entities import EntityWorker
from app.streaming.roles.risk import RiskWorker
from tests.unit.clock import Clock
from tests.unit.kafka.client.fake_broker import DESCRIBE_QUORUM, FakeBroker

UNAUTHORIZED = 31
HOUR_MS = 3_600_000
ROLES = get_args(WorkerRole)


@pytest.fixture
async def broker() -> AsyncIterator[FakeBroker]:
    async with FakeBroker() as broker:
        yield broker


def worker_of(role: str, broker: FakeBroker, directory: Path) -> Any:
    """A worker that has not started."""
    settings = Settings()
    worker = msgspec.structs.replace(
        settings.worker, role=role, data_dir=str(directory / "data"), metrics_port=0
    )
    kafka = msgspec.structs.replace(settings.kafka, bootstrap_servers=broker.address)
    analytics = msgspec.structs.replace(settings.analytics, dir=str(directory / "files"))
    redis = msgspec.structs.replace(settings.redis, url="redis://127.0.0.1:1/0")
    given = msgspec.structs.replace(settings, worker=worker, kafka=kafka, analytics=analytics, redis=redis)
    return build_app(given).role_worker


@pytest.mark.parametrize("ahead_ms", [HOUR_MS, -HOUR_MS])
@pytest.mark.parametrize("role", ROLES)
async def test_no_role_starts_with_a_wrong_clock(
    role: str, ahead_ms: int, broker: FakeBroker, tmp_path: Path
) -> None:
    broker.clock_ahead_ms = ahead_ms
    with pytest.raises(ClockWrong):
        await worker_of(role, broker, tmp_path).start()


async def test_a_right_clock_is_no_obstacle(broker: FakeBroker) -> None:
    await check_clock(broker.address, ClockWatch(60.0, time.time, time.monotonic))


async def test_a_user_who_may_not_describe_the_cluster_starts(broker: FakeBroker) -> None:
    """The acknowledgement of the first write shows the difference to roles that write to Kafka."""
    broker.clock_ahead_ms = HOUR_MS
    broker.passing_errors[DESCRIBE_QUORUM] = [UNAUTHORIZED]

    await check_clock(broker.address, ClockWatch(60.0, time.time, time.monotonic))


@pytest.mark.parametrize("role", ["risk", "entities", "crm"])
async def test_the_time_of_an_acknowledgement_is_compared(
    role: str, broker: FakeBroker, tmp_path: Path
) -> None:
    """For a user who may not describe the cluster, it is the first time of a broker that the worker sees."""
    worker = worker_of(role, broker, tmp_path)
    now = time.time()
    worker._sender._on_broker_time(now, round(now * 1000))
    with pytest.raises(ClockWrong):
        worker._sender._on_broker_time(now, round(now * 1000) + HOUR_MS)


def guards_of(worker: Any) -> list[Callable[[], None]]:
    """What a worker calls before each write: of files, of records, of keys in Redis."""
    match worker:
        case CasesWorker():
            return [worker._writes._may_write]
        case AnalyticsWorker():
            return [worker._context.guard]
        case CrmWorker():
            return [worker._order_of_writes()._guard]
        case EntityWorker():
            runners = (worker._fact_runner(), worker._label_runner(NoPrerequisites()))
            return [worker._open_publisher(cast(Any, None))._guard, *(one._writes._guard for one in runners)]
        case RiskWorker():
            worker._prerequisites = NoPrerequisites()
            return [worker._runner()._writes._guard]
    raise AssertionError(worker)


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_writes_after_a_jump_of_its_clock(
    role: str, broker: FakeBroker, tmp_path: Path
) -> None:
    worker = worker_of(role, broker, tmp_path)
    guards = guards_of(worker)
    for guard in guards:
        guard()
    jumped = Clock()
    jumped.seconds = time.time() + HOUR_MS / 1000
    worker._clock._wall = jumped
    for guard in guards:
        with pytest.raises(ClockWrong):
            guard()


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_writes_after_a_pause(role: str, broker: FakeBroker, tmp_path: Path) -> None:
    worker = worker_of(role, broker, tmp_path)
    later = Clock()
    later.seconds = time.monotonic() + HOUR_MS / 1000
    worker._fence._clock = later
    for guard in guards_of(worker):
        with pytest.raises(Paused):
            guard()
