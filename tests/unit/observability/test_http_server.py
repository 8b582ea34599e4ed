"""Pages over HTTP: each by its path, and nothing else."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from app.adapters.observability.http_server import HttpResponse, HttpServer
from app.errors import ConfigurationError

SECONDS = 10


def well(accept: str) -> HttpResponse:
    return HttpResponse(200, "text/plain", f"well {accept}".encode())


def unwell(_: str) -> HttpResponse:
    return HttpResponse(503, "text/plain", b"unwell")


def broken(_: str) -> HttpResponse:
    raise LookupError


@pytest.fixture
def pages() -> Iterator[HttpServer]:
    served = HttpServer("127.0.0.1", 0, {"/well": well, "/unwell": unwell, "/broken": broken})
    yield served
    served.close()


def ask(pages: HttpServer, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", pages.port, timeout=SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_page_answers_as_it_likes(pages: HttpServer) -> None:
    assert (200, b"well text/x") == ask(pages, "/well?verbose=1", Accept="text/x")
    assert (503, b"unwell") == ask(pages, "/unwell")


@pytest.mark.parametrize("path", ["/", "/welly", "/../well", "/well/"])
def test_what_is_no_page_is_not_found(path: str, pages: HttpServer) -> None:
    assert ask(pages, path)[0] == 404


def test_nothing_can_be_sent(pages: HttpServer) -> None:
    assert ask(pages, "/well", method="POST")[0] == 501


def test_a_page_that_fails_harms_no_other(pages: HttpServer) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        ask(pages, "/broken")
    assert ask(pages, "/well")[0] == 200


def test_a_client_that_says_nothing_holds_up_nobody(pages: HttpServer) -> None:
    with socket.create_connection(("127.0.0.1", pages.port)):
        assert ask(pages, "/well")[0] == 200


def test_an_answer_tells_nothing_of_what_serves_it(pages: HttpServer) -> None:
    with socket.create_connection(("127.0.0.1", pages.port), timeout=SECONDS) as connection:
        connection.sendall(b"GET /well HTTP/1.0\r\n\r\n")
        assert b"Python" not in connection.recv(4096)


def test_a_port_in_use_names_the_setting(pages: HttpServer) -> None:
    with pytest.raises(ConfigurationError, match=f"FRAUDSTREAM_WORKER_METRICS_PORT={pages.port}"):
        HttpServer("127.0.0.1", pages.port, {})


def test_workers_of_one_machine_take_the_next_free_ports(pages: HttpServer) -> None:
    second = HttpServer("127.0.0.1", pages.port, {}, ports=16)

    assert pages.port < second.port < pages.port + 16
    second.close()


def test_a_host_that_does_not_exist_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_WORKER_METRICS_HOST=256\.0\.0\.1"):
        HttpServer("256.0.0.1", 0, {})
