"""The champion exchanged while the worker runs: loaded and checked beside the one that decides, then put in its place
between two chunks. What cannot be loaded changes nothing, and the reason is kept for all to see.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog

from app.adapters.models.aliases import read_aliases
from app.adapters.models.bundles import DEFAULT_LOADING, Bundle, Loading, champion
from app.domain.control import ChallengersOrder, ModelOrder, Refusal, model_id
from app.errors import ModelRejected
from app.metrics import Metrics
from app.scoring.model import Model

_log = structlog.get_logger("model")


class Wanted(NamedTuple):
    """A model to be run: ``name/version``, and which content; any content when ``digest`` is empty."""

    model: str
    digest: str = ""

    def is_met_by(self, model: Model) -> bool:
        """Whatever content is wanted, a bundle of this name does: a version is never overwritten."""
        reference = model.reference
        return self.model == model_id(reference) and self.digest in {"", reference.digest}


class Choice:
    """Which model a worker is to run. The setting pins it; else an order stands above aliases.toml."""

    def __init__(self, models_dir: Path, pinned: str, loading: Loading = DEFAULT_LOADING) -> None:
        self.models_dir = models_dir
        self._pinned = pinned
        self._loading = loading

    def wanted(self, order: ModelOrder | None) -> Wanted:
        """Raises ModelRejected when aliases.toml decides and cannot be read."""
        if self._pinned:
            return Wanted(self._pinned)
        if order is not None:
            return Wanted(model_id(order.model), order.model.digest)
        return Wanted(read_aliases(self.models_dir).champion)

    def challengers(self, order: ChallengersOrder | None) -> list[Wanted]:
        """Those of the order, else of aliases.toml. Raises ModelRejected when that cannot be read."""
        if order is not None:
            return [Wanted(model_id(model), model.digest) for model in order.models]
        return [Wanted(model) for model in read_aliases(self.models_dir).challengers]

    def require_free(self, model: str) -> None:
        """Raise ModelRejected where the setting pins another model than ``model``."""
        if self._pinned and model != self._pinned:
            raise ModelRejected(f"FRAUDSTREAM_MODEL_CHAMPION={self._pinned} pins this worker. Unset it.")

    def load(self, wanted: Wanted) -> Bundle:
        """Takes up to a second; raises ModelRejected."""
        bundle = champion(self.models_dir, wanted.model, self._loading)
        if not wanted.is_met_by(bundle):
            raise ModelRejected(
                f"{wanted.model} in {self.models_dir} has the digest {bundle.reference.digest}, ordered was "
                f"{wanted.digest}. Bring the same files to every worker."
            )
        return bundle

    def first(self, order: ModelOrder | None, now_ms: int) -> "Running":
        """The model to start with. Where the ordered one is refused, the one before it, as the workers do that ran
        it when the order came. Raises ModelRejected when neither will do.
        """
        wanted = self.wanted(order)
        try:
            return Running(self.load(wanted), now_ms, self.contradiction(order, now_ms))
        except ModelRejected as error:
            if self._pinned or order is None or order.previous is None:
                raise
            refused = _refusal(wanted.model, str(error), now_ms)
            before = Wanted(model_id(order.previous), order.previous.digest)
            return Running(self.load(before), now_ms, refused)

    def contradiction(self, order: ModelOrder | None, now_ms: int) -> Refusal | None:
        """An order that the setting stands against."""
        if order is None:
            return None
        try:
            self.require_free(model_id(order.model))
        except ModelRejected as error:
            return _refusal(model_id(order.model), str(error), now_ms)
        return None


class Running(NamedTuple):
    """The model that decides, since when, and what was asked for after it in vain."""

    bundle: Bundle
    since_ms: int
    refused: Refusal | None = None


class ModelSwitch:
    """``on_swap`` is called in the event loop, so never in the middle of a chunk."""

    def __init__(
        self,
        choice: Choice,
        running: Running,
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
        """Run what is wanted now, or keep what runs and remember why."""
        model = "the champion"
        try:
            wanted = self._choice.wanted(order)
            model = wanted.model
            if not wanted.is_met_by(self.running.bundle):
                self._put(await asyncio.to_thread(self._choice.load, wanted))
            refused = self._choice.contradiction(order, self._now_ms())
        except ModelRejected as error:
            refused = _refusal(model, str(error), self._now_ms())
            self._metrics.count("model_changes_total", result="refused")
        self.running = self.running._replace(refused=refused)

    def _put(self, bundle: Bundle) -> None:
        self._on_swap(bundle)
        self.running = Running(bundle, self._now_ms())
        self._metrics.count("model_changes_total", result="swapped")
        _log.info("model_swapped", model=model_id(bundle.reference), digest=bundle.reference.digest)


def _refusal(model: str, reason: str, now_ms: int) -> Refusal:
    _log.error("model_refused", model=model, reason=reason)
    return Refusal(model=model, reason=reason, refused_at=now_ms)
