"""Judges whether what a worker uses grows. Pure: samples in, growth per hour out.

Only like is compared with like. A process that lives through the run is compared with itself; a successor of a killed one
is compared with the processes before it at the same age, since all of them grow while they warm up. The growth is the
median slope of all such pairs (Theil and Sen), which a few outliers, such as a compaction, do not move.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tests.chaos.soak.sampling import Sample

HOUR_SECONDS = 3600.0
WARM_UP_SHARE = 1 / 3
"""Share of the run whose samples are not judged: windows, caches and write buffers fill."""
SMALLEST_TRACE_BYTES = 32
"""A leak keeps something of each transaction: a Python object has at least 32 bytes with its place in a container, and so has
an id on the disk. Growth below that for each transaction of the worker is no leak of transactions.
"""
PER_KILL = 0.5
"""A leak of a rebalance keeps at least one descriptor or thread for each kill; half of one is below every such leak."""
FILES_PER_KILL = 4.0
"""A partition has up to four files that wait for a merge, so that the number of open database files varies."""


class Limit(NamedTuple):
    """A figure of a sample, and its largest growth per hour."""

    name: str
    per_transaction: float
    per_kill: float

    def per_hour(self, transactions: float, kills: float) -> float:
        """Return the bound for a worker with so many transactions and kills per hour."""
        return self.per_transaction * transactions + self.per_kill * kills


LIMITS = (
    Limit("resident_bytes", SMALLEST_TRACE_BYTES, 0),
    Limit("proportional_bytes", SMALLEST_TRACE_BYTES, 0),
    Limit("disk_bytes", SMALLEST_TRACE_BYTES, 0),
    Limit("descriptors", 0, PER_KILL),
    Limit("database_files", 0, FILES_PER_KILL),
    Limit("threads", 0, PER_KILL),
)


class Growth(NamedTuple):
    """How one figure of one worker developed after the warm-up."""

    worker: str
    figure: str
    processes: int
    samples: int
    first: float
    """Median of the first fifth of the judged samples."""
    last: float
    """Median of their last fifth."""
    per_hour: float
    bound: float

    @property
    def flat(self) -> bool:
        """True when it grows by less than its bound. Shrinking is flat."""
        return self.per_hour < self.bound


def judge(samples: Iterable[Sample], every_seconds: float, transactions: float, kills: float) -> list[Growth]:
    """Return the growth of each figure of each worker, with ``transactions`` per worker and ``kills`` per hour."""
    of_worker: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        of_worker[sample.worker].append(sample)
    return [
        _growth(known, limit.name, every_seconds, limit.per_hour(transactions, kills))
        for known in map(after_warm_up, of_worker.values())
        for limit in LIMITS
    ]


def after_warm_up(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples of the last two thirds of the time."""
    begin = max(sample.seconds for sample in samples) * WARM_UP_SHARE
    return [sample for sample in samples if sample.seconds >= begin]


def _growth(samples: Sequence[Sample], figure: str, every_seconds: float, bound: float) -> Growth:
    values = [float(getattr(sample, figure)) for sample in samples]
    fifth = max(1, len(values) // 5)
    return Growth(
        worker=samples[0].worker,
        figure=figure,
        processes=len({sample.pid for sample in samples}),
        samples=len(samples),
        first=float(np.median(values[:fifth])),
        last=float(np.median(values[-fifth:])),
        per_hour=slope_per_hour(comparable(samples, figure, every_seconds)),
        bound=bound,
    )


def comparable(
    samples: Sequence[Sample], figure: str, every_seconds: float
) -> Mapping[int, list[tuple[float, float]]]:
    """Return (seconds, value) of the samples that may be compared: of one process, or of several at the same age."""
    one_process = len({sample.pid for sample in samples}) == 1
    groups: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for sample in samples:
        group = 0 if one_process else round(sample.age_seconds / every_seconds)
        groups[group].append((sample.seconds, float(getattr(sample, figure))))
    return groups


def slope_per_hour(groups: Mapping[int, list[tuple[float, float]]]) -> float:
    """Return the median slope of all pairs within the groups; infinite when there is no pair, which proves nothing."""
    slopes = [_slopes(np.array(points)) for points in groups.values() if len(points) > 1]
    return float(np.median(np.concatenate(slopes))) * HOUR_SECONDS if slopes else float("inf")


def _slopes(points: np.ndarray) -> np.ndarray:
    later, earlier = np.tril_indices(len(points), -1)
    seconds, values = (points[later] - points[earlier]).T
    return np.asarray(values / seconds)
