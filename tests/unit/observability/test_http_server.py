"""HttpServer: endpoints by path, errors, ports."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from app.adapters.observability.http_server import HttpResponse, HttpServer
from app.errors import ConfigurationError

SECONDS = 10


def healthy(accept: str) -> HttpResponse:
    return HttpResponse(200, "text/plain", f"healthy {accept}".encode())


def unhealthy(_: str) -> HttpResponse:
    return HttpResponse(503, "text/plain", b"unhealthy")


def broken(_: str) -> HttpResponse:
    raise LookupError


@pytest.fixture
def endpoints() -> Iterator[HttpServer]:
    served = HttpServer("127.0.0.1", 0, {"/well": healthy, "/unwell": unhealthy, "/broken": broken})
    yield served
    served.close()


def ask(endpoints: HttpServer, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", endpoints.port, timeout=SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_an_endpoint_sets_status_and_body(endpoints: HttpServer) -> None:
    assert (200, b"healthy text/x") == ask(endpoints, "/well?verbose=1", Accept="text/x")
    assert (503, b"unhealthy") == ask(endpoints, "/unwell")


@pytest.mark.parametrize("path", ["/", "/welly", "/../well", "/well/"])
def test_an_unknown_path_is_404(path: str, endpoints: HttpServer) -> None:
    assert ask(endpoints, path)[0] == 404


def test_post_is_not_supported(endpoints: HttpServer) -> None:
    assert ask(endpoints, "/well", method="POST")[0] == 501


def test_a_failing_endpoint_does_not_affect_others(endpoints: HttpServer) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        ask(endpoints, "/broken")
    assert ask(endpoints, "/well")[0] == 200


def test_a_silent_client_does_not_delay_others(endpoints: HttpServer) -> None:
    with socket.create_connection(("127.0.0.1", endpoints.port)):
        assert ask(endpoints, "/well")[0] == 200


def test_a_response_does_not_reveal_the_server_software(endpoints: HttpServer) -> None:
    with socket.create_connection(("127.0.0.1", endpoints.port), timeout=SECONDS) as connection:
        connection.sendall(b"GET /well HTTP/1.0\r\n\r\n")
        assert b"Python" not in connection.recv(4096)


def test_a_port_in_use_names_the_setting(endpoints: HttpServer) -> None:
    with pytest.raises(ConfigurationError, match=f"FRAUDSTREAM_WORKER_METRICS_PORT={endpoints.port}"):
        HttpServer("127.0.0.1", endpoints.port, {})


def test_workers_on_one_machine_use_the_next_free_ports(endpoints: HttpServer) -> None:
    second = HttpServer("127.0.0.1", endpoints.port, {}, ports=16)

    assert endpoints.port < second.port < endpoints.port + 16
    second.close()


def test_a_host_that_does_not_exist_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_WORKER_METRICS_HOST=256\.0\.0\.1"):
        HttpServer("256.0.0.1", 0, {})
