"""Decodes a stored profile for display by ``fraudstream state``."""

from math import isnan

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt
from app.features.catalog import WINDOW_NAMES
from app.features.packed_words import WORD_BYTES
from app.features.state import HEADER_WORDS, PROFILE, is_profile
from app.features.window import NEVER_MS

_HALF, _LOW_HALF = np.uint64(32), np.uint64(2**32 - 1)


class KeptEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The data that a profile keeps of one transaction; digests in hexadecimal."""

    event_time: int
    amount_minor: int
    terminal: str
    transaction: str


class WindowView(msgspec.Struct, frozen=True, kw_only=True):
    """A window as of the customer's newest event."""

    name: str
    count: int
    amount_sum_minor: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Time and location of the customer's latest transaction with a location."""

    event_time: int
    latitude: float
    longitude: float


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a profile."""

    version: int
    bytes: int
    topic_id: str = msgspec.field(name="incarnation")
    """Id of the source topic, in hexadecimal; ``incarnation`` in JSON."""
    applied_offset: int
    applied: int
    """Number of transactions that changed the profile."""
    first_seen: int | None
    evicted: int | None
    """Event time of the newest transaction evicted by the cap."""
    place: Place | None
    windows: list[WindowView]
    events: list[KeptEvent]
    """In order of event time."""


def view(data: bytes) -> ProfileView:
    """Decode a profile. Raises StateCorrupt if the bytes are not a profile of this version."""
    words = np.frombuffer(data, np.int64).copy() if len(data) % WORD_BYTES == 0 else np.empty(0, np.int64)
    if not is_profile(words):
        raise StateCorrupt("these bytes are not a profile of this version")
    header = words[:HEADER_WORDS].view(PROFILE)[0]
    events = _events(header, words[HEADER_WORDS:])
    starts, totals = header["starts"].tolist(), header["totals"].tolist()
    return ProfileView(
        version=int(header["version"]),
        bytes=len(data),
        topic_id=f"{int(header['topic_id']):016x}",
        applied_offset=int(header["applied_offset"]),
        applied=int(header["applied"]),
        first_seen=_time(header["first_seen_ms"]),
        evicted=_time(header["evicted_ms"]),
        place=_place(header),
        windows=[
            WindowView(name=name, count=len(events) - start, amount_sum_minor=total)
            for name, start, total in zip(WINDOW_NAMES, starts, totals, strict=True)
        ],
        events=events,
    )


def _events(header: np.void, words: NDArray[np.int64]) -> list[KeptEvent]:
    columns = words.reshape(-1, int(header["events"])) if len(words) else np.empty((4, 0), np.int64)
    if header["wide"] or not len(words):
        times, amounts, terminals, ids = columns
    else:
        packed, (terminals, ids) = columns[0].view(np.uint64), columns[1:]
        times = header["base_ms"] + (packed >> _HALF).astype(np.int64)
        amounts = (packed & _LOW_HALF).astype(np.int64)
    return [
        KeptEvent(event_time=time, amount_minor=amount, terminal=terminal.hex(), transaction=event.hex())
        for time, amount, terminal, event in zip(
            times.tolist(), amounts.tolist(), _digests(terminals), _digests(ids), strict=True
        )
    ]


def _digests(column: NDArray[np.int64]) -> list[bytes]:
    return [value.tobytes() for value in column]


def _time(value: np.int64) -> int | None:
    return None if value == NEVER_MS else int(value)


def _place(header: np.void) -> Place | None:
    latitude, longitude = float(header["latitude"]), float(header["longitude"])
    if isnan(latitude):
        return None
    return Place(event_time=int(header["place_ms"]), latitude=latitude, longitude=longitude)
