"""Orders that name the models, and reports of workers about the models they run.

This is the contract of ``fraud.control.v1``, which operators write, and of ``fraud.worker-reports.v1``, which workers write. Both
are compacted and have one partition.

Orders: the keys ``champion``, ``challengers``, ``canary`` and ``policy`` hold the current ones (a tombstone returns champion and
challengers to each worker's aliases.toml, and the policy to its settings, and ends a canary). ``skip/TOPIC/PARTITION/OFFSET`` holds an order that is never
withdrawn: these records of a topic cannot be read, and every group continues behind them.

Reports: ``worker/<id>`` holds the report of that worker, ``canary-stop/<id>`` the last canary that it has stopped.
Workers of earlier versions report on the topic of orders, where their reports are still read.
"""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from app.domain.bounded import Count, Moment, Name, Offset, Partition, Text
from app.domain.decision import ModelReference
from app.domain.orders.policy_order import PolicyOrder, PolicyReport

CHAMPION_KEY, CHALLENGERS_KEY, CANARY_KEY = b"champion", b"challengers", b"canary"
WORKER_PREFIX = b"worker/"
STOP_PREFIX = b"canary-stop/"
SKIP_PREFIX = b"skip/"
REPORT_SECONDS = 15.0
"""Interval of a worker's reports."""
SILENT_MS = int(3 * REPORT_SECONDS * 1000)
"""A worker whose newest report is older than this has ended, or cannot reach the control topic."""
MOST_CHALLENGERS = 16
"""Each is loaded, which takes a second, and scores every transaction."""


class ModelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Order to every worker: this model is the champion."""

    model: ModelReference
    """Includes the digest: a bundle of the same name with other content is rejected."""
    previous: ModelReference | None = None
    """The champion before: a rollback orders it, and a worker that starts and cannot load ``model`` runs it."""
    ordered_at: Moment
    """Milliseconds since the epoch."""


class ChallengersOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Order to every worker: score with these models in shadow too; an empty list ends all challengers."""

    models: Annotated[list[ModelReference], Meta(max_length=MOST_CHALLENGERS)]
    ordered_at: Moment


class CanaryBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a canary; each worker checks its own transactions."""

    max_alert_rate: Annotated[float, Meta(ge=0, le=1)]
    """Share of alerts among the transactions that the canary decides, in each ``window`` of them."""
    min_alert_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """A model that raises too few alerts is broken as well."""
    window: Annotated[int, Meta(ge=1, le=10**9)] = 500
    """Transactions over which the alert rate is measured."""
    max_chunk_ms: Annotated[float, Meta(gt=0)] = 20.0
    """Time to score the canary's part of a chunk, as the mean of some chunks."""
    max_failures: Count = 0
    """Allowed failures, counted in chunks; the champion decides the transactions of a failed chunk."""


class CanaryStop(msgspec.Struct, frozen=True, kw_only=True):
    """Report of the worker on which the canary left its bounds."""

    worker: Name
    reason: Text
    stopped_at: Moment


class CanaryOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Order to every worker: this model decides for a share of the customers, while it stays within its bounds."""

    model: ModelReference
    share: Annotated[float, Meta(gt=0, le=1)]
    bounds: CanaryBounds
    ordered_at: Moment
    stopped: CanaryStop | None = None
    """If given, the canary is stopped and decides for no customer."""


class SkipOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Order to every consumer group: leave out the unreadable records from ``offset`` up to, not including, ``next_offset``."""

    topic: Name
    topic_id: Name
    """A topic that was deleted and created again has another id: the order is not for its records."""
    partition: Partition
    offset: Count
    next_offset: Count
    why: Text
    """Why they cannot be read."""
    reason: Text
    """Why the operator leaves them out."""
    ordered_by: Name
    ordered_at: Moment

    def __post_init__(self) -> None:
        if self.next_offset <= self.offset:
            raise ValueError("next_offset must lie behind offset")

    def covers(self, topic_id: str, topic: str, partition: int, offset: int) -> bool:
        """Whether it is for this offset."""
        here = (self.topic_id, self.topic, self.partition) == (topic_id, topic, partition)
        return here and self.offset <= offset < self.next_offset


class Orders(NamedTuple):
    """The current orders."""

    champion: ModelOrder | None = None
    challengers: ChallengersOrder | None = None
    canary: CanaryOrder | None = None
    policy: PolicyOrder | None = None
    heard: int = -1
    """Offset of the newest order."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a worker kept its model."""

    model: Text
    """The ordered model, ``name/version``."""
    reason: Text
    refused_at: Moment


class OrderRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a worker does not follow: it is not signed as the worker requires, or cannot be decoded."""

    key: Text
    """The key of its record, cut and without control characters."""
    offset: Count
    reason: Text


class ChallengerReport(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger on one worker; the numbers count transactions since the worker loaded it."""

    model: Text
    """``name/version``."""
    scored: Count = 0
    failed: Count = 0
    skipped: Count = 0
    """Not scored because the challenger exceeds its budget or is suspended."""
    suspended: Text = ""
    """Why it is suspended; empty if it is not."""
    refused: Text = ""
    """Why it was not loaded; empty if it was."""


class CanaryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The canary on one worker."""

    model: Text
    share: float
    decided: Count = 0
    alerts: Count = 0
    stopped: Text = ""
    """Why it stopped deciding on this worker; empty while it decides."""
    refused: Text = ""
    """Why it was not loaded; empty if it was."""


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The models that one worker runs. Repeated at intervals, so that a missing report is noticed."""

    worker: Name
    host: Name
    runs: ModelReference
    since: Moment
    reported_at: Moment
    refused: Refusal | None = None
    """Why the worker does not run the last ordered model; None if it does."""
    heard: Offset = -1
    """Offset of the newest order that the worker has followed or refused."""
    challengers: list[ChallengerReport] = []
    canary: CanaryReport | None = None
    order_refused: OrderRefusal | msgspec.UnsetType = msgspec.UNSET
    """The newest order that the worker refused; not in the report of a worker that has refused none."""
    version: Name | msgspec.UnsetType = msgspec.UNSET
    """The release of fraudstream that the worker runs; not in the reports of release 0.1.0."""
    policy: PolicyReport | msgspec.UnsetType = msgspec.UNSET
    """Not in the reports of release 0.1.0."""


def worker_key(worker: str) -> bytes:
    """Return the key of a worker's report."""
    return WORKER_PREFIX + worker.encode()


def stop_key(worker: str) -> bytes:
    """Return the key of the last canary that a worker has stopped."""
    return STOP_PREFIX + worker.encode()


def skip_key(order: SkipOrder) -> bytes:
    """Return the key of an order to leave records out."""
    return SKIP_PREFIX + f"{order.topic}/{order.partition}/{order.offset}".encode()


def model_id(model: ModelReference) -> str:
    """Return the id of a model for display and commands, ``name/version``."""
    return f"{model.name}/{model.version}"
