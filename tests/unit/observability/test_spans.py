"""Spans on their way to a collector: the headers of the operator, which may hold a key, go to no other server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.adapters.observability.spans import Spans, to_collector

TRACED = (("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),)


@pytest.fixture
def servers() -> Iterator[tuple[str, dict[str, int]]]:
    """The URL of a collector that redirects to another one, and how many requests each of them has received."""
    received = {"collector": 0, "elsewhere": 0}

    class Elsewhere(BaseHTTPRequestHandler):
        def answer(self) -> None:
            received["elsewhere"] += 1
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815  # the names that the handler looks for

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Collector(Elsewhere):
        def do_POST(self) -> None:
            received["collector"] += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.2:{elsewhere.server_port}/v1/traces")
            self.send_header("Content-Length", "0")
            self.end_headers()

    elsewhere, collector = HTTPServer(("127.0.0.2", 0), Elsewhere), HTTPServer(("127.0.0.1", 0), Collector)
    threads = [threading.Thread(target=each.serve_forever, args=(0.01,)) for each in (elsewhere, collector)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{collector.server_port}/v1/traces", received
    for server, thread in zip((elsewhere, collector), threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_redirect_of_the_collector_is_not_followed(
    servers: tuple[str, dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, received = servers
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=canary-secret")
    spans = Spans(to_collector(url, 1.0), "fraudstream-risk", "worker-1")
    spans.add("fraudstream score", TRACED, 1, 2, {})
    spans.close()

    assert received["collector"] >= 1
    assert received["elsewhere"] == 0
