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
from app.streaming.roles.worker import Role, short_topic_id
from app.streaming.state.store_size import report_store_size
from app.streaming.state.tables import StateStore, StateTable


class TableRole(Role):
    """The table belongs to the first of ``topics``."""

    def __init__(self, settings: Settings, table: StateTable, topics: tuple[str, ...]) -> None:
        super().__init__(settings, cast(faust.App, table.app), topics)
        self._table = table
        table.kafka, table.metrics = settings.kafka, self.metrics
        table.on_restore_step = self.health.restoring
        table.on_rebalance_started = self._forget

    async def _logs(self, changelog: str) -> Mapping[str, int]:
        """The id of each topic that is read; that of the changelog must be the one that the disk knows.

        From now on a topic that is deleted and made again is noticed.
        """
        names = self.lanes.topics
        ids = await self._know_logs(changelog)
        data_dir.bind_changelog(Path(self.settings.worker.data_dir), changelog, str(ids[changelog]))
        logs = {name: short_topic_id(ids[name]) for name in names}
        self._changelog_id = str(ids[changelog])

        async def require_same() -> None:
            """Offsets count anew under another topic id: none of its records may be taken for one of this."""
            found = await topic_ids(self.settings.kafka, list(names))
            for name in names:
                if name not in found or short_topic_id(found[name]) != logs[name]:
                    raise LogReplaced(f"{name} was deleted, or made again, since this worker started")

        self._table.require_same_log = require_same
        return logs

    def _stand(self) -> None:
        """See Role._stand."""
        store = cast(StateStore, self._table.data)
        self._beside.append(asyncio.create_task(report_store_size(store, self.metrics)))
        super()._stand()
