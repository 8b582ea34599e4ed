"""Tokens for OAUTHBEARER: read from a file that another process renews, or fetched with client credentials.

aiokafka asks for a token whenever it connects, also when it reconnects while records flow. It retries later after an
OSError, as when a broker is down, and fails for good after any other exception. NoToken is therefore an OSError.
"""

import asyncio
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable

from aiokafka.abc import AbstractTokenProvider

from app.errors import ConfigurationError

TIMEOUT_SECONDS = 10.0
RENEW_AT = 0.8
"""Fraction of a token's lifetime after which it is renewed; the rest covers the time to connect."""
_SHORTEST_SECONDS = 60.0
"""Lifetime of a token whose response has no ``expires_in``."""

_URL = "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL"


class NoToken(OSError):
    """No token is available. The message names the setting and the remedy, and holds no secret."""


class Tokens(ABC):
    """A typed aiokafka AbstractTokenProvider."""

    @abstractmethod
    async def token(self) -> str:
        """A valid token. Raises NoToken."""

    def extensions(self) -> dict[str, str]:
        """SASL extensions sent with the token: none."""
        return {}


AbstractTokenProvider.register(Tokens)


class FileTokens(Tokens):
    """Reads the file for each connection, because the token is renewed by replacing the file."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    async def token(self) -> str:
        try:
            return await asyncio.to_thread(self._read)
        except ConfigurationError as error:
            raise NoToken(str(error)) from None


class FetchedTokens(Tokens):
    """Fetches tokens by the client credentials grant (RFC 6749, section 4.4).

    Two event loops share an instance, so it holds no lock and no task of either; two fetches at once are harmless.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        read_secret: Callable[[], str],
        context: ssl.SSLContext | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._client_id = client_id
        self._read_secret = read_secret
        self._context = context
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        if not self._token or self._clock() >= self._renew_at:
            await asyncio.to_thread(self._fetch)
        return self._token

    def _fetch(self) -> None:
        asked_at = self._clock()
        try:
            with urllib.request.urlopen(  # noqa: S310  # the settings allow http and https alone
                self._request(), timeout=TIMEOUT_SECONDS, context=self._context
            ) as response:
                answer = json.load(response)
            self._token = str(answer["access_token"])
            lives_seconds = float(answer.get("expires_in", _SHORTEST_SECONDS))
        except ConfigurationError as error:  # from the file of the secret
            raise NoToken(str(error)) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NoToken(
                f"{_URL}={self._url} gives no token for FRAUDSTREAM_KAFKA_OAUTH_CLIENT_ID={self._client_id} "
                f"({_reason(error)}). Correct them, or FRAUDSTREAM_KAFKA_OAUTH_CLIENT_SECRET_FILE's content."
            ) from None
        self._renew_at = asked_at + RENEW_AT * lives_seconds

    def _request(self) -> urllib.request.Request:
        name = urllib.parse.quote(self._client_id, safe="")
        secret = urllib.parse.quote(self._read_secret(), safe="")
        return urllib.request.Request(  # noqa: S310  # as above
            self._url,
            data=b"grant_type=client_credentials",
            headers={"Authorization": f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"},
        )


def _reason(error: Exception) -> str:
    """The kind of failure. The text of the response is left out: it may hold a token."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # an HTTPError is also the response and holds its socket
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return type(error).__name__
