"""The Faust app: group membership, assignment, the table with its changelog, and agents on chunks."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager

from app.adapters.observability import logs
from app.errors import FraudstreamError
from app.settings import Settings
from app.streaming.consumer.chunk_consumer import chunk_transport
from app.streaming.consumer.chunk_schema import ChunkSchema
from app.streaming.consumer.credentials import faust_credentials
from app.streaming.cpu_affinity import take_turns
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.monitoring.fetch_sensor import HealthSensor
from app.streaming.roles.worker import Role
from app.streaming.state.recovery import BulkTableManager
from app.streaming.state.tables import StateTable

EXIT_REFUSED = 2
_CHUNKS_QUEUED = 8
"""Chunks fetched ahead of the agent; with the chunks in flight this bounds a worker's memory."""
_FETCH_BYTES = 1024 * 1024
"""Per partition and fetch."""

_log = structlog.get_logger("engine")


class WithoutWeb(BootStrategy):
    """No web server, which would serve customers' state to anyone on all addresses.

    The setting ``web_enabled`` is not enough: the command line's own default turns it on again.
    """

    enable_web = False


class WorkerApp(faust.App):
    """Starts the worker of its role before Faust joins the group, and refuses to start when it cannot."""

    BootStrategy = WithoutWeb
    role: Role

    async def on_start(self) -> None:
        await super().on_start()
        try:
            take_turns(self.role.settings.worker.core)
            await self.role.start()
        except FraudstreamError as error:
            _log.error("refused_to_start", error=f"{type(error).__name__}: {error}")
            sys.stdout.flush()
            sys.stderr.flush()
            # Nothing was begun that would have to be ended in order; Faust would print a page of traceback.
            os._exit(EXIT_REFUSED)
        _collect_garbage_less_often()

    def on_rebalance_start(self) -> None:
        """Called in the Kafka client's thread. Not every rebalance is told to a sensor: Faust loses one that
        begins while the last one ends.
        """
        self.role.health.rebalancing()
        super().on_rebalance_start()

    def on_rebalance_end(self) -> None:
        """Called after the restore."""
        super().on_rebalance_end()
        self.role.on_restored()

    def _on_rebalance_when_stopped(self) -> None:
        """Faust closes the Kafka client here, ahead of the coordinator that uses it and in another thread's loop: it then
        asks in vain until our watchdog ends the process, and the group waits until its session is over. Stopping
        closes both, in order.
        """

    async def on_stop(self) -> None:
        self.role.stopping()
        await super().on_stop()
        await self.role.stop()


def _collect_garbage_less_often() -> None:
    """The default looks at every live object many times a second: 40 % of the hot path, for no garbage at all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def build_app(settings: Settings, table_manager: type[TableManager] = BulkTableManager) -> WorkerApp:
    """The app of one worker process. Every name that reaches Kafka is given, none derived from a module.

    A ``table_manager`` other than ours restores as it likes; the bench compares with Faust's own.
    """
    kafka, topics, worker = settings.kafka, settings.topics, settings.worker
    Path(worker.data_dir).mkdir(parents=True, exist_ok=True)
    logs.configure(worker.log_format)
    app = WorkerApp(
        settings.app_id,
        broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=faust_credentials(kafka),
        broker_session_timeout=kafka.session_timeout_seconds,
        broker_heartbeat_interval=kafka.heartbeat_seconds,
        broker_request_timeout=kafka.request_timeout_seconds,
        broker_commit_interval=kafka.commit_interval_seconds,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=worker.instance_id or None,
        consumer_max_fetch_size=_FETCH_BYTES,
        datadir=worker.data_dir,
        logging_config=logs.standard_config(worker.log_format, worker.log_level),
        store="rocksdb://",
        Table=StateTable,
        TableManager=table_manager,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=topics.partitions,
        stream_buffer_maxsize=_CHUNKS_QUEUED,
        processing_guarantee="at_least_once",
        web_enabled=False,
    )
    app.role = _role(app, settings)
    app.transport = chunk_transport(app.role.lanes.topics, worker.chunk_max_events)(app.conf.broker, app)
    app.sensors.add(HealthSensor(app.role.health, app.role.lanes))
    for topic in app.role.lanes.topics:
        _add_agent(app, topic)
    return app


def _role(app: WorkerApp, settings: Settings) -> Role:
    """The worker of the role in the settings. Only its own modules are imported: each role needs other libraries."""
    role = settings.worker.role
    if role == "analytics":
        from app.streaming.roles.analytics import AnalyticsWorker  # noqa: PLC0415  # no other role needs it

        return AnalyticsWorker(settings, app)
    if role == "crm":
        from app.streaming.roles.crm import CrmWorker  # noqa: PLC0415  # no other role needs it

        return CrmWorker(settings, app)
    if role == "entities":
        from app.streaming.roles.entities import EntityWorker  # noqa: PLC0415  # no other role needs it

        return EntityWorker(settings, app)
    from app.streaming.roles.risk import RiskWorker  # noqa: PLC0415  # no other role needs scikit-learn

    return RiskWorker(settings, app)


def _add_agent(app: WorkerApp, topic: str) -> None:
    async def work(chunks: Any) -> None:
        with fail_stop("working on a chunk"):
            async for event in chunks.noack().events():
                await app.role.accept(event)

    name = f"{app.conf.id}-{topic}"
    app.agent(app.topic(topic, schema=ChunkSchema()), name=name, concurrency=1)(work)
