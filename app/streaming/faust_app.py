"""The Faust app of a worker: group membership, assignment, the table with its changelog, and one agent per topic."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager

from app.adapters.disk import private
from app.adapters.kafka.record_batches import limits
from app.adapters.observability import logs
from app.adapters.postgres.extra import require_psycopg
from app.errors import BrokersUnreachable, ClockWrong, DatabaseAway, FraudstreamError, SendFailed
from app.settings import Settings
from app.streaming.consumer.chunk_consumer import chunk_transport
from app.streaming.consumer.chunk_schema import ChunkSchema
from app.streaming.consumer.credentials import faust_credentials
from app.streaming.cpu_affinity import pin_threads
from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP, fail_stop
from app.streaming.roles.worker import Worker
from app.streaming.state.recovery import BulkTableManager
from app.streaming.state.tables import StateTable

EXIT_REFUSED = 2
_CHUNKS_QUEUED = 8
"""Limit of chunks fetched ahead of an agent. With the limit of records in flight it bounds a worker's memory."""
_POLLED_RECORDS = 50_000
"""Limit per poll: a few compressed kilobytes may hold more records than memory holds objects."""
_FETCH_BYTES = 1024 * 1024
"""Limit per partition and fetch."""

_log = structlog.get_logger("faust_app")


class NoWebServer(BootStrategy):
    """Disables Faust's web server, which would serve the states of customers on all addresses, without a password.

    The setting ``web_enabled`` is not enough: the default of Faust's command line enables the server again.
    """

    enable_web = False


class WorkerApp(faust.App):
    """Starts the worker before Faust joins the group. If that fails, the process ends with exit code 2."""

    BootStrategy = NoWebServer
    role_worker: Worker

    async def on_start(self) -> None:
        await super().on_start()
        _log.info("starting", **self.role_worker.build)
        try:
            pin_threads(self.role_worker.settings.worker.core)
            await self.role_worker.start()
        except FraudstreamError as error:
            _log.error("refused_to_start", error=f"{type(error).__name__}: {error}")
            sys.stdout.flush()
            sys.stderr.flush()
            # Nothing has started that must be stopped in order, and Faust would print a long traceback.
            os._exit(_exit_code(error, reached_brokers=self.role_worker.reached_brokers))
        _collect_garbage_less_often()

    def on_rebalance_start(self) -> None:
        """Called in the Kafka client's thread.

        A sensor would not do: Faust does not report a rebalance to sensors if it begins while the last one ends.
        """
        self.role_worker.health.rebalancing()
        super().on_rebalance_start()

    def on_rebalance_end(self) -> None:
        """Called when the restore is complete."""
        super().on_rebalance_end()
        self.role_worker.on_restored()

    def _on_rebalance_when_stopped(self) -> None:
        """Does nothing, instead of closing the Kafka client.

        Faust closes the client here before the coordinator that uses it, in the loop of another thread. The coordinator
        then retries until the watchdog ends the process, and the group waits for the end of its session. ``on_stop``
        closes both in order.
        """

    async def on_stop(self) -> None:
        self.role_worker.stopping()
        await super().on_stop()
        await self.role_worker.stop()


def _exit_code(error: FraudstreamError, *, reached_brokers: bool) -> int:
    """The exit code of a worker that cannot start: 70 where a restart may help, 2 where a setting must be changed."""
    passes = isinstance(error, BrokersUnreachable | SendFailed | ClockWrong | DatabaseAway)
    return EXIT_FAIL_STOP if passes and reached_brokers else EXIT_REFUSED


def _collect_garbage_less_often() -> None:
    """Raise the thresholds of the garbage collector.

    With the defaults it inspects every live object many times a second: 40 % of the time of scoring, and the hot path
    creates no cycles to collect.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def build_app(settings: Settings, table_manager: type[TableManager] = BulkTableManager) -> WorkerApp:
    """Build the app of one worker process. All names that Kafka sees are explicit; none is derived from a module.

    ``table_manager`` restores the table; the bench also measures Faust's own.
    """
    kafka, topics, worker = settings.kafka, settings.topics, settings.worker
    private.make_folder(Path(worker.data_dir))
    limits.use(kafka)
    logs.configure()
    app = WorkerApp(
        settings.app_id,
        broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=faust_credentials(kafka),
        broker_session_timeout=kafka.session_timeout_seconds,
        broker_heartbeat_interval=kafka.heartbeat_seconds,
        broker_request_timeout=kafka.request_timeout_seconds,
        broker_max_poll_records=_POLLED_RECORDS,
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
    app.role_worker = role_worker = _worker_of_role(app, settings)
    transport = chunk_transport(role_worker.topics, worker.chunk_max_events)(app.conf.broker, app)
    transport.isolation_level = kafka.isolation
    transport.on_lost, transport.on_chunk = role_worker.on_lost, role_worker.on_chunk
    app.transport = transport
    for topic in role_worker.topics:
        _add_agent(app, topic)
    return app


def _worker_of_role(app: WorkerApp, settings: Settings) -> Worker:
    """The worker of the role in the settings. Only its own modules are imported: each role needs other libraries."""
    role = settings.worker.role
    if role == "analytics":
        from app.streaming.roles.analytics import AnalyticsWorker  # noqa: PLC0415  # no other role needs it

        return AnalyticsWorker(settings, app)
    if role == "cases":
        require_psycopg("the role cases")
        from app.streaming.roles.cases import CasesWorker  # noqa: PLC0415  # no other role needs psycopg

        return CasesWorker(settings, app)
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
        with fail_stop("accepting a chunk"):
            async for event in chunks.noack().events():
                await app.role_worker.accept(event)

    name = f"{app.conf.id}-{topic}"
    app.agent(app.topic(topic, schema=ChunkSchema()), name=name, concurrency=1)(work)
