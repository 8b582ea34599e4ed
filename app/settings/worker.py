"""The groups WORKER, ENTITIES, ANALYTICS and CRM: worker processes and their roles."""

from typing import Annotated, Literal

from msgspec import Meta

from app.settings.kinds import Group, Hours, Positive, Seconds

WorkerRole = Literal["risk", "entities", "analytics", "crm", "cases"]


class WorkerSettings(Group, frozen=True, kw_only=True):
    """A worker process of any role."""

    role: WorkerRole = "risk"
    """What the worker does. `risk`: score transactions. `entities`: keep the state of terminals and other entities, and
    publish it to Redis. `analytics`: write decisions and labels to Parquet and keep the report of each day. `crm`: ask
    customers about alerts. `cases`: keep cases of alerts in Postgres, and publish their changes."""
    app_id: str = "fraudstream-risk"
    """Consumer group of the role `risk`, and prefix of the name of its changelog topic."""
    instance_id: Annotated[str, Meta(max_length=249)] = ""
    """Name for static membership (`group.instance.id`). A worker that restarts under its name within the session timeout
    gets its partitions back, without a rebalance; until then they wait, also after an orderly stop. Each process needs
    a name of its own. Empty: dynamic membership, a restart is a leave and a join."""
    data_dir: str = "data/worker"
    """Directory of RocksDB. Each worker needs one of its own; a second worker on the same directory does not start."""
    when_records_lost: Literal["stop", "continue"] = "stop"
    """Reaction when retention has deleted records that the group has not read; docs/operate/operations.md#recordslost. `stop`:
    the worker ends, at every start. `continue`: it continues at the first remaining record, logs `records_lost` and
    counts them; `fraudstream doctor` and `fraudstream state verify` report them. `fraudstream cdc reference` does the same."""
    chunk_max_events: Positive = 2000
    """Most records of a chunk, which is decoded, scored and written together. A chunk takes the records that have arrived, up
    to this number."""
    chunks_in_flight: Positive = 4
    """Records that may wait for acknowledgement, in chunks of chunk_max_events."""
    profile_cache_bytes: Positive = 128 * 1024 * 1024
    """Memory for cached profiles per worker, in addition to RocksDB's caches. The default holds 50,000 customers with 100
    events each."""
    rocksdb_block_cache_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 64 * 1024 * 1024
    """Memory for uncompressed blocks of RocksDB's files, indexes and filters included, for all partitions of the worker.
    More saves reads of profiles that are not in the profile cache."""
    rocksdb_write_buffers_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 64 * 1024 * 1024
    """Memory for profiles that are not yet written to RocksDB's files, for all partitions of the worker. Less makes
    smaller files, which are merged more often."""
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 9464
    """Port of the metrics and health endpoints. If it is taken, the first free one of the next 15, so that several workers
    can run on one machine; the log names it. 0: no endpoints."""
    metrics_host: str = "127.0.0.1"
    """Address of the metrics and health endpoints. They contain no customer data but need no login: use loopback, or an
    address that only probes can reach."""
    stall_seconds: Seconds = 60.0
    """A partition with waiting records that finishes no chunk for this long is stalled: `/livez` fails and the worker ends;
    docs/operate/health.md. Many times the time of a chunk, and above the produce timeout, so that a slow worker is not
    ended."""
    stop_seconds: Seconds = 25.0
    """Longest duration of an orderly stop, in which chunks in flight are finished; then the process ends. Below the 30 s
    that Kubernetes grants, so that the worker can log the reason of the delay."""
    max_clock_skew_seconds: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    """Largest difference between the clocks of the worker's machine and of the brokers; beyond it the worker ends with exit code 70.
    Synchronized clocks differ by milliseconds. At most an hour: brokers refuse records from further ahead."""
    core: Annotated[int, Meta(ge=-1)] = -1
    """Processor core of the worker, a different one for each worker of a machine. The threads of a worker take turns at the
    interpreter, which is faster on one core on some machines (docs/adr/0015-a-core-of-its-own.md). -1: no fixed core."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    log_format: Literal["console", "json"] = "console"
    """`console` for people; `json` for log collectors, one object per line."""


class EntitySettings(Group, frozen=True, kw_only=True):
    """Workers of the role `entities`. Their other settings are in the group WORKER."""

    app_id: str = "fraudstream-entities"
    """Consumer group, and prefix of the name of the changelog topic."""


class AnalyticsSettings(Group, frozen=True, kw_only=True):
    """Workers of the role `analytics`; docs/data/groups.md. Their other settings are in the group WORKER."""

    app_id: str = "fraudstream-analytics"
    """Consumer group. Its committed offsets only serve to monitor the lag; a worker resumes where its files end."""
    dir: str = "data/analytics"
    """Directory of the Parquet files and reports. Several workers share it, on a file system that all of them can access."""
    roll_rows: Positive = 100_000
    """Rows of a partition after which a file is written. A row takes some 200 bytes of memory until then."""
    roll_seconds: Seconds = 300.0
    """Longest wait of a row until a file is written. With 8 partitions, the default makes at most 2,304 files a day while
    rows arrive for one day only. After a crash, up to this much is read again."""
    report_seconds: Seconds = 2.0
    """Longest delay of a day's report behind the stream."""


class CrmSettings(Group, frozen=True, kw_only=True):
    """Workers of the role `crm`; docs/data/groups.md. Times are those at which alerts were raised and answers given. Their
    other settings are in the group WORKER.
    """

    app_id: str = "fraudstream-crm"
    """Consumer group, and prefix of the name of the changelog topic."""
    episode_quiet_hours: Hours = 12.0
    """An episode ends when a customer has no alert for this long. There is at most one question per episode."""
    question_hours: Hours = 72.0
    """How long an unanswered question stays open; the customer is asked no other question meanwhile."""
    answer_quiet_hours: Hours = 24.0
    """How long a customer is not asked again after an answer."""
