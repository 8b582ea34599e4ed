"""The group KAFKA."""

from typing import Annotated, Literal

from msgspec import Meta

from app.errors import ConfigurationError
from app.settings.kinds import MIB, Group, Seconds, variable

_LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")


class KafkaSettings(Group, frozen=True, kw_only=True):
    """Connection to the brokers, and bounds on what is read from them; docs/data/damaged-input.md#bounds."""

    bootstrap_servers: str = "127.0.0.1:9092"
    """Comma-separated list of `host:port`."""
    start_seconds: Seconds = 60.0
    """How long a starting worker waits for a broker that answers. Then it ends with exit code 2: it cannot tell wrong addresses from
    brokers that are away."""
    session_timeout_seconds: Seconds = 10.0
    """A worker that sends no heartbeat for this long loses its partitions. Shorter: faster takeover, more false alarms."""
    heartbeat_seconds: Seconds = 1.0
    """Interval of the consumer's heartbeats. A tenth of the session timeout, so that some lost heartbeats do no harm."""
    request_timeout_seconds: Seconds = 40.0
    """Longest wait for the answer to a consumer's request; at least the session timeout."""
    produce_timeout_seconds: Seconds = 8.0
    """A record that is not acknowledged within this time ends the worker. Below the session timeout, so that a worker
    that has lost its partitions does not keep writing."""
    commit_interval_seconds: Seconds = 1.0
    """Interval of offset commits. A takeover repeats at most this much work, and the repeated records are recognised.
    Shorter costs requests."""
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"
    """Which records of other programs' Kafka transactions are read, by workers and commands alike. `read_committed`: those
    of committed transactions; a partition waits behind an open one. `read_uncommitted`: all, also those of aborted
    transactions."""
    compression: Literal["none", "zstd", "gzip"] = "zstd"
    """Compression of the records that workers write. lz4 is not offered: its implementation in aiokafka takes half of all
    CPU at full load."""
    batch_unpacked_bytes: Annotated[int, Meta(ge=MIB, le=1024 * MIB)] = 32 * MIB
    """Largest size to which a record batch may unpack, 32 times the largest that the transactions topic stores. Some kilobytes can
    unpack to gigabytes. A larger batch stops its partition: raise the setting, or leave it out by `fraudstream dlq skip`."""
    batch_records: Annotated[int, Meta(ge=1, le=10_000_000)] = 500_000
    """Most records of a batch; the smallest transactions fill our largest batches with half as many. One with more stops its
    partition."""
    record_bytes: Annotated[int, Meta(ge=64 * 1024, le=3 * MIB)] = MIB
    """Longest record: key, value and headers; 8 KiB more are allowed for the headers that workers append. A longer one, which only
    a compressed batch can hold, is a dead letter, `unreadable`, with its first 64 KiB. At most 3 MiB: dead letters fit into a batch."""
    record_headers: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Most headers of a record, 16 more for those that workers append. Each takes 200 bytes of memory, and two bytes of a
    record. A record with more is a dead letter, `unreadable`."""
    record_header_bytes: Annotated[int, Meta(ge=4096, le=MIB)] = 64 * 1024
    """Most bytes of the headers of a record together, 8 KiB more for those that workers append. A record with more is a dead
    letter, `unreadable`."""
    poll_bytes: Annotated[int, Meta(ge=MIB, le=1024 * MIB)] = 8 * MIB
    """Memory of the records that are taken from a partition at once, after which the next partition has its turn. The record
    that reaches the bound is still taken."""
    control_record_bytes: Annotated[int, Meta(ge=4096, le=MIB)] = 64 * 1024
    """Longest order or report of a worker. A longer one is refused and logged."""
    control_reports: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    """Most workers whose newest reports are held in memory. Of more, those that were read longest ago are left out."""
    security_protocol: Literal["plaintext", "tls", "sasl_tls", "sasl_plaintext"] = "plaintext"
    """Encryption and authentication; docs/operate/security.md. With TLS, certificates and host names are always verified."""
    tls_ca_file: str = ""
    """PEM file of the authorities that sign the brokers' certificates. Empty: the system's authorities."""
    tls_cert_file: str = ""
    """PEM file of the client certificate, if the brokers ask for one (mTLS)."""
    tls_key_file: str = ""
    """PEM file of the private key of the client certificate."""
    tls_key_password_file: str = ""
    """File with the password of the private key, if it has one."""
    sasl_mechanism: Literal["SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    """How the client authenticates, if the security protocol is `sasl_tls` or `sasl_plaintext`."""
    sasl_username: str = ""
    """User name for SCRAM."""
    sasl_password_file: str = ""
    """File with the password for SCRAM. Secrets are only read from files: `ps` and crash reports show the environment."""
    oauth_token_url: str = ""
    """Endpoint that issues tokens for the client id and secret. Must be https, except on loopback."""
    oauth_client_id: str = ""
    """Client id for the token endpoint."""
    oauth_client_secret_file: str = ""
    """File with the client secret for the token endpoint."""
    oauth_token_file: str = ""
    """File with a token that another program keeps renewed. Replaces the URL, the client id and the secret."""


def check_kafka(kafka: KafkaSettings) -> None:
    """Raise ConfigurationError if fields contradict each other."""
    if kafka.produce_timeout_seconds >= kafka.session_timeout_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS must be below FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS: "
            "a worker that lost its partitions must not keep writing. Lower the first or raise the second."
        )
    if kafka.request_timeout_seconds < kafka.session_timeout_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_REQUEST_TIMEOUT_SECONDS must be at least "
            "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS. Raise the first or lower the second."
        )
    _check_identity(kafka)


def _check_identity(kafka: KafkaSettings) -> None:
    """Require the fields of the chosen mechanism. The content of the files is checked when they are read."""
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
                f"{variable('kafka', field)} is not set, but FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL="
                f"{kafka.security_protocol} with FRAUDSTREAM_KAFKA_SASL_MECHANISM={kafka.sasl_mechanism} needs it."
            )
    if kafka.oauth_token_url and not kafka.oauth_token_url.startswith(("https://", *_LOOPBACK)):
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL must begin with https://: the client's secret is sent there."
        )
