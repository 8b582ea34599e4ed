"""Compares the deciding model with each model in shadow, from the decisions that contain both scores."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.models import bundles
from app.adapters.models.aliases import bundle_path
from app.adapters.models.loading import Loading
from app.domain.bounded import Moment
from app.domain.control import model_id
from app.domain.decision import ModelReference, Thresholds
from app.errors import InvalidFile, ModelRejected
from app.features.window import DAY_MS
from app.model_comparison.intervals import Compared, Draws, compare_figures
from app.model_comparison.paired import Alerts, Paired, alerts, labelled, numbered
from app.settings import ModelSettings

OnDraw = Callable[[int], None]
ThresholdsOf = Callable[[str], Thresholds | None]
"""The thresholds of ``name/version``."""


class Noted(msgspec.Struct):
    """The fields of a decision that the comparison needs."""

    transaction_id: str
    customer_id: str
    event_time: Moment
    score: float
    thresholds: Thresholds
    model: ModelReference
    shadow: dict[str, float] = {}


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Comparison of a deciding model with a model in shadow."""

    champion: str
    challenger: str
    transactions: int
    frauds: int | None
    """None without labels."""
    days: int
    alerts: Alerts | None
    """By the thresholds of each model; None if the challenger's bundle is not in the models directory."""
    figures: dict[str, Compared]
    """Empty without labels."""


class _Pair:
    def __init__(self) -> None:
        self.transaction_ids: list[str] = []
        self.customer_ids: list[str] = []
        self.event_times: list[int] = []
        self.scores: tuple[list[float], list[float]] = [], []
        self.thresholds = Thresholds(review=1.0, decline=1.0)

    def note(self, decision: Noted, score: float) -> None:
        self.transaction_ids.append(decision.transaction_id)
        self.customer_ids.append(decision.customer_id)
        self.event_times.append(decision.event_time)
        self.scores[0].append(decision.score)
        self.scores[1].append(score)
        self.thresholds = decision.thresholds

    def paired(self, labels: Mapping[str, bool] | None) -> Paired:
        return Paired(
            customers=numbered(self.customer_ids),
            event_times=np.array(self.event_times, np.int64),
            frauds=None if labels is None else labelled(self.transaction_ids, labels),
            champion=np.array(self.scores[0], np.float64),
            challenger=np.array(self.scores[1], np.float64),
        )


class Decisions:
    """Collects decisions as they are read. The first decision of a transaction counts."""

    def __init__(self) -> None:
        self.read = 0
        self.unreadable = 0
        """Records of the topic that were left out."""
        self._decoder = BoundedDecoder(Noted)
        self._seen: set[str] = set()
        self._pairs: dict[tuple[str, str], _Pair] = {}

    def note(self, value: bytes) -> None:
        """Add an encoded decision. Raises InvalidFile if it cannot be decoded."""
        try:
            decision = self._decoder.decode(value)
        except (ValueError, RecursionError) as error:
            raise InvalidFile(f"decision {self.read + 1} cannot be read: {error}") from error
        self._add(decision)

    def note_record(self, value: bytes) -> None:
        """Add a record of the decisions topic, which anyone with the right to write may have sent: no decision is counted."""
        decision = self._decoder.attempt(value)
        if decision is None:
            self.unreadable += 1
        else:
            self._add(decision)

    def _add(self, decision: Noted) -> None:
        self.read += 1
        if decision.transaction_id in self._seen:
            return
        self._seen.add(decision.transaction_id)
        for name, score in decision.shadow.items():
            self._pairs.setdefault((model_id(decision.model), name), _Pair()).note(decision, score)

    def compare(
        self,
        thresholds_of: ThresholdsOf,
        labels: Mapping[str, bool] | None,
        delay_days: int,
        draws: Draws,
        on_draw: OnDraw = lambda _: None,
    ) -> list[Comparison]:
        """Return a comparison for each pair. With labels, the newest ``delay_days`` are left out: they have too few labels yet."""
        return [
            _comparison(names, pair, thresholds_of, _ripe(pair.paired(labels), delay_days), draws, on_draw)
            for names, pair in sorted(self._pairs.items())
        ]


def _ripe(paired: Paired, delay_days: int) -> Paired:
    if paired.frauds is None:
        return paired
    ripe = paired.where(paired.event_times <= paired.event_times.max() - delay_days * DAY_MS)
    if not len(ripe):
        raise InvalidFile(
            f"No decision is {delay_days} days older than the newest. Choose a smaller --delay-days if labels come sooner."
        )
    return ripe


def _comparison(
    names: tuple[str, str],
    pair: _Pair,
    thresholds_of: ThresholdsOf,
    paired: Paired,
    draws: Draws,
    on_draw: OnDraw,
) -> Comparison:
    champion, challenger = names
    thresholds = thresholds_of(challenger)
    return Comparison(
        champion=champion,
        challenger=challenger,
        transactions=len(paired),
        frauds=None if paired.frauds is None else int(paired.frauds.sum()),
        days=len(np.unique(paired.days)),
        alerts=None if thresholds is None else alerts(paired, pair.thresholds, thresholds),
        figures={} if paired.frauds is None else compare_figures(paired, draws, on_draw),
    )


def stored_thresholds(settings: ModelSettings, model: str) -> Thresholds | None:
    """The thresholds of ``name/version``; None where a worker of these settings would refuse its manifest."""
    with suppress(ModelRejected):
        _, manifest = bundles.described(bundle_path(Path(settings.dir), model), Loading.by(settings))
        return manifest.thresholds
    return None


def notes(values: Iterable[bytes]) -> Decisions:
    """Collect all decisions."""
    decisions = Decisions()
    for value in values:
        decisions.note(value)
    return decisions
