"""The parts of the lab that need no namespaces: the relay, late writes, and the pairs of faults."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from tests.chaos.lab.compaction import surplus
from tests.chaos.lab.relay import Quality, Relay
from tests.chaos.lab.scenarios.pairs import PAIRS, drawn
from tests.chaos.late_writes import late_writes, refused_batches
from tests.profile_format import NEVER_MS, StoredProfile, write_profile

FRAMES = [b"frame %d" % number for number in range(50)]


class Version(NamedTuple):
    key: bytes
    offset: int
    value: bytes | None
    partition: int = 0


def version(key: bytes, offset: int, applied: int) -> Version:
    profile = StoredProfile(
        wide=False,
        topic_id=1,
        applied_offset=offset,
        applied=applied,
        first_seen_ms=0,
        evicted_ms=0,
        base_ms=0,
        place=(NEVER_MS, 0.0, 0.0),
        starts=(0,) * 4,
        newest_sums=(0,) * 4,
        squares=(0,) * 4,
        kept=(),
    )
    return Version(key, offset, write_profile(profile))


def test_versions_in_order_are_not_late() -> None:
    assert (
        late_writes([version(b"a", 0, 1), version(b"a", 1, 2), version(b"b", 2, 1), version(b"a", 3, 2)]) == 0
    )


def test_each_version_behind_a_newer_one_is_late() -> None:
    records = [version(b"a", 0, 5), version(b"a", 2, 4), version(b"b", 1, 1), version(b"a", 3, 3)]

    assert late_writes(records) == 2


def test_a_claim_is_no_version() -> None:
    assert late_writes([version(b"a", 0, 5), Version(b"\0owner", 1, None), version(b"a", 2, 6)]) == 0


def test_refused_batches_are_counted_in_a_brokers_log() -> None:
    refusal = (
        "org.apache.kafka.common.errors.InvalidProducerEpochException: Epoch of producer 3 at offset 322 in {} is 1, which "
        "is smaller than the last seen epoch 2\n"
    )
    log = "".join(
        map(refusal.format, ("t-changelog-1", "t.decisions-1", "t-changelog-12", "u-t-changelog-1"))
    )

    assert refused_batches(log, "t-changelog") == 2


def test_compaction_is_complete_when_only_the_last_record_has_an_older_version() -> None:
    compacted = [version(b"a", 3, 1), version(b"b", 5, 1), version(b"a", 7, 1)]

    assert surplus(compacted) == 0
    assert surplus([version(b"b", 1, 1), *compacted]) == 1


def test_the_pairs_are_of_different_faults() -> None:
    pairs = [drawn(number) for number in range(1, PAIRS + 1)]

    assert all(first.name != second.name for first, second in pairs)
    assert len({(first.name, second.name) for first, second in pairs}) == PAIRS


@asynccontextmanager
async def relayed(quality: Quality) -> AsyncIterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a link."""
    host, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    switch, outer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control, told = os.pipe()
    for each in (host, inner, switch, outer):
        each.setblocking(False)
    relay = Relay(inner.fileno(), outer.fileno(), control)
    os.write(told, json.dumps(quality._asdict()).encode() + b"\n")
    await asyncio.sleep(0.01)
    try:
        yield host, switch
    finally:
        relay.close()
        for each in (host, inner, switch, outer):
            each.close()
        os.close(control)
        os.close(told)


async def carried(quality: Quality, seconds: float = 0.05) -> list[bytes]:
    """What arrives at the switch within so many seconds."""
    async with relayed(quality) as (host, switch):
        for frame in FRAMES:
            host.send(frame)
        await asyncio.sleep(seconds)
        return list(waiting(switch))


def waiting(receiver: socket.socket) -> Any:
    while True:
        try:
            yield receiver.recv(4096)
        except BlockingIOError:
            return


@pytest.mark.parametrize(
    ("quality", "seconds", "expected"),
    [
        (Quality(), 0.05, FRAMES),
        (Quality(delay_ms=30), 0.2, FRAMES),
        (Quality(delay_ms=500), 0.05, []),
        (Quality(loss=1.0), 0.05, []),
        (Quality(duplicates=1.0), 0.05, [frame for frame in FRAMES for _ in range(2)]),
    ],
    ids=["perfect", "slow", "not yet", "dead", "twice"],
)
async def test_a_link_has_its_quality(quality: Quality, seconds: float, expected: list[bytes]) -> None:
    assert await carried(quality, seconds) == expected


async def test_jitter_reorders_and_loses_nothing() -> None:
    arrived = await carried(Quality(jitter_ms=40), 0.2)

    assert sorted(arrived) == sorted(FRAMES)
    assert arrived != FRAMES
