"""Creates Redis clients from the settings and explains their errors in terms of the settings."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from app.adapters import tls
from app.domain.safe_text import without_credentials
from app.domain.words import named
from app.settings import RedisSettings

PREFIX = "FRAUDSTREAM_REDIS_"
Client = redis.asyncio.Redis
FAILURES = (RedisError, OSError, TimeoutError)
"""The errors of any Redis command: refusals, broken connections, timeouts."""

_PORT = 6379


def connect(settings: RedisSettings, timeout_seconds: float) -> Client:
    """A client that connects at its first command; close it with ``aclose``.

    Commands are not retried: the caller knows how much time is left. Raises ConfigurationError when a certificate, key or
    password file is unusable.
    """
    url = urlsplit(settings.url)
    options: dict[str, Any] = {
        "host": url.hostname,
        "port": url.port or _PORT,
        "db": int(url.path.strip("/") or 0),
        "username": settings.username or None,
        "password": password(settings) or None,
        "socket_connect_timeout": settings.connect_timeout_seconds,
        "socket_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if url.scheme == "rediss":
        options |= {"connection_class": VerifiedConnection, "context": tls.client_context(PREFIX, settings)}
    else:
        options["connection_class"] = Connection
    return Client.from_pool(ConnectionPool(**options))


def password(settings: RedisSettings) -> str:
    """The content of the password file, empty where none is set. Raises ConfigurationError when it is unusable."""
    if not settings.password_file:
        return ""
    return tls.read_file(f"{PREFIX}PASSWORD_FILE", settings.password_file)


class VerifiedConnection(SSLConnection):
    """TLS with our own context: redis-py's trusts the system's authorities in addition to the configured ones."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = context


def explain(settings: RedisSettings, error: BaseException) -> str:
    """One line with the cause of an error and the setting to check, without event values and secrets."""
    refusal = _cause(error, ssl.SSLCertVerificationError)
    if isinstance(refusal, ssl.SSLCertVerificationError):
        return _distrust(settings, refusal)
    if isinstance(error, NoPermissionError):
        return f"Redis does not allow {PREFIX}USERNAME={settings.username or 'default'} the commands that fraudstream needs: docs/operate/security.md."
    if isinstance(error, AuthenticationError):
        return (
            f"Redis refuses {PREFIX}USERNAME={settings.username or 'default'} with the password in "
            f"{PREFIX}PASSWORD_FILE={settings.password_file or '(not set)'}. Correct one of them."
        )
    if _cause(error, ssl.SSLError) is not None:
        return f"The TLS handshake fails. Correct {PREFIX}URL, or check {PREFIX}TLS_CERT_FILE."
    return f"Redis at {PREFIX}URL={without_credentials(settings.url)} does not answer ({named(error)}). Start it or correct the setting."


def _distrust(settings: RedisSettings, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in {tls.OTHER_HOST, tls.OTHER_ADDRESS}:
        return f"Redis's certificate is for another host. Name it in {PREFIX}URL as its certificate does."
    if error.verify_code == tls.EXPIRED:
        return "Redis's certificate has expired. Have it renewed, and look at this machine's clock."
    authority = settings.tls_ca_file or "(the system's authorities)"
    return (
        f"Redis's certificate is not trusted ({error.verify_message}). {PREFIX}TLS_CA_FILE={authority} must hold the "
        "authority that signed it."
    )


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The first error of this type in the chain of causes."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error
