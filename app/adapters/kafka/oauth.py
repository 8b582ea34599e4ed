"""Tokens for OAUTHBEARER: from a file that something else renews, or asked for with a client's secret.

A connection that is made anew in the middle of the work needs one as well. When none can be had then, aiokafka tries
again later, as it does when a broker is away: so that failure is an OSError.
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
"""Of a token's life: what is left of it lasts until a connection is made."""
_SHORTEST_SECONDS = 60.0
"""For an answer that does not say how long its token is good."""

_URL = "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL"


class NoToken(OSError):
    """The message names the setting and the remedy, and holds no secret."""


class Tokens(ABC):
    """aiokafka's AbstractTokenProvider, which has no types."""

    @abstractmethod
    async def token(self) -> str:
        """A token that is good for a while. Raises NoToken."""

    def extensions(self) -> dict[str, str]:
        """Nothing is told to the brokers but the token."""
        return {}


AbstractTokenProvider.register(Tokens)


class FileTokens(Tokens):
    """Reads the file anew for each connection: whoever renews the token replaces the file."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    async def token(self) -> str:
        try:
            return await asyncio.to_thread(self._read)
        except ConfigurationError as error:
            raise NoToken(str(error)) from None


class FetchedTokens(Tokens):
    """The client credentials grant. Used from two event loops, so it holds nothing of either."""

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
        except ConfigurationError as error:  # the secret's file
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
    """Never the answer's text, which may hold a token."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it is the answer as well, with its socket
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return type(error).__name__
