"""Bounds what an answer of the registry takes: the HTTP client reads answers whole, and unpacks those that are compressed."""

from collections.abc import Iterator
from functools import partial

import httpx

from app.errors import SchemaTooLarge
from app.settings.kinds import variable

_ENVELOPE_BYTES = 16 * 1024
"""Of an answer around the text of its schema."""
_ESCAPED = 2
"""Bytes that a character of a schema takes in an answer, where each is escaped."""


def bound_answers(session: httpx.Client, schema_bytes: int) -> None:
    """Refuse answers that cannot be those of a schema of ``schema_bytes``. Reading them then raises SchemaTooLarge."""
    session.headers["Accept-Encoding"] = "identity"
    session.event_hooks = {"response": [partial(_bound, schema_bytes)]}


def too_large(schema_bytes: int) -> SchemaTooLarge:
    """The error, with the setting."""
    return SchemaTooLarge(
        f"The schema, with those that it references, is longer than {variable('registry', 'schema_bytes')}={schema_bytes:,}."
    )


def _bound(schema_bytes: int, response: httpx.Response) -> None:
    most_bytes = _ESCAPED * schema_bytes + _ENVELOPE_BYTES
    declared = response.headers.get("Content-Length", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise SchemaTooLarge(
            "The schema registry answers in compressed form, which was not asked for: its size is unknown."
        )
    if declared.isdecimal() and (len(declared) > 12 or int(declared) > most_bytes):
        raise too_large(schema_bytes)
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _Counted(response.stream, most_bytes, schema_bytes)


class _Counted(httpx.SyncByteStream):
    """The bytes of an answer, up to ``most_bytes``."""

    def __init__(self, stream: httpx.SyncByteStream, most_bytes: int, schema_bytes: int) -> None:
        self._stream = stream
        self._left = most_bytes
        self._schema_bytes = schema_bytes

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self._left -= len(part)
            if self._left < 0:
                raise too_large(self._schema_bytes)
            yield part

    def close(self) -> None:
        self._stream.close()
