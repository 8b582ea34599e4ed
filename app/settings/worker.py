"""The groups of worker processes."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.settings.kinds import Hours, Positive, Seconds

WorkerRole = Literal["risk", "entities", "analytics", "crm"]


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process."""

    role: WorkerRole = "risk"
    """`risk` scores transactions. `entities` keeps what is known of terminals and of past frauds, and brings it to Redis.
    `analytics` writes decisions and labels to Parquet and keeps the report of each day. `crm` asks customers about alerts."""
    app_id: str = "fraudstream-risk"
    """Consumer group of the role `risk`, and prefix of its changelog topic's name."""
    instance_id: Annotated[str, Meta(max_length=249)] = ""
    """Static membership (`group.instance.id`): a worker that comes back under the same name within its session gets its
    partitions back, and nobody else's move. It then says no farewell: what it had waits for it, or for the session to end.
    One process a name. Empty: a restart is a leave and a join."""
    data_dir: str = "data/worker"
    """RocksDB lives here. One directory per worker: a second worker on it is refused."""
    chunk_max_events: Positive = 2000
    """The most events that are decoded, scored and written together. A chunk is whatever is there, up to this."""
    chunks_in_flight: Positive = 4
    """How many chunks' worth of records, at chunk_max_events each, may wait for their acknowledgements."""
    profile_cache_bytes: Positive = 128 * 1024 * 1024
    """Of profiles kept in memory per worker: 50,000 of customers with 100 events, beside RocksDB's own caches."""
    rocksdb_block_cache_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 64 * 1024 * 1024
    """Blocks of RocksDB's files kept uncompressed in memory, their indexes and filters included; shared by all
    partitions of this worker. More saves reading and unpacking for customers that are not in the profile cache."""
    rocksdb_write_buffers_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 64 * 1024 * 1024
    """Profiles not yet written to RocksDB's files, all partitions of this worker together. Less makes smaller
    files, which are merged more often."""
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 9464
    """Metrics and health probes on this port, or the first free one of the 15 after it, so that workers of one machine
    need no port each; the log says which. 0 serves none."""
    metrics_host: str = "127.0.0.1"
    """Pages name no customer, but nobody has to log in to read them: loopback, or an address that only probes reach."""
    stall_seconds: Seconds = 60.0
    """Records that wait so long without one chunk of their partition being finished are a stall: `/livez` says so and
    the worker ends. Many times what a chunk takes and above what a send may wait for the brokers, so that a slow
    worker is not ended; docs/operate/health.md."""
    stop_seconds: Seconds = 25.0
    """A worker asked to stop finishes its chunks in flight and ends within this time, in order or not. Below the 30 s
    that Kubernetes grants, so that it says itself what it was waiting for."""
    core: Annotated[int, Meta(ge=-1)] = -1
    """The processor core it runs on; give each worker of a machine its own. Its threads take turns at the interpreter, on
    some machines faster in one core's caches (docs/adr/0015). -1: wherever the system likes."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"


class EntitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The workers of the role `entities`; their other settings are those of the group WORKER."""

    app_id: str = "fraudstream-entities"
    """Consumer group, and prefix of the changelog topic's name."""


class AnalyticsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The workers of the role `analytics`; docs/data/groups.md."""

    app_id: str = "fraudstream-analytics"
    """Consumer group. What it has committed is told to whoever watches its lag; where it goes on, its files say."""
    dir: str = "data/analytics"
    """Files and reports. Several workers share one directory, on a file system that all of them see."""
    roll_rows: Positive = 100_000
    """A partition's rows are written when there are so many; a row takes some 200 bytes of memory until then."""
    roll_seconds: Seconds = 300.0
    """And when the first of them has waited so long. With 8 partitions these are 2,304 files a day at most, as long as
    rows come for one day; a kill has so much read again."""
    report_seconds: Seconds = 2.0
    """How far a report may be behind the stream."""


class CrmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The workers of the role `crm`; docs/data/groups.md. Times are those at which alerts were raised and answers given."""

    app_id: str = "fraudstream-crm"
    """Consumer group, and prefix of the changelog topic's name."""
    episode_quiet_hours: Hours = 12.0
    """Alerts of a customer belong to one episode until there is none for so long. One message an episode at most."""
    question_hours: Hours = 72.0
    """A question that nobody answers stays open so long; no other is asked meanwhile."""
    answer_quiet_hours: Hours = 24.0
    """A customer who has answered is not asked again for so long."""
