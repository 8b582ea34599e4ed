"""Who scores beside the champion, exchanged while the worker runs: challengers in shadow, a canary for its share.

Each is loaded and checked like a champion. One that is refused is missing, and its report says why.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from app.adapters.models.bundles import Bundle
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
from app.streaming.control.champion import Choice, Wanted

_log = structlog.get_logger("model")


class Terms(NamedTuple):
    """What every model on trial is subject to."""

    worker: str
    budget_seconds: float
    """Of a challenger, for each chunk."""
    clock: Clock
    now_ms: Callable[[], int]


class LineupSwitch:
    """``put`` is called in the event loop, so never in the middle of a chunk; ``on_stopped`` when a canary left its
    bounds here, and ``unsent_stop`` is to be told to the other workers.
    """

    def __init__(self, choice: Choice, terms: Terms, put: Callable[[Lineup], None], metrics: Metrics) -> None:
        self.on_stopped: Callable[[], None] = lambda: None
        self.unsent_stop: CanaryOrder | None = None
        self._choice = choice
        self._terms = terms
        self._put = put
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

    def champion_is(self, bundle: Bundle) -> None:
        """From the next chunk on."""
        self._champion = bundle
        self._line_up()

    async def follow(self, orders: Orders) -> None:
        """Take in who is wanted and can be loaded, send home who is not wanted any more."""
        await self._follow_challengers(orders.challengers)
        await self._follow_canary(orders.canary)
        self._line_up()

    def count(self) -> None:
        """What the models on trial did since the last time."""
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

    def challengers_reports(self) -> list[ChallengerReport]:
        """Those that score, then those that were refused."""
        taken = [
            ChallengerReport(model=name, **challenger.tally._asdict(), suspended=challenger.suspended)
            for name, challenger in self._challengers.items()
        ]
        return taken + [ChallengerReport(model=name, refused=why) for name, why in self._refused.items()]

    def canary_report(self) -> CanaryReport | None:
        """None where none is ordered."""
        order, canary = self._canary_order, self._canary
        if order is None:
            return None
        report = CanaryReport(model=model_id(order.model), share=order.share, refused=self._canary_refused)
        if order.stopped is not None:
            return msgspec.structs.replace(report, stopped=order.stopped.reason)
        if canary is None:
            return report
        return msgspec.structs.replace(
            report, decided=canary.decided, alerts=canary.alerts, stopped=canary.stopped
        )

    async def _follow_challengers(self, order: ChallengersOrder | None) -> None:
        try:
            wanted = self._choice.challengers(order)
        except ModelRejected as error:
            self._refused = {"challengers": str(error)}
            return
        again = order is not None and order.ordered_at != self._challengers_ordered_at
        self._challengers_ordered_at = None if order is None else order.ordered_at
        taken: dict[str, Challenger] = {}
        self._refused = {}
        for one in wanted:
            known = self._challengers.get(one.model)
            if known is not None and one.is_met_by(known.model) and not (again and known.suspended):
                taken[one.model] = known
            else:
                await self._take_in(one, taken)
        self._challengers = taken

    async def _take_in(self, wanted: Wanted, taken: dict[str, Challenger]) -> None:
        try:
            bundle = await asyncio.to_thread(self._choice.load, wanted)
        except ModelRejected as error:
            self._refused[wanted.model] = str(error)
            _log.error("challenger_refused", model=wanted.model, reason=str(error))
            return
        self._counted.pop(wanted.model, None)
        taken[wanted.model] = Challenger(bundle, self._terms.budget_seconds, self._terms.clock)
        _log.info("challenger_taken_in", model=wanted.model, digest=bundle.reference.digest)

    async def _follow_canary(self, order: CanaryOrder | None) -> None:
        known, self._canary_order = self._canary_order, order
        if order is None or order.stopped is not None:
            self._canary, self._canary_refused = None, ""
            return
        if known is not None and known.ordered_at == order.ordered_at and not self._canary_refused:
            return
        self._canary, self._canary_refused = None, ""
        try:
            self._choice.require_free(model_id(order.model))
            wanted = Wanted(model_id(order.model), order.model.digest)
            bundle = await asyncio.to_thread(self._choice.load, wanted)
        except ModelRejected as error:
            self._canary_refused = str(error)
            _log.error("canary_refused", model=model_id(order.model), reason=str(error))
            return
        self._canary_counted = (0, 0)
        on_stopped = partial(self._stopped, order)
        self._canary = Canary(bundle, order.share, order.bounds, self._terms.clock, on_stopped)
        _log.info("canary_taken_in", model=model_id(order.model), share=order.share)

    def _stopped(self, order: CanaryOrder, reason: str) -> None:
        """The canary decides no more here; the order to the other workers is yet to be sent."""
        stop = CanaryStop(worker=self._terms.worker, reason=reason, stopped_at=self._terms.now_ms())
        self.unsent_stop = msgspec.structs.replace(order, stopped=stop)
        self._metrics.count("canary_stops_total")
        _log.error("canary_stopped", model=model_id(order.model), reason=reason)
        self.on_stopped()

    def _line_up(self) -> None:
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
        self._put(Lineup(champion, others, canary))
