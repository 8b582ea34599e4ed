"""A few pages over HTTP, for scrapers and probes: served by threads of their own, whatever the event loop does."""

import errno
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, NamedTuple

import structlog

from app.errors import ConfigurationError

CLIENT_SECONDS = 5.0
"""A client that says nothing for so long is hung up on."""
HIGHEST_PORT = 65_535
_POLL_SECONDS = 0.1

_log = structlog.get_logger("pages")


class Answer(NamedTuple):
    """What a page says."""

    status: int
    content_type: str
    body: bytes


Page = Callable[[str], Answer]
"""Given the Accept header, empty when there is none."""


class HttpPages:
    """``pages`` by path under ``http://host:port``, until closed; on the first free one of ``ports`` ports."""

    def __init__(
        self, host: str, port: int, pages: Mapping[str, Page], ports: int = 1, told: str = ""
    ) -> None:
        """``told`` is what the operator set it by. Raises ConfigurationError when it cannot be had."""
        try:
            self._server = _first_free(host, range(port, min(port + ports, HIGHEST_PORT + 1)), pages)
        except OSError as error:
            where = told or f"FRAUDSTREAM_WORKER_METRICS_HOST={host}, FRAUDSTREAM_WORKER_METRICS_PORT={port}"
            raise ConfigurationError(
                f"{where}: {error}. Give each process a port of its own, or 0 to a worker to serve none."
            ) from error
        _log.info("pages", at=f"http://{host}:{self.port}")
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="pages", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    """Not http.server's own, which asks the name service who it is before it answers anybody."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self.pages = pages
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base's signature
        """A client that hung up is no news; a page that fails is."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _log.warning("page_failed", cause=type(error).__name__)


def _first_free(host: str, ports: range, pages: Mapping[str, Page]) -> _Server:
    for port in ports[:-1]:
        try:
            return _Server(host, port, pages)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _Server(host, ports[-1], pages)


class _Handler(BaseHTTPRequestHandler):
    """One request a connection."""

    server: _Server
    timeout = CLIENT_SECONDS
    server_version, sys_version = "fraudstream", ""

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        status, content_type, body = page(self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """A probe every second would drown the log."""
