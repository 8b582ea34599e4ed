"""The models and the policy of one worker: champion, challengers in shadow, canary, and what the worker reports of them."""

import asyncio
import socket
from collections.abc import Callable
from typing import NamedTuple

from app.adapters.models.bundles import Bundle
from app.domain.control import CanaryOrder, Orders, WorkerReport
from app.metrics import Metrics
from app.scoring.lineup import Lineup
from app.streaming.control.champion import ChampionSwitch
from app.streaming.control.lineup import LineupSwitch, LineupTerms
from app.streaming.control.model_choice import ModelChoice, RunningChampion
from app.streaming.control.policy import PolicySwitch, PolicyTerms
from app.version import VERSION


class ModelCallbacks(NamedTuple):
    """Called in the event loop, so never within the scoring of a chunk."""

    on_champion: Callable[[Bundle], None]
    """Another model decides from the next chunk on. Called at the start too."""
    on_lineup: Callable[[Lineup], None]
    """The models that score from the next chunk on, the champion included."""


class ModelController:
    """Applies orders to the champion and to the lineup beside it.

    ``changed`` is set when a report is due before its interval is over.
    """

    def __init__(
        self,
        choice: ModelChoice,
        running: RunningChampion,
        terms: LineupTerms,
        callbacks: ModelCallbacks,
        policy: PolicyTerms,
        metrics: Metrics,
    ) -> None:
        self.changed = asyncio.Event()
        self._terms = terms
        self._callbacks = callbacks
        self.policy = PolicySwitch(policy, metrics)
        self._champion = ChampionSwitch(choice, running, self._use, metrics, terms.now_ms)
        self._lineup = LineupSwitch(choice, terms, callbacks.on_lineup, self.changed.set, metrics)

    @property
    def champion(self) -> Bundle:
        """The model that decides."""
        return self._champion.running.bundle

    @property
    def unsent_stop(self) -> CanaryOrder | None:
        """The canary's order, marked as stopped by this worker, until the other workers are notified."""
        return self._lineup.unsent_stop

    def stop_sent(self) -> None:
        """The other workers are notified, or the canary's order is not in force any more."""
        self._lineup.unsent_stop = None

    async def start(self, orders: Orders) -> None:
        """Use the champion, and load the policy, the challengers and the canary that ``orders`` name. Raises PolicyRejected."""
        await self.policy.start(orders)
        self._use(self.champion)
        await self._lineup.follow(orders)

    async def follow(self, orders: Orders) -> None:
        """Apply the orders in force: load models that are new, and remove those that are not wanted any more."""
        await self.policy.follow(orders.policy)
        await self._champion.follow(orders.champion)
        await self._lineup.follow(orders)

    def count(self) -> None:
        """Add the shadow scores and the canary's decisions since the last call to the metrics."""
        self._lineup.count()

    def report(self, heard: int) -> WorkerReport:
        """The worker's report; ``heard`` is the offset of the newest order that was applied."""
        running = self._champion.running
        return WorkerReport(
            worker=self._terms.worker,
            host=socket.gethostname(),
            runs=running.bundle.reference,
            since=running.since_ms,
            reported_at=self._terms.now_ms(),
            refused=running.refused,
            heard=heard,
            challengers=self._lineup.challenger_reports(),
            canary=self._lineup.canary_report(),
            version=VERSION,
            policy=self.policy.report(),
        )

    def _use(self, bundle: Bundle) -> None:
        self._callbacks.on_champion(bundle)
        self._lineup.use_champion(bundle)
