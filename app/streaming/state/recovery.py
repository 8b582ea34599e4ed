"""Faust's recovery with the bulk restore in it: afterwards Faust finds that there is nothing left to replay.

The restore runs in the recovery service, beside the heartbeats. In the rebalance callback, where Faust opens the
databases, no heartbeat is sent: a long restore there would lose the very partitions it is made for.
"""

from collections import Counter
from functools import partial
from typing import Any, cast

from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP

from app.adapters.kafka.bulk_fetch import open_bulk_fetcher
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.state.restore import Gap, Restore
from app.streaming.state.restore_progress import Progress
from app.streaming.state.tables import StateStore, StateTable


class Assignment:
    """The partitions between two rebalances; ``revoked`` from the moment at which they begin to move."""

    revoked = False


class BulkRecovery(Recovery):
    """Restores between asking where the changelog ends and deciding what is left to replay."""

    _assignment = Assignment()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The first that is heard of a rebalance, and of the end: no database is closed yet."""
        self._assignment.revoked = True
        super().on_partitions_revoked(revoked)

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:
        """Partitions have arrived; a restore of those before must not touch anything any more."""
        self._assignment.revoked = True
        self._assignment = Assignment()
        await super().on_rebalance(*args, **kwargs)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Faust resumes the flow here, and does not ask whether the partitions are being taken away just now."""
        if self._assignment.revoked:
            raise RebalanceAgain
        await super().on_recovery_completed(generation_id)

    async def _wait(self, coro: Any, timeout: Any = None) -> None:  # noqa: ARG002, ASYNC109  # Faust's signature
        """Every step takes the time it needs, or is given up with its assignment.

        After ``timeout`` Faust would go on as if the step were done: with half a state, or where it does not
        know what has been committed.
        """
        await super()._wait(coro)

    async def _build_offsets(self, consumer: Any, tps: set[TP], destination: Counter[TP], title: str) -> None:
        assignment = self._assignment
        await super()._build_offsets(consumer, tps, destination, title)
        if title == "active" and tps:
            with fail_stop("restoring profiles"):
                complete = not assignment.revoked and await self._restore(
                    sorted(tps), destination, assignment
                )
            if not complete:
                raise RebalanceAgain

    async def _restore(self, tps: list[TP], stands_at: Counter[TP], assignment: Assignment) -> bool:
        """Up to the ends that Faust has just asked for; ``stands_at`` tells it that nothing is left."""
        table = cast(StateTable, self.tp_to_table[tps[0]])
        last = {tp: self.active_highwaters[tp] for tp in tps}
        gaps = {tp.partition: Gap(stands_at[tp] + 1, last[tp] + 1) for tp in tps}
        progress = Progress(table.owner.metrics, on_step=table.owner.on_restore_step)
        restore = Restore(tps[0].topic, cast(StateStore, table.data), progress, lambda: assignment.revoked)
        complete = await restore.run(gaps, partial(open_bulk_fetcher, table.owner.kafka))
        if complete:
            for tp in tps:  # a Counter's update would add
                stands_at[tp] = last[tp]
        return complete


class BulkTableManager(TableManager):
    """The table manager of an app with one table, a StateTable."""

    async def on_start(self) -> None:
        """Open the table at once. The stock one waits a second first, for an app that adds tables while it starts."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """Made when it is first asked for, as the stock one is."""
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
