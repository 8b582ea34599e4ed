"""What no Kafka client can parse, on a real broker: header names of any bytes are read, damage stops one partition only."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import cramjam
import pytest

from app.adapters.kafka.partitioner import partition_of
from app.adapters.kafka.record_batches.contained_fetch import install
from app.domain.transaction import Transaction
from app.local.state import Stack
from tests.support import commands
from tests.support.deployment import Deployment
from tests.support.probing import probed
from tests.support.traffic import traffic
from tests.support.wire.record_batches import LZ4, ZSTD, Stored, batch, record
from tests.support.wire.send import send_batch

pytestmark = pytest.mark.integration

LATIN = "Müller".encode("latin-1")
SECONDS = 60.0
BOMB_BYTES = 256 * 1024 * 1024
FIELDS = ("transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency")


def partition(deployment: Deployment, transaction: Transaction) -> int:
    return partition_of(transaction.customer_id.encode(), deployment.partitions)


def split(
    deployment: Deployment, transactions: Iterable[Transaction], here: int
) -> tuple[list[Transaction], list[Transaction]]:
    """Those of the partition ``here``, and the others."""
    found: tuple[list[Transaction], list[Transaction]] = ([], [])
    for each in transactions:
        found[partition(deployment, each) != here].append(each)
    return found


def encoded(transaction: Transaction) -> bytes:
    return json.dumps({name: getattr(transaction, name) for name in FIELDS}).encode()


def stored(transaction: Transaction, *headers: tuple[bytes, bytes]) -> Stored:
    return Stored(transaction.customer_id.encode(), encoded(transaction), headers)


def now_batch(records: Iterable[Stored], **options: Any) -> bytes:
    return batch(list(records), first_timestamp=time.time_ns() // 1_000_000, **options)


def damaged_batch(records: list[Stored]) -> bytes:
    """A batch that brokers take and clients refuse: its LZ4 data end with a wrong checksum, at which brokers do not look."""
    compressor = cramjam.lz4.Compressor(level=4, content_checksum=True, block_linked=False)
    compressor.compress(b"".join(map(record, records, range(len(records)))))
    payload = bytearray(bytes(compressor.finish()))
    payload[-1] ^= 1
    return now_batch(records, payload=bytes(payload), codec=LZ4)


async def until(condition: Callable[[], Awaitable[bool]], deployment: Deployment) -> None:
    deadline = time.monotonic() + SECONDS
    while not await condition():
        deployment.require_workers()
        assert time.monotonic() < deadline, deployment.tails()
        await asyncio.sleep(0.2)


async def decided(deployment: Deployment, transactions: Iterable[Transaction]) -> None:
    """Return when all of them are decided."""
    wanted = {each.transaction_id for each in transactions}

    async def all_are() -> bool:
        return wanted <= set(await deployment.decisions())

    await until(all_are, deployment)


async def test_a_header_name_of_any_bytes_is_read_by_every_worker_and_command(deployment: Deployment) -> None:
    install()
    topics, (first, second, third, fourth) = deployment.settings.topics, traffic(4, seed=31)
    workers = [deployment.worker("one"), deployment.worker("two")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.wait_started()
    place = partition(deployment, first)
    broken = Stored(b"k", b"no transaction", [(LATIN, b"x"), (b"\xff\xfe", b"")])
    same = [each for each in traffic(400, seed=32) if partition(deployment, each) == place]

    await deployment.produce([second])
    await send_batch(
        deployment.servers,
        topics.transactions,
        place,
        now_batch([stored(first, (LATIN, b"v")), broken, stored(same[0])]),
    )
    await deployment.produce([third, fourth])

    await decided(deployment, [first, second, third, fourth, same[0]])
    await deployment.drained()
    (letter,) = await deployment.read(topics.dead_letters)
    assert (letter.key, letter.value) == (b"k", b"no transaction")
    names = [(name.encode("utf-8", "surrogateescape"), value) for name, value in letter.headers]
    assert names[:2] == [(LATIN, b"x"), (b"\xff\xfe", b"")]
    for words in (["dlq", "show", f"{letter.partition}:{letter.offset}"], ["dlq", "ls"], ["state", "verify"]):
        done = commands.call(deployment, *words)
        assert done.returncode == 0, done.stderr.decode()
    for worker in workers:
        assert worker.terminate() == 0


async def test_a_damaged_batch_stops_its_partition_until_it_is_skipped(deployment: Deployment) -> None:
    topic = deployment.settings.topics.transactions
    worker, other = probed(deployment), deployment.worker("other")
    worker.worker.start()
    worker.worker.wait_started()
    here, there = split(deployment, traffic(60, seed=33), 0)
    await deployment.produce([here[0], there[0]])
    await decided(deployment, [here[0], there[0]])

    bad = damaged_batch([stored(each) for each in here[1:3]])
    offset = await send_batch(deployment.servers, topic, 0, bad)
    await deployment.produce([*here[3:], *there[1:]])
    answers = await worker.until("/readyz", 503)
    await decided(deployment, there)

    assert (
        f"{topic}-0 cannot be read from offset {offset}: the batch cannot be unpacked with lz4"
        in answers[-1].text
    )
    assert f"`fraudstream dlq skip {topic} 0 {offset} --reason TEXT`" in answers[-1].text
    await asyncio.sleep(8)  # longer than FRAUDSTREAM_WORKER_STALL_SECONDS of this worker: no stall
    assert worker.ask("/livez").status == 200
    assert "unreadable_partitions 1.0" in worker.ask("/metrics").text
    other.start()
    await decided(deployment, there)
    assert commands.call(deployment, "monitor", "--json").returncode == 0
    assert b"Traceback" not in commands.call(deployment, "doctor", "--json").stderr

    refused = commands.call(deployment, "dlq", "skip", topic, "0", str(offset + 2), "--reason", "no")
    assert refused.returncode == 2, refused.stderr.decode()
    assert "can be read" in refused.stderr.decode()
    done = commands.call(deployment, "dlq", "skip", topic, "0", str(offset), "--reason", "disk 3 is broken")
    assert done.returncode == 0, done.stderr.decode()

    await decided(deployment, [*here[3:], *there])
    await deployment.drained()
    (letter,) = await deployment.read(deployment.settings.topics.dead_letters)
    context = dict(letter.headers)
    assert context["fraud.error.code"] == b"unreadable"
    assert b"disk 3 is broken" in context["__streams.errors.message"]
    assert (
        letter.value[21:23] + letter.value[61:] == bad[21:23] + bad[61:]
    )  # the broker sets offset and epoch
    assert not {each.transaction_id for each in here[1:3]} & set(await deployment.decisions())
    left_out = f"{topic}-0: the records from offset {offset} to {offset + 1} cannot be read and are left out"
    for words in (["replay", "--from", "0", "--partition", "0"], ["state", "verify"]):
        done = commands.call(deployment, *words)
        assert (done.returncode, left_out in done.stderr.decode()) == (0, True), done.stderr.decode()
    listed = commands.call(deployment, "dlq", "replay", "--code", "unreadable")
    assert listed.returncode == 1
    assert b"its bytes are no record" in listed.stderr


async def test_a_batch_that_unpacks_to_too_much_stops_its_partition_within_bounded_memory(
    deployment: Deployment,
) -> None:
    topic = deployment.settings.topics.transactions
    worker = probed(deployment)
    worker.worker.start()
    worker.worker.wait_started()
    here, there = split(deployment, traffic(60, seed=35), 0)
    await deployment.produce([here[0], there[0]])
    await decided(deployment, [here[0], there[0]])
    before = resident_bytes(worker.worker.pid)

    bomb = now_batch([Stored(b"k", bytes(BOMB_BYTES))], codec=ZSTD)
    offset = await send_batch(deployment.servers, topic, 0, bomb)
    await deployment.produce(there[1:])
    answers = await worker.until("/readyz", 503)
    await decided(deployment, there)

    assert (
        f"{topic}-0 cannot be read from offset {offset}: the batch unpacks to more than "
        "FRAUDSTREAM_KAFKA_BATCH_UNPACKED_BYTES=33,554,432 bytes" in answers[-1].text
    )
    assert len(bomb) < 100_000
    assert resident_bytes(worker.worker.pid) - before < BOMB_BYTES
    assert worker.worker.terminate() == 0


def resident_bytes(pid: int) -> int:
    """The most memory that the process had so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


async def test_bytes_damaged_on_the_disk_of_a_broker_stop_a_partition_until_they_are_mended(
    deployment: Deployment, stack: Stack
) -> None:
    topic = deployment.settings.topics.transactions
    here, there = split(deployment, traffic(60, seed=34), 1)
    await send_batch(deployment.servers, topic, 1, now_batch([stored(each) for each in here[:2]]))
    await send_batch(deployment.servers, topic, 1, now_batch([stored(each) for each in here[2:4]]))
    # Without a recursive search: other tests' topics are deleted meanwhile.
    (segment,) = (stack.directory / "kafka-1" / "data" / f"{topic}-1").glob("*.log")
    sound = segment.read_bytes()
    flip(segment, sound, len(sound) - 9)
    worker = probed(deployment)
    worker.worker.start()
    await deployment.produce(there)

    answers = await worker.until("/readyz", 503)
    while "cannot be read" not in answers[-1].text:
        await asyncio.sleep(0.2)
        answers.append(await asyncio.to_thread(worker.ask, "/readyz"))
    await decided(deployment, [*here[:2], *there])

    assert f"{topic}-1 cannot be read from offset 2: the batch has a wrong checksum" in answers[-1].text
    flip(segment, sound)
    await decided(deployment, here[:4])
    await worker.until("/readyz", 200)
    assert worker.worker.terminate() == 0


def flip(segment: Path, sound: bytes, at: int | None = None) -> None:
    """Write the bytes in place, one of them changed: the broker has the file open."""
    changed = bytearray(sound)
    if at is not None:
        changed[at] ^= 0x55
    with segment.open("r+b") as file:
        file.write(changed)
