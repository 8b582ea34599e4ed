"""The exchange of the champion while the worker runs.

The new model is loaded and checked in a thread while the old one decides. If a check fails, the old one stays and the
reason is kept for the worker's report.
"""

import asyncio
from collections.abc import Callable

import structlog

from app.adapters.models.bundles import Bundle
from app.domain.control import ModelOrder, model_id
from app.errors import ModelRejected
from app.metrics import Metrics
from app.streaming.control.model_choice import ModelChoice, RunningChampion, refusal

_log = structlog.get_logger("model")


class ChampionSwitch:
    """Keeps the running champion. ``on_swap`` is called in the event loop, so never within the scoring of a chunk."""

    def __init__(
        self,
        choice: ModelChoice,
        running: RunningChampion,
        on_swap: Callable[[Bundle], None],
        metrics: Metrics,
        now_ms: Callable[[], int],
    ) -> None:
        self.running = running
        self._choice = choice
        self._on_swap = on_swap
        self._metrics = metrics
        self._now_ms = now_ms

    async def follow(self, order: ModelOrder | None) -> None:
        """Run the chosen model, or keep the running one and record the refusal."""
        model = "the champion"
        try:
            wanted = self._choice.champion(order)
            model = wanted.model
            if not wanted.is_met_by(self.running.bundle):
                self._swap(await asyncio.to_thread(self._choice.load, wanted))
            refused = self._choice.conflict(order, self._now_ms())
        except ModelRejected as error:
            refused = refusal(model, str(error), self._now_ms())
            self._metrics.count("model_changes_total", result="refused")
        self.running = self.running._replace(refused=refused)

    def _swap(self, bundle: Bundle) -> None:
        self._on_swap(bundle)
        self.running = RunningChampion(bundle, self._now_ms())
        self._metrics.count("model_changes_total", result="swapped")
        _log.info("model_swapped", model=model_id(bundle.reference), digest=bundle.reference.digest)
