"""Answers with another status than 2xx are read, closed and bounded."""

import http.client
from email.message import Message
from io import BytesIO
from urllib.error import HTTPError

from app.adapters import http_request


class Cut(BytesIO):
    """An answer whose connection breaks."""

    def read(self, *_: object) -> bytes:
        raise http.client.IncompleteRead(b"half")


def refused(body: BytesIO, most_bytes: int = 100) -> http_request.StatusRefused:
    answer = HTTPError("http://connect", 503, "Service Unavailable", Message(), body)
    error = http_request._status_refused(answer, most_bytes)
    assert body.closed
    return error


def test_the_answer_is_held_without_its_socket() -> None:
    error = refused(BytesIO(b'{"message": "starting"}'))

    assert (error.code, error.reason, error.body) == (503, "Service Unavailable", b'{"message": "starting"}')


def test_a_long_answer_is_cut() -> None:
    assert refused(BytesIO(bytes(1000)), most_bytes=10).body == bytes(10)


def test_an_answer_that_breaks_off_is_closed_too() -> None:
    assert refused(Cut(b"half an answer")).body == b""
