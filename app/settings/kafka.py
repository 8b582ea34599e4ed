"""The group KAFKA."""

from typing import Literal

import msgspec

from app.errors import ConfigurationError
from app.settings.kinds import Seconds, variable

_LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")


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
    compression: Literal["none", "zstd", "gzip"] = "zstd"
    """Of what the worker writes. lz4 is left out: aiokafka's takes half of all CPU at full load."""
    security_protocol: Literal["plaintext", "tls", "sasl_tls", "sasl_plaintext"] = "plaintext"
    """With tls, certificates and host names are always verified; docs/operate/security.md."""
    tls_ca_file: str = ""
    """PEM of the authorities that sign the brokers' certificates; empty takes the system's."""
    tls_cert_file: str = ""
    """PEM of this client's certificate, where brokers ask for one (mTLS)."""
    tls_key_file: str = ""
    """PEM of the key of `tls_cert_file`."""
    tls_key_password_file: str = ""
    """Holds the password of the key, where it has one."""
    sasl_mechanism: Literal["SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password_file: str = ""
    """A secret is only ever a file's content: the environment shows in `ps` and in crash reports."""
    oauth_token_url: str = ""
    """Where a token is asked for with the client's id and secret. https, except on loopback."""
    oauth_client_id: str = ""
    oauth_client_secret_file: str = ""
    oauth_token_file: str = ""
    """Instead of the three above: a token that something else keeps renewed in this file."""


def check_kafka(kafka: KafkaSettings) -> None:
    """Raise ConfigurationError where fields do not fit each other."""
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
                f"{variable('kafka', field)} is not set, but FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL="
                f"{kafka.security_protocol} with FRAUDSTREAM_KAFKA_SASL_MECHANISM={kafka.sasl_mechanism} needs it."
            )
    if kafka.oauth_token_url and not kafka.oauth_token_url.startswith(("https://", *_LOOPBACK)):
        raise ConfigurationError(
            "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL must begin with https://: the client's secret is sent there."
        )
