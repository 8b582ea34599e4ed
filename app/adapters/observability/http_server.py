"""An HTTP server for scrapers and probes. It runs in threads, so it answers while the event loop is blocked."""

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
"""Seconds after which the connection of a silent client is closed."""
HIGHEST_PORT = 65_535
PORTS_TRIED = 16
"""Number of ports tried from the port of the settings on: the most processes expected on one machine."""
_POLL_SECONDS = 0.1

_log = structlog.get_logger("http_server")


class HttpResponse(NamedTuple):
    """The response of an endpoint."""

    status: int
    content_type: str
    body: bytes


Endpoint = Callable[[str], HttpResponse]
"""A function from the Accept header, empty without one, to the response."""


class HttpServer:
    """Serves ``endpoints`` by path until ``close``, on the first free port from ``port`` to ``port + ports - 1``."""

    def __init__(
        self, host: str, port: int, endpoints: Mapping[str, Endpoint], ports: int = 1, set_by: str = ""
    ) -> None:
        """Start serving. ``set_by`` names the option in the ConfigurationError raised when no port is free."""
        try:
            self._server = _first_free(host, range(port, min(port + ports, HIGHEST_PORT + 1)), endpoints)
        except OSError as error:
            where = (
                set_by or f"FRAUDSTREAM_WORKER_METRICS_HOST={host}, FRAUDSTREAM_WORKER_METRICS_PORT={port}"
            )
            raise ConfigurationError(
                f"{where}: {error}. Give each process a port of its own, or 0 to a worker to serve none."
            ) from error
        _log.info("http_server_started", at=f"http://{host}:{self.port}")
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="http", daemon=True
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
    """Replaces http.server's HTTPServer, which looks up its own host name and may block on DNS at the start."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, port: int, endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = endpoints
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base's signature
        """Log the failure of an endpoint; a client that closed the connection is not worth a line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _log.warning("endpoint_failed", cause=type(error).__name__)


def _first_free(host: str, ports: range, endpoints: Mapping[str, Endpoint]) -> _Server:
    for port in ports[:-1]:
        try:
            return _Server(host, port, endpoints)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _Server(host, ports[-1], endpoints)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request per connection."""

    server: _Server
    timeout = CLIENT_SECONDS
    server_version, sys_version = "fraudstream", ""

    def do_GET(self) -> None:
        endpoint = self.server.endpoints.get(self.path.partition("?")[0])
        if endpoint is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        status, content_type, body = endpoint(self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log no requests: a probe every second would flood the log."""
