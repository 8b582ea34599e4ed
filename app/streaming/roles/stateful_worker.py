"""A role that keeps what it knows in a table: its restore, and the logs that table and offsets belong to."""

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
from app.streaming.roles.worker import Role, short_topic_id
from app.streaming.state.rocksdb_memory import BoundedMemory
from app.streaming.state.store_size import report_store_size
from app.streaming.state.tables import StateStore, TableOwner, state_table


class TableRole(Role):
    """The table belongs to the first of ``topics``."""

    def __init__(self, settings: Settings, app: faust.App, topics: tuple[str, ...], table_name: str) -> None:
        super().__init__(settings, app, topics)
        self._source_ids: Mapping[str, int] = {}
        owner = TableOwner(
            kafka=settings.kafka,
            store_options=BoundedMemory(settings.worker),
            metrics=self.metrics,
            on_rebalance_started=self._forget,
            on_restore_step=self.health.restoring,
            require_same_log=self._require_same_logs,
        )
        self._table = state_table(app, table_name, settings.topics.partitions, owner)

    async def _logs(self, changelog: str) -> Mapping[str, int]:
        """The id of each topic that is read; that of the changelog must be the one that the disk knows.

        From now on a topic that is deleted and made again is noticed.
        """
        names = self.lanes.topics
        ids = await self._know_logs(changelog)
        data_dir.bind_changelog(Path(self.settings.worker.data_dir), changelog, str(ids[changelog]))
        self._source_ids = {name: short_topic_id(ids[name]) for name in names}
        self._changelog_id = str(ids[changelog])
        return self._source_ids

    async def _require_same_logs(self) -> None:
        """Raise LogReplaced when a source topic was deleted or created again since the start: offsets begin anew there."""
        found = await topic_ids(self.settings.kafka, list(self._source_ids))
        for name, source_id in self._source_ids.items():
            if name not in found or short_topic_id(found[name]) != source_id:
                raise LogReplaced(f"{name} was deleted or created again since this worker started")

    def _table_context(self, topic: str) -> RunnerContext:
        """Of a chunk runner whose chunks change the table: its partitions must be restored first."""
        return self._runner_context(topic)._replace(require_restored=self._table.changelog_guard.require)

    def _stand(self) -> None:
        """See Role._stand."""
        store = cast(StateStore, self._table.data)
        self._beside.append(asyncio.create_task(report_store_size(store, self.metrics)))
        super()._stand()
