"""The groups that say which transactions are taken and how a customer's are kept."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ProfileSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's profile. Changing these changes features: train and deploy a model with it."""

    allowed_lateness_seconds: Annotated[int, Meta(ge=0)] = 86_400
    """An event this much older than the customer's newest is still exact; an older one is flagged late."""
    max_events: Annotated[int, Meta(ge=16, le=8192)] = 4096
    """Events kept per customer, 24 bytes each. Beyond, the oldest go and the profile is saturated. At most 8192,
    so that sums of squares stay exact."""


class AcceptanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on event time, and where a customer's transactions belong."""

    earliest_event_time_ms: int = 946_684_800_000
    """2000-01-01; earlier is a mistake."""
    max_future_seconds: Annotated[int, Meta(ge=0)] = 300
    """How far ahead of its record an event may lie."""
    partitioner: Literal["murmur2", "any"] = "murmur2"
    """A key in another partition than murmur2's is refused: two producers that disagree would give a customer two half
    profiles. `any` where all of them agree on another rule."""
