"""Features and profile computed from the definition in plain Python, to compare with the compiled fold."""

from collections.abc import Sequence
from math import asin, cos, isnan, nan, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from app.features.fold import ALREADY_APPLIED, APPLIED, REPEATED, Events, Folded, fold
from app.features.window import DAY_MS, HOUR_MS, WIDTHS_MS, Bounds
from tests.profile_format import NEVER_MS, Kept, StoredProfile, write_profile

START_MS = 1_522_540_800_000
LATENESS_MS = DAY_MS
BOUNDS = Bounds(LATENESS_MS, 4096)
COUNT_AT, SUM_AT = 3, 4
"""Columns of the first window's count and sum; those of the next are 4 further."""
TERMINAL_AT, SINCE_LAST_AT, TRAVEL_AT = 23, 24, 25

AMOUNTS = st.one_of(st.integers(0, 10**6), st.integers(2**32 - 2, 2**32 + 2), st.just(10**15))
STEPS_MS = st.one_of(
    st.integers(0, 2),
    st.integers(0, 2 * HOUR_MS),
    st.integers(0, 9 * DAY_MS),
    st.sampled_from([*WIDTHS_MS, *(w - 1 for w in WIDTHS_MS), *(w + 1 for w in WIDTHS_MS), 60 * DAY_MS]),
    st.sampled_from([BOUNDS.retention_ms + step for step in (-1, 0, 1)]),
    st.sampled_from([2**32 - 1, 2**32, 2**32 + 1]),
)
EDGES_MS = st.sampled_from([width + step for width in (0, *WIDTHS_MS) for step in (-1, 0, 1)])
DIGESTS = st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])
PLACES = st.one_of(st.just((nan, nan)), st.tuples(st.floats(-90, 90), st.floats(-180, 180)))
WITHIN_LATENESS = st.integers(0, LATENESS_MS)
FAR_LATE = st.one_of(
    st.integers(0, 50 * DAY_MS),
    st.sampled_from([edge + step for edge in (DAY_MS, 31 * DAY_MS) for step in (-1, 0, 1)]),
)


class Arrival(NamedTuple):
    """One transaction as it arrives; in the order of the columns of ``Events``."""

    customer: int
    time_ms: int
    amount: int
    terminal: int
    id: int
    latitude: float
    longitude: float
    offset: int


@st.composite
def journeys(draw: st.DrawFn, backwards_ms: st.SearchStrategy[int], customers: int = 1) -> list[Arrival]:
    """Arrivals in mostly ascending order of time; some are ``backwards_ms`` older than the newest.

    Some are exactly one window after another arrival, in order or not.
    """
    newest_ms, arrivals = [START_MS] * customers, list[Arrival]()
    for number in range(draw(st.integers(1, 40))):
        customer = draw(st.integers(0, customers - 1))
        time_ms = newest_ms[customer] + (-draw(backwards_ms) if draw(st.booleans()) else draw(STEPS_MS))
        at_an_edge = draw(st.booleans())
        if arrivals and at_an_edge:
            edge_ms = draw(st.sampled_from(arrivals)).time_ms + draw(EDGES_MS)
            if edge_ms >= newest_ms[customer] - LATENESS_MS:
                time_ms = edge_ms
        newest_ms[customer] = max(newest_ms[customer], time_ms)
        arrivals.append(
            Arrival(customer, time_ms, draw(AMOUNTS), draw(DIGESTS), 1000 + number, *draw(PLACES), number)
        )
    return arrivals


@st.composite
def with_repeats(draw: st.DrawFn, journey: st.SearchStrategy[list[Arrival]]) -> list[Arrival]:
    """Arrivals some of which repeat an earlier transaction under another offset."""
    arrivals = draw(journey)
    earlier = [
        draw(st.integers(0, number)) if draw(st.booleans()) else number for number in range(len(arrivals))
    ]
    return [a._replace(id=arrivals[e].id) for a, e in zip(arrivals, earlier, strict=True)]


def as_events(arrivals: Sequence[Arrival]) -> Events:
    rows = np.array([tuple(arrival) for arrival in arrivals], dtype="i8,i8,i8,i8,i8,f8,f8,i8")
    return Events(*(rows[name] for name in rows.dtype.names or ()))


def fold_one_customer(
    arrivals: Sequence[Arrival], bounds: Bounds = BOUNDS, profile: bytes = b"", topic_id: int = 0
) -> tuple[bytes, Folded]:
    """The customer's profile after the fold, and the result of each arrival."""
    folded = fold([profile], as_events(arrivals), bounds, topic_id)
    return folded.profiles[0], folded


def recount(seen: Sequence[Arrival], event: Arrival) -> list[float]:
    """All features but the last two, computed from the arrivals in ``seen``, which include the event."""
    day, time_of_day_ms = divmod(event.time_ms, DAY_MS)
    row = [float(event.amount), time_of_day_ms / HOUR_MS, float((day + 3) % 7 >= 5)]
    windows = [window(seen, event, width) for width in WIDTHS_MS]
    for inside in windows:
        n, s, q = sums(inside)
        row += [n, float(s), float(s) / n, sqrt(float(n * q - s * s)) / n]
    for inside in windows[2:]:
        n, s, q = sums(inside)
        n, s, q = n - 1, s - event.amount, q - event.amount**2
        varies = n * q - s * s
        row.append(float(n * event.amount) / float(s) if s else nan)
        row.append(float(n * event.amount - s) / sqrt(float(varies)) if varies else nan)
    return [*row, sum(other.terminal == event.terminal for other in windows[-1])]


def window(seen: Sequence[Arrival], event: Arrival, width_ms: int) -> list[Arrival]:
    return [other for other in seen if event.time_ms - width_ms < other.time_ms <= event.time_ms]


def sums(inside: Sequence[Arrival]) -> tuple[int, int, int]:
    """Count, sum and sum of squares."""
    return len(inside), sum(a.amount for a in inside), sum(a.amount**2 for a in inside)


class Expected(NamedTuple):
    """The expected result of the fold for one applied arrival."""

    row: list[float]
    late: bool
    first_seen_ms: int
    evicted_ms: int


class NaiveProfile:
    """One customer's profile as a list of arrivals in order of time, recounted for each."""

    def __init__(self, bounds: Bounds, topic_id: int = 0) -> None:
        self.bounds, self.topic_id = bounds, topic_id
        self.kept: list[Arrival] = []
        self.applied, self.offset = 0, -1
        self.first_seen_ms = self.evicted_ms = NEVER_MS
        self.place = (0, nan, nan)

    def fold(self, event: Arrival) -> tuple[int, Expected | None]:
        """Fold an arrival; return its status, and the expected result if it is APPLIED."""
        if event.offset <= self.offset:
            return ALREADY_APPLIED, None
        if event.id in [other.id for other in self.kept]:
            return REPEATED, None
        before = [other.time_ms for other in self.kept if other.time_ms <= event.time_ms]
        row, late = self._observe(event)
        since_last = (event.time_ms - max(before)) / 1000 if before else nan
        self.first_seen_ms = min(event.time_ms, self.first_seen_ms) if self.applied else event.time_ms
        self.applied, self.offset = self.applied + 1, event.offset
        row += [since_last, self._travel_kmh(event)]
        return APPLIED, Expected(row, late, self.first_seen_ms, self.evicted_ms)

    def _observe(self, event: Arrival) -> tuple[list[float], bool]:
        age_ms = max((other.time_ms for other in self.kept), default=event.time_ms) - event.time_ms
        row = recount([*self.kept, event], event)
        if age_ms < self.bounds.retention_ms:
            self.kept = sorted([*self.kept, event], key=lambda other: other.time_ms)
        while len(self.kept) > self.bounds.max_events:
            self.evicted_ms = max(self.evicted_ms, self.kept.pop(0).time_ms)
        if age_ms <= 0:
            row = recount(self.kept, event)
            self.kept = [e for e in self.kept if e.time_ms > event.time_ms - self.bounds.retention_ms]
        return row, age_ms > self.bounds.allowed_lateness_ms

    def _travel_kmh(self, event: Arrival) -> float:
        last_ms, latitude, longitude = self.place
        unknown = isnan(latitude)
        if isnan(event.latitude) or (not unknown and event.time_ms < last_ms):
            return nan
        self.place = (event.time_ms, event.latitude, event.longitude)
        if unknown:
            return nan
        seconds = max((event.time_ms - last_ms) / 1000, 1.0)
        return 3600 * kilometres(latitude, longitude, event.latitude, event.longitude) / seconds

    def encode(self) -> bytes:
        """The expected profile after the fold."""
        newest_ms = max((e.time_ms for e in self.kept), default=0)
        base_ms = min((e.time_ms for e in self.kept), default=0)
        starts = tuple(sum(e.time_ms <= newest_ms - width for e in self.kept) for width in WIDTHS_MS)
        counted = [sums(self.kept[start:]) for start in starts]
        stored = StoredProfile(
            wide=newest_ms - base_ms >= 2**32 or any(e.amount >= 2**32 for e in self.kept),
            topic_id=self.topic_id if self.applied else 0,
            applied_offset=self.offset,
            applied=self.applied,
            first_seen_ms=self.first_seen_ms,
            evicted_ms=self.evicted_ms,
            base_ms=base_ms,
            place=self.place,
            starts=starts,
            newest_sums=tuple(s for _, s, _ in counted),
            squares=tuple(q for _, _, q in counted),
            kept=tuple(Kept(e.time_ms, e.amount, e.terminal, e.id) for e in self.kept),
        )
        return write_profile(stored)


def kilometres(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Great-circle distance, by the haversine formula."""
    phi_a, phi_b = radians(latitude_a), radians(latitude_b)
    chord = (
        sin((phi_b - phi_a) / 2) ** 2
        + cos(phi_a) * cos(phi_b) * sin(radians(longitude_b - longitude_a) / 2) ** 2
    )
    return 2 * 6371.0088 * asin(min(1.0, sqrt(chord)))
