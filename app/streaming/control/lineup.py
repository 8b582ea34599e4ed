"""The models beside the champion: challengers in shadow, and a canary that decides for a share of the customers.

Each is loaded and checked like a champion. A model that is refused is left out, and the worker's report gives the
reason.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from app.adapters.models.bundles import Bundle
from app.domain.bounded import cut
from app.domain.control import (
    CanaryOrder,
    CanaryReport,
    CanaryStop,
    ChallengerReport,
    ChallengersOrder,
    Orders,
    model_id,
)
from app.errors import ModelRejected
from app.metrics import Metrics
from app.scoring.canary import Canary
from app.scoring.challenger import Challenger, Tally
from app.scoring.isolation import Clock
from app.scoring.lineup import Lineup
from app.streaming.control.model_choice import ModelChoice, WantedModel

_log = structlog.get_logger("model")


class LineupTerms(NamedTuple):
    """The worker's id, and the limits of the models beside the champion."""

    worker: str
    budget_seconds: float
    """Time that a challenger may take for a chunk."""
    clock: Clock
    now_ms: Callable[[], int]


class LineupSwitch:
    """Keeps challengers and canary as ordered.

    ``on_lineup`` receives each new lineup in the event loop, so never within the scoring of a chunk. ``on_stopped`` is
    called when the canary left its bounds on this worker; ``unsent_stop`` is then the order that stops it on the others.
    """

    def __init__(
        self,
        choice: ModelChoice,
        terms: LineupTerms,
        on_lineup: Callable[[Lineup], None],
        on_stopped: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self.unsent_stop: CanaryOrder | None = None
        self._on_lineup = on_lineup
        self._on_stopped = on_stopped
        self._choice = choice
        self._terms = terms
        self._metrics = metrics
        self._champion: Bundle | None = None
        self._challengers: dict[str, Challenger] = {}
        self._challengers_ordered_at: int | None = None
        self._refused: dict[str, str] = {}
        self._canary: Canary | None = None
        self._canary_order: CanaryOrder | None = None
        self._canary_refused = ""
        self._counted: dict[str, Tally] = {}
        self._canary_counted = (0, 0)

    def use_champion(self, bundle: Bundle) -> None:
        """Put a champion at the head of the lineup, from the next chunk on."""
        self._champion = bundle
        self._publish_lineup()

    async def follow(self, orders: Orders) -> None:
        """Load the ordered models that are new, and remove those that are not ordered any more."""
        await self._follow_challengers(orders.challengers)
        await self._follow_canary(orders.canary)
        self._publish_lineup()

    def count(self) -> None:
        """Add the scores and decisions since the last call to the metrics."""
        for name, challenger in self._challengers.items():
            tally, before = challenger.tally, self._counted.get(name, Tally())
            if tally == before:
                continue
            self._counted[name] = tally
            of_model = {
                "name": challenger.model.reference.name,
                "version": challenger.model.reference.version,
            }
            for result, now, then in zip(Tally._fields, tally, before, strict=True):
                self._metrics.count("shadow_total", now - then, **of_model, result=result)
        if self._canary is not None:
            decided, alerts = self._canary.decided, self._canary.alerts
            approved = decided - alerts - (self._canary_counted[0] - self._canary_counted[1])
            self._metrics.count("canary_decisions_total", approved, result="approve")
            self._metrics.count("canary_decisions_total", alerts - self._canary_counted[1], result="alert")
            self._canary_counted = decided, alerts

    def challenger_reports(self) -> list[ChallengerReport]:
        """One report per challenger: those that score, then those that were refused."""
        scoring = [
            ChallengerReport(model=name, **challenger.tally._asdict(), suspended=cut(challenger.suspended))
            for name, challenger in self._challengers.items()
        ]
        refused = [ChallengerReport(model=cut(name), refused=cut(why)) for name, why in self._refused.items()]
        return scoring + refused

    def canary_report(self) -> CanaryReport | None:
        """The canary's report; None if none is ordered."""
        order, canary = self._canary_order, self._canary
        if order is None:
            return None
        report = CanaryReport(
            model=model_id(order.model), share=order.share, refused=cut(self._canary_refused)
        )
        if order.stopped is not None:
            return msgspec.structs.replace(report, stopped=order.stopped.reason)
        if canary is None:
            return report
        return msgspec.structs.replace(
            report, decided=canary.decided, alerts=canary.alerts, stopped=cut(canary.stopped)
        )

    async def _follow_challengers(self, order: ChallengersOrder | None) -> None:
        try:
            wanted = self._choice.challengers(order)
        except ModelRejected as error:
            self._refused = {"challengers": str(error)}
            return
        is_new = order is not None and order.ordered_at != self._challengers_ordered_at
        self._challengers_ordered_at = None if order is None else order.ordered_at
        challengers: dict[str, Challenger] = {}
        self._refused = {}
        for one in wanted:
            current = self._challengers.get(one.model)
            # A new order is how an operator restarts a suspended challenger; the same order, read again, is not.
            if current is not None and one.is_met_by(current.model) and not (is_new and current.suspended):
                challengers[one.model] = current
            else:
                await self._add_challenger(one, challengers)
        self._challengers = challengers

    async def _add_challenger(self, wanted: WantedModel, challengers: dict[str, Challenger]) -> None:
        try:
            bundle = await asyncio.to_thread(self._choice.load, wanted)
        except ModelRejected as error:
            self._refused[wanted.model] = str(error)
            _log.error("challenger_refused", model=wanted.model, reason=str(error))
            return
        self._counted.pop(wanted.model, None)
        challengers[wanted.model] = Challenger(bundle, self._terms.budget_seconds, self._terms.clock)
        _log.info("challenger_added", model=wanted.model, digest=bundle.reference.digest)

    async def _follow_canary(self, order: CanaryOrder | None) -> None:
        previous, self._canary_order = self._canary_order, order
        if order is None or order.stopped is not None:
            self._canary, self._canary_refused = None, ""
            return
        if previous is not None and previous.ordered_at == order.ordered_at and not self._canary_refused:
            return
        self._canary, self._canary_refused = None, ""
        try:
            self._choice.require_free(model_id(order.model))
            wanted = WantedModel(model_id(order.model), order.model.digest)
            bundle = await asyncio.to_thread(self._choice.load, wanted)
        except ModelRejected as error:
            self._canary_refused = str(error)
            _log.error("canary_refused", model=model_id(order.model), reason=str(error))
            return
        self._canary_counted = (0, 0)
        on_stopped = partial(self._stopped, order)
        self._canary = Canary(bundle, order.share, order.bounds, self._terms.clock, on_stopped)
        _log.info("canary_added", model=model_id(order.model), share=order.share)

    def _stopped(self, order: CanaryOrder, reason: str) -> None:
        """The canary stopped itself on this worker; the listener sends the stop to the others."""
        stop = CanaryStop(worker=self._terms.worker, reason=cut(reason), stopped_at=self._terms.now_ms())
        self.unsent_stop = msgspec.structs.replace(order, stopped=stop)
        self._metrics.count("canary_stops_total")
        _log.error("canary_stopped", model=model_id(order.model), reason=reason)
        self._on_stopped()

    def _publish_lineup(self) -> None:
        champion = self._champion
        if champion is None:
            return
        others = [
            challenger
            for challenger in self._challengers.values()
            if challenger.model.reference != champion.reference
        ]
        canary = self._canary
        if canary is not None and canary.model.reference == champion.reference:
            canary = None
        self._on_lineup(Lineup(champion, others, canary))
