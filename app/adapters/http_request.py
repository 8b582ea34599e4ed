"""HTTP requests that carry secrets: no redirect is followed, and the answer is bounded.

``urllib`` follows a redirect with all headers of the request, the Authorization header included, to any host and to plain
http.
"""

import http.client
import ssl
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from app.domain.words import named

MOST_BYTES = 16 * 1024 * 1024
"""Longest answer: far more than any token, or the state of a thousand connectors."""


class AnswerTooLong(OSError):
    """The answer has more than the bound."""


class StatusRefused(OSError):
    """The server answers with another status than 2xx. Holds the answer, where an HTTPError holds its open socket."""

    def __init__(self, code: int, reason: str, body: bytes) -> None:
        super().__init__(f"HTTP {code}")
        self.code = code
        self.reason = reason
        self.body = body
        """As much of it as was received, up to the bound."""


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Leave the redirect to urllib's last handler, which raises it as an HTTPError."""


def ask(
    request: Request,
    timeout_seconds: float,
    context: ssl.SSLContext | None = None,
    most_bytes: int = MOST_BYTES,
) -> bytes:
    """The body of the answer. Raises StatusRefused for every status but 2xx, redirects included, and OSError as ``urlopen``."""
    opener = build_opener(_NoRedirect, HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=timeout_seconds) as answer:
            body: bytes = answer.read(most_bytes + 1)
    except HTTPError as error:
        raise _status_refused(error, most_bytes) from None
    except http.client.HTTPException as error:  # no valid HTTP: to a caller the same as no answer
        raise OSError(f"no HTTP ({named(error)})") from error
    if len(body) > most_bytes:
        raise AnswerTooLong(f"the answer has more than {most_bytes:,} bytes")
    return body


def _status_refused(error: HTTPError, most_bytes: int) -> StatusRefused:
    """Read and close the answer."""
    with error:
        try:
            body = error.read(most_bytes)
        except (OSError, http.client.HTTPException):
            body = b""
    return StatusRefused(error.code, str(error.reason), body)
