"""Faust's recovery with the claim of the changelog and the bulk restore in it: Faust finds nothing left to recover.

The restore runs in the recovery service, while heartbeats are sent. In the rebalance callback, where Faust opens the
databases, none is sent: during a long restore there the group would take the partitions away again.
"""

from collections import Counter
from functools import partial
from typing import Any, cast

from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP

from app.adapters.kafka.bulk_fetch import open_bulk_fetcher
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.state.repair import append_again
from app.streaming.state.restore import Gap, Restore
from app.streaming.state.restore_progress import RestoreProgress
from app.streaming.state.tables import StateStore, StateTable


class Assignment:
    """The partitions between two rebalances. ``revoked`` is True from the start of the next one."""

    revoked = False


class BulkRecovery(Recovery):
    """Restores after Faust has read the changelog's end offsets and before it computes what is left to recover."""

    _assignment = Assignment()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The earliest signal of a rebalance or of the worker's stop: no database is closed yet."""
        self._assignment.revoked = True
        super().on_partitions_revoked(revoked)

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:
        """Begin a new assignment; a restore of the previous one must not touch the databases any more."""
        self._assignment.revoked = True
        self._assignment = Assignment()
        await super().on_rebalance(*args, **kwargs)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Faust resumes the flow here without checking whether a rebalance has begun; raise RebalanceAgain if so."""
        if self._assignment.revoked:
            raise RebalanceAgain
        await super().on_recovery_completed(generation_id)

    async def _wait(self, coro: Any, timeout: Any = None) -> None:  # noqa: ARG002, ASYNC109  # Faust's signature
        """Wait without the timeout: a step ends when it is done or when its assignment ends.

        After ``timeout`` Faust would continue as if the step were done: with half of the states restored, or without
        knowing the committed offsets.
        """
        await super()._wait(coro)

    async def _build_highwaters(
        self, consumer: Any, tps: set[TP], destination: Counter[TP], title: str
    ) -> None:
        """Claim the partitions before Faust reads where they end: nothing of a former owner can come after that end."""
        if title == "active" and tps:
            with fail_stop("claiming changelog partitions"):
                await self._claim(tps)
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _claim(self, tps: set[TP]) -> None:
        (changelog,) = {tp.topic for tp in tps}
        owner = cast(StateTable, self.tp_to_table[next(iter(tps))]).owner
        await owner.changelog_writer.claim(changelog, sorted(tp.partition for tp in tps))

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

    async def _restore(self, tps: list[TP], restored_to: Counter[TP], assignment: Assignment) -> bool:
        """Restore up to the end offsets that Faust has just read, and set ``restored_to`` to them: nothing is left."""
        table = cast(StateTable, self.tp_to_table[tps[0]])
        last = {tp: self.active_highwaters[tp] for tp in tps}
        gaps = {tp.partition: Gap(restored_to[tp] + 1, last[tp] + 1) for tp in tps}
        progress = RestoreProgress(table.owner.metrics, on_step=table.owner.on_restore_step)
        store = cast(StateStore, table.data)
        changelog_id = table.owner.changelog_id()
        restore = Restore(tps[0].topic, store, progress, lambda: assignment.revoked, changelog_id)
        complete = await restore.run(gaps, partial(open_bulk_fetcher, table.owner.kafka))
        if complete:
            overtaken = {partition: versions.overtaken for partition, versions in restore.versions.items()}
            await append_again(
                overtaken, store, table.owner.changelog_writer, restore.topic, table.owner.metrics
            )
            for tp in tps:  # Counter.update would add the offsets
                restored_to[tp] = last[tp]
        return complete


class BulkTableManager(TableManager):
    """The table manager of an app with one table, a StateTable."""

    async def on_start(self) -> None:
        """Open the table at once. The stock one waits a second first, for an app that adds tables while it starts."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """Created at first use, as in Faust."""
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
