"""The base class of workers that keep states in a table: its restore, and the topics that its offsets belong to."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import faust
import structlog

from app.adapters.disk import data_dir
from app.adapters.kafka.admin import short_topic_id, topic_id_text, topic_ids
from app.errors import LogReplaced
from app.settings import Settings
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.execution.chunk_runner import RunnerContext
from app.streaming.roles.worker import Worker
from app.streaming.state.rocksdb_memory import BoundedMemory
from app.streaming.state.store_size import report_store_size
from app.streaming.state.tables import StateStore, TableOwner, state_table

CLAIM_SECONDS = 24 * 60 * 60.0
"""Brokers forget a transactional id that was not used for a week (transactional.id.expiration.ms)."""

_log = structlog.get_logger("store")


class StatefulWorker(Worker):
    """Keeps a table that is partitioned like the main topic."""

    def __init__(self, settings: Settings, app: faust.App, topics: tuple[str, ...], table_name: str) -> None:
        super().__init__(settings, app, topics)
        self._source_ids: Mapping[str, int] = {}
        self._named_in_claims = ""
        owner = TableOwner(
            kafka=settings.kafka,
            store_options=BoundedMemory(settings.worker),
            metrics=self.metrics,
            on_rebalance_started=self._on_partitions_revoked,
            on_restore_step=self.health.restoring,
            changelog_writer=self._sender,
            changelog_id=lambda: self._named_in_claims,
            require_same_log=self._require_same_logs,
        )
        self._table = state_table(app, table_name, settings.topics.partitions, owner)

    async def _bind_topics(self, changelog: str) -> Mapping[str, int]:
        """The short id of each source topic, by name.

        The data directory is bound to the id of the changelog. Raises LogReplaced if its states belong to another one.
        From now on a source topic that is deleted or created again is detected.
        """
        ids = await self._look_up_topic_ids(changelog)
        directory = Path(self.settings.worker.data_dir)
        for aside in data_dir.bind_changelog(directory, changelog, str(ids[changelog])):
            self.metrics.count("stores_set_aside_total")
            _log.error("store_quarantined", moved_to=str(aside), reason="the id of its changelog is lost")
        self._source_ids = {name: short_topic_id(ids[name]) for name in self.topics}
        self._changelog_id = str(ids[changelog])
        self._named_in_claims = topic_id_text(ids[changelog])
        self._sender.name_in_claims(changelog, self._named_in_claims)
        return self._source_ids

    async def _start_sender(self, changelog: str, *outputs: str) -> None:
        """Connect the producer. Records in ``outputs`` have the partition number of the record that they result from.

        Raises ConfigurationError when this worker may not claim partitions of the changelog.
        """
        await self._sender.start()
        self._sender.share_claims(changelog, outputs)
        await self._sender.require_right_to_claim(changelog)

    async def _require_same_logs(self) -> None:
        """Raise LogReplaced if a source topic was deleted or created again since the start: its offsets begin at 0 again."""
        found = await topic_ids(self.settings.kafka, list(self._source_ids))
        for name, source_id in self._source_ids.items():
            if name not in found or short_topic_id(found[name]) != source_id:
                raise LogReplaced(f"{name} was deleted or created again since this worker started")

    def _table_context(self, topic: str) -> RunnerContext:
        """The context of a chunk runner that changes the table: its partitions must be restored first."""
        return self._runner_context(topic)._replace(require_restored=self._table.changelog_guard.require)

    async def _renew_claims(self) -> None:
        """Renew the claims of the changelog until cancelled: brokers forget those that are a week old."""
        with fail_stop("renewing the claims of changelog partitions"):
            while True:
                await asyncio.sleep(CLAIM_SECONDS)
                await self._sender.renew_claims()

    def _start_monitoring(self) -> None:
        """See Worker."""
        store = cast(StateStore, self._table.data)
        self._background += [
            asyncio.create_task(report_store_size(store, self.metrics)),
            asyncio.create_task(self._renew_claims()),
        ]
        super()._start_monitoring()
