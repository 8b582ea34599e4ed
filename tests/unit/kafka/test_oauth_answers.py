"""A token server that answers wrongly: redirects, impossible lifetimes, texts that are no token. No secret leaves for elsewhere."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app.adapters.kafka import oauth
from app.adapters.kafka.oauth import FetchedTokens, NoToken
from tests.unit.clock import Clock

SECRET = "canary-secret"  # noqa: S105  # searched for where it must not be
DAY = 86_400.0


class Server:
    """Answers every request with the prepared status, headers and body, and keeps the headers that it received."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.received: list[tuple[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.received.append((self.command, dict(self.headers)))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            do_GET = do_POST = answer  # noqa: N815  # the names that the handler looks for

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/token"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    started = Server()
    started.body = b'{"access_token": "evil", "expires_in": 300}'
    yield started
    started.close()


def tokens(url: str, clock: Clock | None = None) -> FetchedTokens:
    return FetchedTokens(url, "risk", lambda: SECRET, None, clock or Clock())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(server: Server, elsewhere: Server, status: int) -> None:
    server.status, server.headers = status, {"Location": elsewhere.url}

    with pytest.raises(NoToken, match=f"HTTP {status}, a redirect, which is not followed") as none:
        await tokens(server.url).token()

    assert [] == elsewhere.received
    assert SECRET not in str(none.value)


@pytest.mark.parametrize(
    "lifetime",
    [
        "0",
        "-1",
        "-1e400",
        "1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "null",
        "true",
        "[]",
        '"nan"',
        '"inf"',
        '"-5"',
        '"x"',
        "9" * 400,
        "[" * 100_000,
    ],
    ids=lambda text: text[:12],
)
async def test_an_impossible_lifetime_gives_no_token(server: Server, lifetime: str) -> None:
    server.body = f'{{"access_token": "t1", "expires_in": {lifetime}}}'.encode()
    fetched = tokens(server.url)

    for _ in range(2):
        with pytest.raises(NoToken, match="FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL"):
            await fetched.token()
    assert 2 == len(server.received), "the refused token is not used"


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        ("100", 100.0),
        ('"100"', 100.0),
        ("0.5", 0.5),
        ("1e300", DAY),
        ("31536000", DAY),
        ("9007199254740993", DAY),
    ],
)
async def test_a_token_is_renewed_after_a_day_at_the_latest(
    server: Server, lifetime: str, seconds: float
) -> None:
    server.body = f'{{"access_token": "t1", "expires_in": {lifetime}}}'.encode()
    clock = Clock()
    fetched = tokens(server.url, clock)
    await fetched.token()
    clock.seconds = math.nextafter(oauth.RENEW_AT * seconds, 0)
    await fetched.token()
    assert 1 == len(server.received)

    clock.seconds = oauth.RENEW_AT * seconds
    await fetched.token()
    assert 2 == len(server.received)


@pytest.mark.parametrize("token", ["", "a\x01auth=Bearer b", "a\nb", "a b", "é", 5, None, ["t"], {}])
async def test_what_is_no_token_is_not_sent_to_a_broker(server: Server, token: object) -> None:
    server.body = json.dumps({"access_token": token, "expires_in": 300}).encode()

    with pytest.raises(NoToken, match="access_token is no token"):
        await tokens(server.url).token()


async def test_an_endless_answer_is_not_read_to_its_end(server: Server) -> None:
    server.body = b" " * (oauth._MOST_BYTES + 1)

    with pytest.raises(NoToken, match="more than"):
        await tokens(server.url).token()


async def test_credentials_in_the_url_are_not_repeated(server: Server) -> None:
    url = server.url.replace("http://", "http://user:canary-password@") + "?key=canary-key"
    server.status = 500

    with pytest.raises(NoToken) as none:
        await tokens(url).token()
    assert "canary" not in str(none.value)
