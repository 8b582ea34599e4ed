"""Settings of the service: frozen groups, each field with its unit, default and reason.

``FRAUDSTREAM_<GROUP>_<FIELD>`` in the environment sets a field; this module is the only reader of the
environment. ``fraudstream settings`` prints all of them.
"""

import difflib
import os
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from app.errors import ConfigurationError

PREFIX = "FRAUDSTREAM_"
PRODUCTION_REPLICAS = 3
_LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the brokers."""

    bootstrap_servers: str = "127.0.0.1:9092"
    """Comma-separated host:port list."""
    session_timeout_seconds: Seconds = 10.0
    """A worker silent for this long loses its partitions. Shorter: faster takeover, more false alarms."""
    heartbeat_seconds: Seconds = 1.0
    request_timeout_seconds: Seconds = 40.0
    """Kafka's own bound on a consumer's request; at least the session timeout."""
    produce_timeout_seconds: Seconds = 8.0
    """A record not acknowledged by then ends the worker. Below the session timeout, so that a worker that
    lost its partitions does not keep writing."""
    commit_interval_seconds: Seconds = 1.0
    """How much work a takeover repeats at most. Repeats are recognised; shorter costs requests."""
    compression: typing.Literal["none", "zstd", "gzip"] = "zstd"
    """Of what the worker writes. lz4 is left out: aiokafka's takes half of all CPU at full load."""
    security_protocol: typing.Literal["plaintext", "tls", "sasl_tls", "sasl_plaintext"] = "plaintext"
    """With tls, certificates and host names are always verified; docs/security.md."""
    tls_ca_file: str = ""
    """PEM of the authorities that sign the brokers' certificates; empty takes the system's."""
    tls_cert_file: str = ""
    """PEM of this client's certificate, where brokers ask for one (mTLS)."""
    tls_key_file: str = ""
    """PEM of the key of `tls_cert_file`."""
    tls_key_password_file: str = ""
    """Holds the password of the key, where it has one."""
    sasl_mechanism: typing.Literal["SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password_file: str = ""
    """A secret is only ever a file's content: the environment shows in `ps` and in crash reports."""
    oauth_token_url: str = ""
    """Where a token is asked for with the client's id and secret. https, except on loopback."""
    oauth_client_id: str = ""
    oauth_client_secret_file: str = ""
    oauth_token_file: str = ""
    """Instead of the three above: a token that something else keeps renewed in this file."""


class TopicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Names and sizes of the topics; the rest of their shape is the table in app/streaming/topics.py."""

    transactions: str = "payments.transactions.v1"
    decisions: str = "fraud.decisions.v1"
    alerts: str = "fraud.alerts.v1"
    dead_letters: str = "fraud.dead-letters.v1"
    labels: str = "fraud.labels.v1"
    """What became known of transactions later: chargebacks, analysts' and customers' outcomes."""
    entity_activity: str = "fraud.entity-activity.v1"
    """What terminals, customers and other entities did, and what became known of it; one topic for all kinds."""
    control: str = "fraud.control.v1"
    """Which model decides, by order, and which one each worker runs. One partition, compacted."""
    partitions: Positive = 8
    """Of every topic but the control topic; the upper bound on workers of a role. Frozen once data flows: another
    count sends a customer to another partition than their profile."""
    replication_factor: Positive = 1
    """3 in production; 1 only where there is one broker."""


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process."""

    role: typing.Literal["risk", "entities"] = "risk"
    """`risk` scores transactions. `entities` keeps what is known of terminals and of past frauds, and brings it to Redis."""
    app_id: str = "fraudstream-risk"
    """Consumer group of the role `risk`, and prefix of its changelog topic's name."""
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
    worker is not ended; docs/health.md."""
    stop_seconds: Seconds = 25.0
    """A worker asked to stop finishes its chunks in flight and ends within this time, in order or not. Below the 30 s
    that Kubernetes grants, so that it says itself what it was waiting for."""
    log_level: typing.Literal["debug", "info", "warning", "error"] = "info"
    log_format: typing.Literal["console", "json"] = "console"


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which model decides."""

    dir: str = "models"
    """Holds ``aliases.toml`` and the bundles ``<name>/<version>/``."""
    champion: str = ""
    """``name/version``: nothing else decides on this worker, whatever is ordered. Empty takes what `fraudstream model promote`
    ordered, or ``champion`` of aliases.toml."""
    public_key_file: str = ""
    """PEM of an Ed25519 public key: only bundles signed by its owner are loaded. Empty loads unsigned ones too."""
    backend: typing.Literal["auto", "sklearn", "compiled"] = "auto"
    """What scores: auto measures both when a model is loaded and takes the faster one for each size of a chunk; compiled
    refuses a model that has no machine code."""
    drift_decisions: Annotated[int, Meta(ge=0)] = 50_000
    """A worker holds so many of its latest decisions against the training data of its champion; 0 for none. Fewer see
    a change sooner, and more of chance."""
    challenger_budget_ms: Annotated[float, Meta(gt=0)] = 10.0
    """What scoring one chunk may take each challenger. One that takes longer leaves chunks out until that is made up
    for, and is suspended when it goes on: a full chunk of 2,000 takes a small forest 4 ms."""


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where scoring finds what is known of terminals and other entities; docs/entities.md."""

    url: str = ""
    """`redis://HOST:PORT/DB`, or `rediss://` for TLS. Empty: the features of delayed entities are absent, and every
    decision says so."""
    username: str = ""
    """Of an ACL; empty for the default user."""
    password_file: str = ""
    """Holds the password. None stands in the URL: the environment shows in `ps` and in crash reports."""
    tls_ca_file: str = ""
    """PEM of the authorities that sign the server's certificate; empty takes the system's."""
    tls_cert_file: str = ""
    """PEM of this client's certificate, where the server asks for one (mTLS)."""
    tls_key_file: str = ""
    """PEM of the key of `tls_cert_file`."""
    tls_key_password_file: str = ""
    """Holds the password of the key, where it has one."""
    key_prefix: Annotated[str, Meta(min_length=1, max_length=64)] = "fraudstream"
    """Before every key, so that several deployments may share a server."""
    connect_timeout_seconds: Seconds = 1.0
    """Connections are made beside the scoring, which does not wait for them."""
    read_deadline_seconds: Seconds = 0.02
    """A chunk waits so long for its entities, then it is scored without them. Many times a round trip on a local
    network; added to the latency of decisions when Redis hangs, until the breaker opens."""
    write_timeout_seconds: Seconds = 2.0
    """Of one batch that the worker of the role `entities` publishes; then it tries again."""
    breaker_failures: Positive = 3
    """After so many failed reads in a row Redis is not asked any more."""
    breaker_pause_seconds: Seconds = 1.0
    """So long; then one chunk tries again."""
    cache_entries: Positive = 50_000
    """Entities kept in memory per scoring worker; a state takes some hundred bytes, a busy merchant's up to 16 kB."""
    cache_seconds: Seconds = 60.0
    """An entity in memory is read again after this, and whenever an hour of event time begins."""


class EntitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The workers of the role `entities`; their other settings are those of the group WORKER."""

    app_id: str = "fraudstream-entities"
    """Consumer group, and prefix of the changelog topic's name."""


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
    partitioner: typing.Literal["murmur2", "any"] = "murmur2"
    """A key in another partition than murmur2's is refused: two producers that disagree would give a customer two half
    profiles. `any` where all of them agree on another rule."""


class DeploymentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of place this is."""

    stage: typing.Literal["development", "production"] = "development"
    """In production what is only fit for a laptop is refused: unencrypted Kafka or Redis, a Redis without a password,
    fewer than three replicas."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings; built once and passed down."""

    deployment: DeploymentSettings = msgspec.field(default_factory=DeploymentSettings)
    kafka: KafkaSettings = msgspec.field(default_factory=KafkaSettings)
    topics: TopicSettings = msgspec.field(default_factory=TopicSettings)
    worker: WorkerSettings = msgspec.field(default_factory=WorkerSettings)
    entities: EntitySettings = msgspec.field(default_factory=EntitySettings)
    redis: RedisSettings = msgspec.field(default_factory=RedisSettings)
    model: ModelSettings = msgspec.field(default_factory=ModelSettings)
    profile: ProfileSettings = msgspec.field(default_factory=ProfileSettings)
    acceptance: AcceptanceSettings = msgspec.field(default_factory=AcceptanceSettings)

    @property
    def app_id(self) -> str:
        """Consumer group of a worker of this role, and prefix of its changelog's name."""
        return self.entities.app_id if self.worker.role == "entities" else self.worker.app_id

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every group from ``environ``. Raises ConfigurationError naming the setting and the remedy."""
        _refuse_unknown(environ)
        groups: dict[str, typing.Any] = {name: _read_group(name, group, environ) for name, group in _groups()}
        settings = cls(**groups)
        _check_together(settings)
        return settings


def setting_names() -> Iterator[tuple[str, object]]:
    """Every setting's environment name with its default."""
    for name, group in _groups():
        defaults = group()
        for field in msgspec.structs.fields(group):
            yield _variable(name, field.name), getattr(defaults, field.name)


def values(settings: Settings) -> dict[str, object]:
    """The settings in force by environment name."""
    return {
        _variable(name, field.name): getattr(getattr(settings, name), field.name)
        for name, group in _groups()
        for field in msgspec.structs.fields(group)
    }


def _groups() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for field in msgspec.structs.fields(Settings):
        yield field.name, field.type


def _variable(group: str, field: str) -> str:
    return f"{PREFIX}{group}_{field}".upper()


def _read_group(name: str, group: type[msgspec.Struct], environ: Mapping[str, str]) -> msgspec.Struct:
    given: dict[str, object] = {}
    for field in msgspec.structs.fields(group):
        variable = _variable(name, field.name)
        if variable in environ:
            given[field.name] = _read_value(variable, field.type, environ[variable])
    return group(**given)


def _read_value(variable: str, kind: type | types.GenericAlias, text: str) -> object:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{variable}={text!r}: {error}. Set it to such a value or unset it."
        ) from error


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {name for name, _ in setting_names()}
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            # Without what all of them share, or any two would look alike.
            close = difflib.get_close_matches(
                name.removeprefix(PREFIX), [n.removeprefix(PREFIX) for n in known], n=1
            )
            hint = (
                f"Did you mean {PREFIX}{close[0]}?"
                if close
                else "`fraudstream settings` lists the known ones."
            )
            raise ConfigurationError(f"{name} is not a setting. {hint}")


def _check_together(settings: Settings) -> None:
    kafka = settings.kafka
    if kafka.produce_timeout_seconds >= kafka.session_timeout_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS must be below FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS: "
            "a worker that lost its partitions must not keep writing. Lower the first or raise the second."
        )
    if settings.worker.stall_seconds <= kafka.produce_timeout_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_WORKER_STALL_SECONDS must be above FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS: a worker "
            "whose record is still being sent does not stand still. Raise the first or lower the second."
        )
    if kafka.request_timeout_seconds < kafka.session_timeout_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_REQUEST_TIMEOUT_SECONDS must be at least "
            "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS. Raise the first or lower the second."
        )
    _check_identity(kafka)
    _check_redis(settings.redis)
    if settings.deployment.stage == "production":
        _check_production(settings)


def _check_identity(kafka: KafkaSettings) -> None:
    """That what a mechanism needs is given; what the files hold is checked where they are read."""
    if bool(kafka.tls_cert_file) is not bool(kafka.tls_key_file):
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_TLS_CERT_FILE and FRAUDSTREAM_KAFKA_TLS_KEY_FILE belong together. Set or unset both."
        )
    if not kafka.security_protocol.startswith("sasl"):
        return
    if kafka.sasl_mechanism == "SCRAM-SHA-512":
        needed = ["sasl_username", "sasl_password_file"]
    elif kafka.oauth_token_file:
        needed = []
    else:
        needed = ["oauth_token_url", "oauth_client_id", "oauth_client_secret_file"]
    for field in needed:
        if not getattr(kafka, field):
            raise ConfigurationError(
                f"{_variable('kafka', field)} is not set, but FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL="
                f"{kafka.security_protocol} with FRAUDSTREAM_KAFKA_SASL_MECHANISM={kafka.sasl_mechanism} needs it."
            )
    if kafka.oauth_token_url and not kafka.oauth_token_url.startswith(("https://", *_LOOPBACK)):
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL must begin with https://: the client's secret is sent there."
        )


def _check_redis(redis: RedisSettings) -> None:
    """What the URL may say; whether the files can be used is checked where they are read."""
    url = _redis_address(redis.url)
    if url.username or url.password or url.query:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL may hold neither user nor password nor options. Use FRAUDSTREAM_REDIS_USERNAME and "
            "FRAUDSTREAM_REDIS_PASSWORD_FILE."
        )
    if bool(redis.tls_cert_file) is not bool(redis.tls_key_file):
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_TLS_CERT_FILE and FRAUDSTREAM_REDIS_TLS_KEY_FILE belong together. Set or unset both."
        )
    if redis.username and not redis.password_file:
        raise ConfigurationError("FRAUDSTREAM_REDIS_USERNAME needs FRAUDSTREAM_REDIS_PASSWORD_FILE. Set it.")


def _redis_address(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        database = url.path.strip("/")
        fits = not text or (
            url.scheme in {"redis", "rediss"}
            and bool(url.hostname)
            and url.port != 0
            and (database.isdecimal() or not database)
        )
    except ValueError:  # a port beyond 65535, half an IPv6 address
        fits = False
    if not fits:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is no address of a Redis. Give redis://HOST:PORT/DB, or rediss:// for TLS."
        )
    return url


def _check_production(settings: Settings) -> None:
    kafka, replicas = settings.kafka, settings.topics.replication_factor
    _check_production_redis(settings.redis)
    if kafka.security_protocol not in {"tls", "sasl_tls"}:
        raise ConfigurationError(
            f"FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL={kafka.security_protocol} is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: customers' data would cross the network readable. "
            "Set it to sasl_tls or tls."
        )
    if replicas < PRODUCTION_REPLICAS:
        raise ConfigurationError(
            f"FRAUDSTREAM_TOPICS_REPLICATION_FACTOR={replicas} is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: one lost disk would lose acknowledged records. Set it to 3."
        )


def _check_production_redis(redis: RedisSettings) -> None:
    if redis.url.startswith("redis://"):
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: what is known of customers "
            "would cross the network readable. Begin it with rediss://."
        )
    if redis.url and not redis.password_file:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_PASSWORD_FILE is not set, which is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: whoever reaches Redis could change scores. Set it."
        )
