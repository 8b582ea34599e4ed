"""Which model decides, by order, and which one every worker runs: the contract of ``fraud.control.v1``.

The topic is compacted and has one partition. Under the keys ``champion``, ``challengers`` and ``canary`` stand the
orders in force (a tombstone leaves champion and challengers to each worker's aliases.toml, and ends a canary), under
``worker/<id>`` what that worker says of itself.
"""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from app.domain.decision import ModelReference

CHAMPION_KEY, CHALLENGERS_KEY, CANARY_KEY = b"champion", b"challengers", b"canary"
WORKER_PREFIX = b"worker/"
REPORT_SECONDS = 15.0
"""Interval of a worker's reports."""
SILENT_MS = int(3 * REPORT_SECONDS * 1000)
"""A worker whose newest report is older than this has ended, or cannot reach the control topic."""


class ModelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Every worker is to decide by this model."""

    model: ModelReference
    """The digest too: a bundle of the same name with other content is refused."""
    previous: ModelReference | None = None
    """What decided before: a rollback orders it, and a worker that starts and cannot load ``model`` runs it."""
    ordered_at: int
    """Milliseconds since the epoch."""


class ChallengersOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Every worker is to score by these too, in shadow; by none where the list is empty."""

    models: list[ModelReference]
    ordered_at: int


class CanaryBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a canary may not leave; each worker looks at its own transactions."""

    max_alert_rate: Annotated[float, Meta(ge=0, le=1)]
    """Of the transactions that the canary decides, in each ``window`` of them."""
    min_alert_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """A model that finds nothing any more is broken too."""
    window: Annotated[int, Meta(ge=1)] = 500
    max_chunk_ms: Annotated[float, Meta(gt=0)] = 20.0
    """That scoring its part of a chunk may take, in the mean of some chunks."""
    max_failures: Annotated[int, Meta(ge=0)] = 0
    """Chunks that it fails on; the champion decides these."""


class CanaryStop(msgspec.Struct, frozen=True, kw_only=True):
    """A worker saw the canary leave its bounds."""

    worker: str
    reason: str
    stopped_at: int


class CanaryOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A model is to decide for a share of the customers, as long as it keeps within its bounds."""

    model: ModelReference
    share: Annotated[float, Meta(gt=0, le=1)]
    bounds: CanaryBounds
    ordered_at: int
    stopped: CanaryStop | None = None
    """Where given, it decides for nobody any more."""


class Orders(NamedTuple):
    """All that is in force."""

    champion: ModelOrder | None = None
    challengers: ChallengersOrder | None = None
    canary: CanaryOrder | None = None
    heard: int = -1
    """Offset of the newest of them."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a worker kept the model it had."""

    model: str
    """As it was asked for: ``name/version``."""
    reason: str
    refused_at: int


class ChallengerReport(msgspec.Struct, frozen=True, kw_only=True):
    """One challenger as one worker knows it; the numbers are of transactions since it was taken in."""

    model: str
    """``name/version``."""
    scored: int = 0
    failed: int = 0
    skipped: int = 0
    """Since it takes too long, or is suspended."""
    suspended: str = ""
    """Why it is not called any more."""
    refused: str = ""
    """Why it was not taken in."""


class CanaryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The canary as one worker knows it."""

    model: str
    share: float
    decided: int = 0
    alerts: int = 0
    stopped: str = ""
    """Why it decides no more on this worker."""
    refused: str = ""


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker runs; told again at intervals, so that a silent one is noticed."""

    worker: str
    host: str
    runs: ModelReference
    since: int
    reported_at: int
    refused: Refusal | None = None
    """Of what was last asked for; None when it runs that."""
    heard: int = -1
    """Offset of the newest order that it has followed or refused."""
    challengers: list[ChallengerReport] = []
    canary: CanaryReport | None = None


def worker_key(worker: str) -> bytes:
    """The key of a worker's report."""
    return WORKER_PREFIX + worker.encode()


def model_id(model: ModelReference) -> str:
    """``name/version``, as people write it."""
    return f"{model.name}/{model.version}"
