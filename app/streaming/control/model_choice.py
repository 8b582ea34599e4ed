"""The choice of models: the setting FRAUDSTREAM_MODEL_CHAMPION, else the order in force, else aliases.toml."""

from pathlib import Path
from typing import NamedTuple

import structlog

from app.adapters.library_errors import Translated
from app.adapters.models.aliases import read_aliases
from app.adapters.models.bundles import Bundle, champion
from app.adapters.models.loading import Loading
from app.adapters.observability.causes import named
from app.domain.bounded import cut
from app.domain.control import ChallengersOrder, ModelOrder, Refusal, model_id
from app.errors import ModelRejected
from app.scoring.model import Model
from app.settings import Settings

_log = structlog.get_logger("model")


class WantedModel(NamedTuple):
    """A model to run: ``name/version`` and the digest of its content; an empty digest accepts any content."""

    model: str
    digest: str = ""

    def is_met_by(self, model: Model) -> bool:
        """True if ``model`` has this name, version and digest.

        Without a digest the name and version suffice: the content of a version never changes.
        """
        reference = model.reference
        return self.model == model_id(reference) and self.digest in {"", reference.digest}


class RunningChampion(NamedTuple):
    """The model that decides, the time since when it does, and the newest refusal of another."""

    bundle: Bundle
    since_ms: int
    refused: Refusal | None = None


class ModelChoice:
    """Chooses and loads models. ``pinned`` is FRAUDSTREAM_MODEL_CHAMPION; it takes precedence over every order."""

    def __init__(self, models_dir: Path, pinned: str, loading: Loading) -> None:
        self.models_dir = models_dir
        self._pinned = pinned
        self._loading = loading

    @classmethod
    def by(cls, settings: Settings) -> "ModelChoice":
        """The choice of a worker, and of the check before its start."""
        model, catalog = settings.model, settings.catalog.file
        return cls(Path(model.dir), model.champion, Loading.by(model, catalog))

    def champion(self, order: ModelOrder | None) -> WantedModel:
        """The champion to run. Raises ModelRejected when aliases.toml decides and cannot be read."""
        if self._pinned:
            return WantedModel(self._pinned)
        if order is not None:
            return WantedModel(model_id(order.model), order.model.digest)
        return WantedModel(read_aliases(self.models_dir).champion)

    def challengers(self, order: ChallengersOrder | None) -> list[WantedModel]:
        """The challengers of the order, else of aliases.toml. Raises ModelRejected when that cannot be read."""
        if order is not None:
            return [WantedModel(model_id(model), model.digest) for model in order.models]
        return [WantedModel(model) for model in read_aliases(self.models_dir).challengers]

    def require_free(self, model: str) -> None:
        """Raise ModelRejected if the setting pins another model than ``model``."""
        if self._pinned and model != self._pinned:
            raise ModelRejected(f"FRAUDSTREAM_MODEL_CHAMPION={self._pinned} pins this worker. Unset it.")

    def load(self, wanted: WantedModel) -> Bundle:
        """Load and check a bundle. Raises ModelRejected for every failure, since an order may name any model.

        Takes up to a second, or three where scikit-learn must be imported to compare it (app.adapters.models.comparisons).
        """

        def refusal(error: Exception) -> ModelRejected:
            return ModelRejected(f"{wanted.model} cannot be loaded: {named(error)}")

        with Translated(refusal, ModelRejected):
            bundle = self._bundle(wanted.model)
        if not wanted.is_met_by(bundle):
            raise ModelRejected(
                f"{wanted.model} in {self.models_dir} has the digest {bundle.reference.digest}, ordered was "
                f"{wanted.digest}. Copy the same files to every worker."
            )
        return bundle

    def _bundle(self, model: str) -> Bundle:
        return champion(self.models_dir, model, self._loading)

    def first(self, order: ModelOrder | None, now_ms: int) -> RunningChampion:
        """Load the champion to start with.

        If the ordered model is refused, the previous one is loaded: workers that were running when the order came
        kept it too, so all workers decide alike. If that is refused too, no running worker can have followed the order,
        and the champion of aliases.toml is loaded: an order must not keep workers from starting. Raises ModelRejected
        when that is refused as well.
        """
        wanted = self.champion(order)
        try:
            return RunningChampion(self.load(wanted), now_ms, self.conflict(order, now_ms))
        except ModelRejected as error:
            if self._pinned or order is None:
                raise
            refused = refusal(wanted.model, str(error), now_ms)
            return RunningChampion(self._load_before(order), now_ms, refused)

    def _load_before(self, order: ModelOrder) -> Bundle:
        """The champion before an order that is refused. Raises ModelRejected."""
        if order.previous is not None:
            previous = WantedModel(model_id(order.previous), order.previous.digest)
            try:
                return self.load(previous)
            except ModelRejected as error:
                _log.error("previous_model_refused", model=previous.model, reason=str(error))
        return self.load(self.champion(None))

    def conflict(self, order: ModelOrder | None, now_ms: int) -> Refusal | None:
        """The refusal of an order that names another model than the pinned one; None if there is no conflict."""
        if order is None:
            return None
        try:
            self.require_free(model_id(order.model))
        except ModelRejected as error:
            return refusal(model_id(order.model), str(error), now_ms)
        return None


def refusal(model: str, reason: str, now_ms: int) -> Refusal:
    """Log a refused model and return the entry for the worker's report."""
    _log.error("model_refused", model=model, reason=reason)
    return Refusal(model=cut(model), reason=cut(reason), refused_at=now_ms)
