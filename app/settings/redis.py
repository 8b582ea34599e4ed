"""The group REDIS."""

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from app.errors import ConfigurationError
from app.settings.kinds import Group, Positive, Seconds


class RedisSettings(Group, frozen=True, kw_only=True):
    """The Redis from which scoring reads the state of terminals and other entities; docs/data/entities.md."""

    url: str = ""
    """`redis://HOST:PORT/DB`, or `rediss://` for TLS. Empty: the features of delayed entities are missing, and every
    decision is flagged `entities_absent`."""
    username: str = ""
    """User of the access control list; empty for the default user."""
    password_file: str = ""
    """File with the password. The URL may not hold one: `ps` and crash reports show the environment."""
    tls_ca_file: str = ""
    """PEM file of the authorities that sign the server's certificate. Empty: the system's authorities."""
    tls_cert_file: str = ""
    """PEM file of the client certificate, if the server asks for one (mTLS)."""
    tls_key_file: str = ""
    """PEM file of the private key of the client certificate."""
    tls_key_password_file: str = ""
    """File with the password of the private key, if it has one."""
    key_prefix: Annotated[str, Meta(min_length=1, max_length=64)] = "fraudstream"
    """Prefix of every key, so that several deployments can share a server."""
    connect_timeout_seconds: Seconds = 1.0
    """Longest wait for a connection. Scoring does not wait for connections."""
    read_deadline_seconds: Seconds = 0.1
    """A chunk waits this long for the states of its entities and is then scored without them. Long enough for a machine
    under load (docs/data/entities.md#decisions-without-entities). While Redis hangs, the wait adds to the latency of
    decisions until the circuit breaker opens, and then once per pause."""
    write_timeout_seconds: Seconds = 2.0
    """Longest wait for one batch that a worker of the role `entities` writes; then it retries."""
    breaker_failures: Positive = 3
    """Failed reads in a row after which the circuit breaker opens: Redis is not read."""
    breaker_pause_seconds: Seconds = 1.0
    """How long the circuit breaker stays open; then one chunk tries to read."""
    cache_entries: Positive = 50_000
    """Entity states kept in memory per scoring worker. A state takes some hundred bytes, up to 16 kB for a busy merchant."""
    cache_seconds: Seconds = 60.0
    """Age at which a state in memory is read again; it is also read again when an hour of event time begins."""


def check_redis(redis: RedisSettings) -> None:
    """Raise ConfigurationError if fields contradict each other. The files are checked when they are read."""
    url = _redis_address(redis.url)
    if url.username or url.password or url.query:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL may not contain a user, a password or options. Use FRAUDSTREAM_REDIS_USERNAME and "
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
            "FRAUDSTREAM_REDIS_URL is not the address of a Redis. Set it to redis://HOST:PORT/DB, or rediss:// for TLS."
        )
    return url
