"""Tokens for OAUTHBEARER: read from a file that another process renews, or fetched with client credentials.

aiokafka asks for a token whenever it connects, also when it reconnects while records flow. It retries later after an
OSError, as when a broker is down, and fails for good after any other exception. NoToken is therefore an OSError.
"""

import asyncio
import json
import math
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable

from aiokafka.abc import AbstractTokenProvider

from app.adapters.http_request import AnswerTooLong, StatusRefused, ask
from app.domain.safe_text import without_credentials
from app.errors import ConfigurationError

TIMEOUT_SECONDS = 10.0
RENEW_AT = 0.8
"""Fraction of a token's lifetime after which it is renewed; the rest covers the time to connect."""
_UNSTATED_SECONDS = 60.0
"""Lifetime of a token whose response has no ``expires_in``."""
_LONGEST_SECONDS = 86_400.0
"""A token is renewed after a day at the latest, however long its server lets it live."""
_MOST_BYTES = 256 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""RFC 6749, appendix A.12, without the space. The SASL message of a token separates its parts by a control character."""

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
            answer = json.loads(ask(self._request(), TIMEOUT_SECONDS, self._context, _MOST_BYTES))
            token, lives_seconds = _checked_token(answer), _lifetime_seconds(answer)
        except ConfigurationError as error:  # from the file of the secret
            raise NoToken(str(error)) from None
        except (
            OSError,
            ValueError,
            OverflowError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise NoToken(
                f"{_URL}={without_credentials(self._url)} gives no token for FRAUDSTREAM_KAFKA_OAUTH_CLIENT_ID={self._client_id} "
                f"({_reason(error)}). Correct them, or FRAUDSTREAM_KAFKA_OAUTH_CLIENT_SECRET_FILE's content."
            ) from None
        self._token, self._renew_at = token, asked_at + RENEW_AT * lives_seconds

    def _request(self) -> urllib.request.Request:
        name = urllib.parse.quote(self._client_id, safe="")
        secret = urllib.parse.quote(self._read_secret(), safe="")
        return urllib.request.Request(  # noqa: S310  # as above
            self._url,
            data=b"grant_type=client_credentials",
            headers={"Authorization": f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"},
        )


def _checked_token(answer: dict[str, object]) -> str:
    token = answer["access_token"]
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise _Refused("access_token is no token")
    return token


def _lifetime_seconds(answer: dict[str, object]) -> float:
    """How long the token is used. Some servers give a text of digits instead of a number."""
    given = answer.get("expires_in", _UNSTATED_SECONDS)
    seconds = (
        float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else math.nan
    )
    if not 0 < seconds < math.inf:
        raise _Refused("expires_in is not a positive number of seconds")
    return min(seconds, _LONGEST_SECONDS)


class _Refused(ValueError):
    """An answer that is not used, and why; holds nothing of the answer."""


def _reason(error: Exception) -> str:
    """The kind of failure. The text of the response is left out: it may hold a token."""
    if isinstance(error, StatusRefused):
        return f"HTTP {error.code}" + (
            ", a redirect, which is not followed" if 300 <= error.code < 400 else ""
        )
    if isinstance(error, _Refused | AnswerTooLong):
        return str(error)
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return type(error).__name__
