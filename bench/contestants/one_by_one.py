"""The work on one transaction, for contestants whose framework processes one at a time.

The same functions as in our worker: validated decoding, fold, model, decision, alert and the facts for entities. Dead
letters, CloudEvents headers, metrics and fencing are left out, which favours the other contestants.
"""

import gc
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.adapters.models.bundles import champion
from app.adapters.models.loading import Loading
from app.adapters.serde.json_codec import decode_transaction, encode_event
from app.computation.feature_set import SHIPPED
from app.domain.acceptance import Acceptance
from app.domain.decision import SourceOffset
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import Transaction
from app.features.window import Bounds
from app.scoring import scorer
from app.scoring.lineup import Lineup
from app.scoring.scorer import ScoringInput
from app.settings import Settings
from bench.contestants.fact_one import entity_keys, fact
from bench.contestants.fold_one import OneFold


class Made(NamedTuple):
    """The encoded output of one transaction."""

    profile: bytes
    decision: bytes
    alert: bytes | None
    entities: list[bytes]
    """Keys of the fact records."""
    fact: bytes
    """Value of the fact records."""


class OneByOne:
    """Scores transactions one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topics.transactions
        self._model = champion(Path(settings.model.dir), settings.model.champion, Loading.by(settings.model))
        self._lineup = Lineup(self._model)
        bounds = Bounds(settings.profile.allowed_lateness_seconds * 1000, settings.profile.max_events)
        self._fold = OneFold(bounds).fold
        self._acceptance = Acceptance(
            earliest_event_time_ms=settings.acceptance.earliest_event_time_ms,
            max_future_ms=settings.acceptance.max_future_seconds * 1000,
        )

    def work(self, value: bytes, partition: int, offset: int, stored: bytes | None) -> Made | None:
        """Like ``score``, for the bytes of a transaction."""
        return self.score(decode_transaction(value), partition, offset, stored)

    def score(
        self, transaction: Transaction, partition: int, offset: int, stored: bytes | None
    ) -> Made | None:
        """Score a transaction; None when its profile has already applied it. ``stored`` is the profile, None if new."""
        now_ms = time.time_ns() // 1_000_000
        self._acceptance.check(transaction, key=None, reference_ms=now_ms)
        folded = self._fold(stored, transaction, offset)
        if folded is None:
            return None
        known = np.array([folded.known])
        inputs = ScoringInput(
            SHIPPED, [transaction], folded.rows, [folded.degraded], known[:, :, 0], known[:, :, 1]
        )
        scored = self._lineup.score(folded.rows, inputs.transactions)
        source = SourceOffset(topic=self._topic, partition=partition, offset=offset)
        (decision,) = scorer.decide(inputs, [source], scored, scored.shadow, now_ms)
        alert = None
        if decision.outcome is not Outcome.APPROVE:
            alert = encode_event(
                scorer.alert(decision, SHIPPED, folded.rows[0].tolist(), folded.known, self._model)
            )
        value = fact(transaction, partition, offset)
        return Made(folded.profile, encode_event(decision), alert, entity_keys(transaction), value)


def collect_garbage_less_often() -> None:
    """Set the garbage collector as our worker does after its start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
