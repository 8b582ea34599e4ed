"""The group REDIS."""

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from app.errors import ConfigurationError
from app.settings.kinds import Positive, Seconds


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where scoring finds what is known of terminals and other entities; docs/data/entities.md."""

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


def check_redis(redis: RedisSettings) -> None:
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
