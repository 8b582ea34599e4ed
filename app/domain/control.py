"""Which model decides, by order, and which one every worker runs: the contract of ``fraud.control.v1``.

The topic is compacted and has one partition. Under the key ``champion`` stands the order in force (a tombstone
leaves the choice to each worker's aliases.toml), under ``worker/<id>`` what that worker says of itself.
"""

import msgspec

from app.domain.decision import ModelReference

CHAMPION_KEY = b"champion"
WORKER_PREFIX = b"worker/"


class ModelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Every worker is to decide by this model."""

    model: ModelReference
    """The digest too: a bundle of the same name with other content is refused."""
    previous: ModelReference | None = None
    """What decided before: a rollback orders it, and a worker that starts and cannot load ``model`` runs it."""
    ordered_at: int
    """Milliseconds since the epoch."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a worker kept the model it had."""

    model: str
    """As it was asked for: ``name/version``."""
    reason: str
    refused_at: int


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker runs; told again at intervals, so that a silent one is noticed."""

    worker: str
    host: str
    runs: ModelReference
    since: int
    reported_at: int
    refused: Refusal | None = None
    """Of what was last asked for; None when it runs that."""
    answers: int | None = None
    """``ordered_at`` of the order that it runs or refused last; None when it knows of none."""


def worker_key(worker: str) -> bytes:
    """The key of a worker's report."""
    return WORKER_PREFIX + worker.encode()


def told(model: ModelReference) -> str:
    """``name/version``, as people write it."""
    return f"{model.name}/{model.version}"
