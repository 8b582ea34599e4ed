"""A TCP server that implements what a client needs of Kafka's protocol to find brokers, topics and groups."""

import asyncio
import ssl
import struct
import time
from collections import Counter
from contextlib import suppress
from typing import Any, Self, cast

from aiokafka.protocol.admin import (
    ApiVersionResponse_v0,
    ApiVersionResponse_v1,
    DescribeGroupsResponse_v0,
)
from aiokafka.protocol.commit import OffsetFetchResponse_v3
from aiokafka.protocol.coordination import FindCoordinatorResponse_v0
from aiokafka.protocol.metadata import MetadataResponse_v5
from aiokafka.protocol.offset import OffsetResetStrategy, OffsetResponse_v2

from app.adapters.kafka.protocol import metadata, quorum
from app.adapters.kafka.protocol.versioned import NO_TAGS

LIST_OFFSETS, METADATA, OFFSET_FETCH, FIND_COORDINATOR, DESCRIBE_GROUPS, API_VERSIONS = 2, 3, 9, 10, 15, 18
DESCRIBE_QUORUM, QUORUM_VERSION = 55, 1
END, COMMITTED = 7, 5
TOPICS_VERSION = 12
_VERSIONS = [
    (LIST_OFFSETS, 2, 2),
    (OFFSET_FETCH, 3, 3),
    (METADATA, 5, TOPICS_VERSION),  # aiokafka uses version 5, ours the other
    (FIND_COORDINATOR, 0, 0),
    (DESCRIBE_GROUPS, 0, 0),
    (API_VERSIONS, 0, 2),
    (DESCRIBE_QUORUM, QUORUM_VERSION, QUORUM_VERSION),
]
_FLEXIBLE = {(METADATA, TOPICS_VERSION), (DESCRIBE_QUORUM, QUORUM_VERSION)}
_HOST = "127.0.0.1"


class FakeBroker:
    """The only broker of its cluster, with one topic and one group of one member."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers_without_brokers = 0
        """So many metadata responses have no broker, as those of a broker that has just started."""
        self.passing_errors: dict[int, list[int]] = {}
        """By request: the error codes of its next responses."""
        self.errors_of_partitions = True
        """Errors about offsets are those of a partition, not of the whole response."""
        self.asked: Counter[int] = Counter()
        self.clock_ahead_ms = 0
        """By how much its clock is ahead of this machine's."""
        self._asks_for_end = False
        self._tls = tls
        self._connections: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await asyncio.sleep(0.01)  # closed connections close their sockets

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, _HOST, port, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.address = f"{_HOST}:{self.port}"

    async def stop(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.transport.abort()
        await self._server.wait_closed()

    def read_no_more(self) -> None:
        """Leave open what is open: neither requests nor the notice of a client that closes are read."""
        for connection in self._connections:
            cast(asyncio.ReadTransport, connection.transport).pause_reading()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                request = await reader.readexactly(size)
                key, version, number = struct.unpack(">hhi", request[:8])
                self.asked[key] += 1
                self._asks_for_end = request.endswith(struct.pack(">q", OffsetResetStrategy.LATEST))
                head = struct.pack(">i", number) + (b"\0" if (key, version) in _FLEXIBLE else b"")
                body = head + self._answer(key, version).encode()
                writer.write(struct.pack(">i", len(body)) + body)
        self._connections.discard(writer)
        writer.close()

    def _answer(self, key: int, version: int) -> Any:
        if key == API_VERSIONS:
            return ApiVersionResponse_v1(0, _VERSIONS, 0) if version else ApiVersionResponse_v0(0, _VERSIONS)
        errors = self.passing_errors.get(key, [])
        code = errors.pop(0) if errors else 0
        if key == METADATA:
            return self._metadata(version, code)
        answers = {
            FIND_COORDINATOR: lambda code: FindCoordinatorResponse_v0(code, 1, _HOST, self.port),
            DESCRIBE_QUORUM: self._quorum,
            LIST_OFFSETS: self._offset,
            OFFSET_FETCH: self._commits,
            DESCRIBE_GROUPS: self._group,
        }
        return answers[key](code)

    def _group(self, code: int) -> Any:
        members = [] if code else [("m", "client", "host", b"", b"")]
        return DescribeGroupsResponse_v0([(code, "g", "" if code else "Stable", "", "", members)])

    def _offset(self, code: int) -> Any:
        offset = -1 if code else (END if self._asks_for_end else 0)
        return OffsetResponse_v2(0, [("t", [(0, code, -1, offset)])])

    def _quorum(self, code: int) -> Any:
        clock_ms = time.time_ns() // 1_000_000 + self.clock_ahead_ms
        voter = (1, END, clock_ms, clock_ms, NO_TAGS)
        partition: Any = (0, 0, 1, 1, END, [voter], [], NO_TAGS)
        topics = [] if code else [(quorum.METADATA_LOG, [partition], NO_TAGS)]
        return quorum.DESCRIBE_QUORUM.response(code, topics, NO_TAGS)

    def _commits(self, code: int) -> Any:
        if code and not self.errors_of_partitions:
            return OffsetFetchResponse_v3(0, [], code)
        return OffsetFetchResponse_v3(0, [("t", [(0, -1 if code else COMMITTED, "", code)])], 0)

    def _metadata(self, version: int, code: int) -> Any:
        empty = self.answers_without_brokers > 0
        self.answers_without_brokers -= empty
        if version == TOPICS_VERSION:
            brokers: list[Any] = [] if empty else [(1, _HOST, self.port, None, NO_TAGS)]
            partitions: list[Any] = [] if code else [(0, 0, 1, 0, [1], [1], [], NO_TAGS)]
            found = (code, "t", metadata.NO_ID, False, partitions, 0, NO_TAGS)
            return metadata.METADATA.response(0, brokers, "c", 1, [found], NO_TAGS)
        topics: list[Any] = [(0, "t", False, [(0, 0, 1, [1], [1], [])])]
        return MetadataResponse_v5(0, [] if empty else [(1, _HOST, self.port, None)], "c", 1, topics)
