"""The base class of workers that keep states in a table: its restore, and the topics that its offsets belong to."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import faust

from app.adapters.disk import data_dir
from app.adapters.kafka.admin import topic_ids
from app.errors import LogReplaced
from app.settings import Settings
from app.streaming.execution.chunk_runner import RunnerContext
from app.streaming.roles.worker import Worker, short_topic_id
from app.streaming.state.rocksdb_memory import BoundedMemory
from app.streaming.state.store_size import report_store_size
from app.streaming.state.tables import StateStore, TableOwner, state_table


class StatefulWorker(Worker):
    """Keeps a table that is partitioned like the main topic."""

    def __init__(self, settings: Settings, app: faust.App, topics: tuple[str, ...], table_name: str) -> None:
        super().__init__(settings, app, topics)
        self._source_ids: Mapping[str, int] = {}
        owner = TableOwner(
            kafka=settings.kafka,
            store_options=BoundedMemory(settings.worker),
            metrics=self.metrics,
            on_rebalance_started=self._on_partitions_revoked,
            on_restore_step=self.health.restoring,
            require_same_log=self._require_same_logs,
        )
        self._table = state_table(app, table_name, settings.topics.partitions, owner)

    async def _bind_topics(self, changelog: str) -> Mapping[str, int]:
        """The short id of each source topic, by name.

        The data directory is bound to the id of the changelog. Raises LogReplaced if its states belong to another one.
        From now on a source topic that is deleted or created again is detected.
        """
        ids = await self._look_up_topic_ids(changelog)
        data_dir.bind_changelog(Path(self.settings.worker.data_dir), changelog, str(ids[changelog]))
        self._source_ids = {name: short_topic_id(ids[name]) for name in self.topics}
        self._changelog_id = str(ids[changelog])
        return self._source_ids

    async def _require_same_logs(self) -> None:
        """Raise LogReplaced if a source topic was deleted or created again since the start: its offsets begin at 0 again."""
        found = await topic_ids(self.settings.kafka, list(self._source_ids))
        for name, source_id in self._source_ids.items():
            if name not in found or short_topic_id(found[name]) != source_id:
                raise LogReplaced(f"{name} was deleted or created again since this worker started")

    def _table_context(self, topic: str) -> RunnerContext:
        """The context of a chunk runner that changes the table: its partitions must be restored first."""
        return self._runner_context(topic)._replace(require_restored=self._table.changelog_guard.require)

    def _start_monitoring(self) -> None:
        """See Worker."""
        store = cast(StateStore, self._table.data)
        self._background.append(asyncio.create_task(report_store_size(store, self.metrics)))
        super()._start_monitoring()
