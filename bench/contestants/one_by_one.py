"""The work of one transaction, for contestants whose framework hands them one at a time.

The same functions as in our worker: validated decoding, the fold, the model, the decision, the alert and what the
transaction's entities are told. Left out are the dead letters, the CloudEvents headers, the metrics and the fence, which
only ours has; that favours the others.
"""

import gc
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.adapters.models.bundles import champion
from app.adapters.serde.json_codec import decode_transaction, encode_event
from app.domain.acceptance import Acceptance
from app.domain.decision import Outcome, SourceOffset
from app.domain.transaction import Transaction
from app.features.window import Bounds
from app.scoring import scorer
from app.scoring.lineup import Lineup
from app.scoring.scorer import ScoringInput
from app.settings import Settings
from bench.contestants.fact_one import entity_keys, fact
from bench.contestants.fold_one import OneFold


class Made(NamedTuple):
    """What one transaction became, in bytes."""

    profile: bytes
    decision: bytes
    alert: bytes | None
    entities: list[bytes]
    """Keys of the records that tell them of the transaction."""
    fact: bytes
    """Those records' value."""


class OneByOne:
    """Holds what does not change between two transactions."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topics.transactions
        self._model = champion(Path(settings.model.dir), settings.model.champion)
        self._lineup = Lineup(self._model)
        bounds = Bounds(settings.profile.allowed_lateness_seconds * 1000, settings.profile.max_events)
        self._fold = OneFold(bounds).fold
        self._acceptance = Acceptance(
            earliest_event_time_ms=settings.acceptance.earliest_event_time_ms,
            max_future_ms=settings.acceptance.max_future_seconds * 1000,
        )

    def work(self, value: bytes, partition: int, offset: int, stored: bytes | None) -> Made | None:
        """As ``score`` for the bytes of a transaction."""
        return self.score(decode_transaction(value), partition, offset, stored)

    def score(
        self, transaction: Transaction, partition: int, offset: int, stored: bytes | None
    ) -> Made | None:
        """None when the profile has seen the transaction before. ``stored`` is the profile's bytes, None at first."""
        now_ms = time.time_ns() // 1_000_000
        self._acceptance.check(transaction, key=None, reference_ms=now_ms)
        folded = self._fold(stored, transaction, offset)
        if folded is None:
            return None
        known = np.array([folded.known])
        inputs = ScoringInput([transaction], folded.rows, [folded.degraded], known[:, :, 0], known[:, :, 1])
        scored = self._lineup.score(folded.rows, inputs.transactions)
        source = SourceOffset(topic=self._topic, partition=partition, offset=offset)
        (decision,) = scorer.decide(inputs, [source], scored, scored.shadow, now_ms)
        alert = None
        if decision.outcome is not Outcome.APPROVE:
            alert = encode_event(scorer.alert(decision, folded.rows[0].tolist(), folded.known, self._model))
        told = fact(transaction, partition, offset)
        return Made(folded.profile, encode_event(decision), alert, entity_keys(transaction), told)


def collect_garbage_less_often() -> None:
    """As our worker does when it has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
