"""The groups CATALOG, PROFILE and ACCEPTANCE: what is computed, what a profile keeps, and which transactions are accepted."""

from typing import Annotated, Literal

from msgspec import Meta

from app.settings.kinds import Group


class CatalogSettings(Group, frozen=True, kw_only=True):
    """The fields, entities and features of a deployment; docs/models/catalogs.md."""

    file: str = ""
    """Path of a TOML file, or the name of a built-in catalog. Empty: the fields and features of this release, which are those of
    the built-in catalog `baseline`. All workers of a group need the same one, and models must take features that it defines."""


class ProfileSettings(Group, frozen=True, kw_only=True):
    """The customer's profile. These settings change the features: after a change, train and deploy a new model."""

    allowed_lateness_seconds: Annotated[int, Meta(ge=0)] = 86_400
    """Features are exact for an event up to this much older than the customer's newest event; an older one is flagged `late`.
    The default is
    one day."""
    max_events: Annotated[int, Meta(ge=16, le=8192)] = 4096
    """Events kept per customer, 24 bytes each. Beyond this number the oldest events are evicted and the profile is
    `saturated`. At most 8192, so that sums of squares stay exact in 128 bits."""


_ID = "(transaction_id|customer_id|terminal_id|device_id|card_token)"
NumericIds = Annotated[str, Meta(pattern=f"^({_ID}(,{_ID})*)?$")]


class AcceptanceSettings(Group, frozen=True, kw_only=True):
    """Bounds on event time, and the partition of a customer's transactions."""

    earliest_event_time_ms: int = 946_684_800_000
    """Milliseconds since the epoch; the default is 2000-01-01. An earlier event time is a producer's mistake, such as seconds
    instead of milliseconds, and is rejected."""
    max_future_seconds: Annotated[int, Meta(ge=0)] = 300
    """How far an event time may lie ahead of its record's timestamp. Five minutes cover the clock differences of a payment
    network. No other clock decides, so that every reader and every replay accepts the same records; rows of files, which have
    no timestamp, are compared with the time of reading."""
    partitioner: Literal["murmur2", "any"] = "murmur2"
    """`murmur2` rejects a record whose partition is not the one that Kafka's default partitioner chooses for its key: with
    two producers that partition differently, a customer would have two incomplete profiles. `any` accepts every
    partition, for deployments in which all producers agree on another rule."""
    numeric_ids: NumericIds = "transaction_id,customer_id,terminal_id,device_id"
    """Names of fields, separated by commas, whose values may be numbers. Of random numbers of 13 to 19 digits 2 to 4 % look like
    card numbers: in these fields they are scored and counted, in others rejected. The process ends when the values of such a
    field pass the check digit of card numbers far more often than by chance. `card_token` may be added. Empty: every field is
    strict, and each such record is rejected."""
