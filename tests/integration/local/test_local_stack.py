"""The local stack with its real servers: data that survive a restart, and processes that end together."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition
from typer.testing import CliRunner

from app.cli import app
from app.errors import StackError
from app.local import cluster
from app.local import stack as local_stack
from app.local.cluster import Cluster
from app.local.java import jars
from app.local.processes import wait_gone
from app.local.state import Stack

pytestmark = pytest.mark.integration

ENOUGH_SECONDS = 15


async def create(bootstrap_servers: str, topic: str, replication_factor: int) -> list[int]:
    """The error codes of creating the topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        response = await admin.create_topics([NewTopic(topic, 1, replication_factor)])
        return [error[1] for error in response.topic_errors]
    finally:
        await admin.close()


async def write(bootstrap_servers: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def first_value(bootstrap_servers: str, topic: str) -> bytes:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return bytes((await consumer.getone()).value)


def run(*words: str) -> tuple[int, str]:
    """Exit code and output of ``fraudstream stack``."""
    result = CliRunner().invoke(app, ["stack", *words])
    return result.exit_code, result.output


async def up(directory: Path, brokers: int = 1) -> Stack:
    return await asyncio.to_thread(local_stack.start, directory, brokers, None, os.getpid())


async def test_data_and_addresses_survive_down_and_up(directory: Path) -> None:
    before = await up(directory)
    assert await create(before.bootstrap_servers, "kept", 1) == [0]
    await write(before.bootstrap_servers, "kept", b"still here")

    assert local_stack.stop(directory)
    assert wait_gone(before.processes, 0) == []
    after = await up(directory)

    assert (before.cluster_id, before.bootstrap_servers) == (after.cluster_id, after.bootstrap_servers)
    assert await first_value(after.bootstrap_servers, "kept") == b"still here"


@pytest.mark.slow
async def test_a_port_that_another_program_takes_before_the_start_is_replaced(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, taken = cluster.plan, list[socket.socket]()

    def plan_and_take(*given: Any) -> Cluster:
        planned = plan(*given)
        if not taken:
            taken.append(socket.create_server(("127.0.0.1", planned.nodes[0].port)))
        return planned

    monkeypatch.setattr(cluster, "plan", plan_and_take)
    running = await up(directory)

    assert await create(running.bootstrap_servers, "new", 1) == [0]
    (server,) = taken
    assert running.brokers[0].port != server.getsockname()[1]
    server.close()


def test_the_command_starts_reports_and_stops_the_stack(directory: Path) -> None:
    """In one sequence: up, up again, a part dies, down, down again."""
    at = ("--dir", str(directory))
    code, output = run("up", *at, "--while", str(os.getpid()))
    assert (code, "export FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:" in output) == (0, True)
    code, output = run("up", *at)
    assert (code, "it was up already" in output) == (0, True)

    code, output = run("status", "--json", *at)
    described = json.loads(output)
    assert (
        code,
        described["state"],
        [p["name"] for p in described["parts"]],
    ) == (0, "up", ["redis", "kafka-1"])

    os.kill(described["parts"][0]["pid"], signal.SIGKILL)
    wait_gone([part.process for part in stack_in(directory).parts[:1] if part.process], ENOUGH_SECONDS)
    code, output = run("status", *at)
    assert (code, "DIED" in output) == (1, True)

    assert run("down", *at) == (0, "stopped\n")
    assert (1, f"down: nothing is up in {directory}\n") == run("status", *at)


def test_the_stack_ends_with_a_killed_parent(directory: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from app.local import stack;"
        f"stack.start(Path({str(directory)!r}), lifeline_pid=os.getpid()); print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:  # noqa: S603  # ours
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        started = stack_in(directory)
        parent.kill()

    assert wait_gone(started.processes, ENOUGH_SECONDS) == []


@pytest.mark.slow
def test_servers_end_with_a_killed_supervisor_and_up_starts_again(directory: Path) -> None:
    started = local_stack.start(directory)
    assert started.supervisor is not None
    os.kill(started.supervisor.pid, signal.SIGKILL)

    assert wait_gone(started.processes, ENOUGH_SECONDS) == []
    assert run("status", "--dir", str(directory))[0] == 1
    assert local_stack.start(directory).cluster_id == started.cluster_id


def test_a_warm_start_uses_no_network(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """``stack`` has filled the cache."""

    def refuse(*_: object) -> None:
        raise AssertionError("a warm start must not use the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert len(jars.ensure(jars.cache_directory())) == len(jars.read_lock())
    assert stack.bootstrap_servers


def test_a_part_that_dies_while_starting_is_named_with_the_end_of_its_log(directory: Path) -> None:
    local_stack.start(directory)
    local_stack.stop(directory)
    for stored in (directory / "kafka-1" / "data").glob("meta.properties"):
        stored.write_text(stored.read_text().replace("node.id=1", "node.id=7"))

    with pytest.raises(StackError, match=r"(?s)kafka-1 died while starting.*Stored node id 7"):
        local_stack.start(directory)
    assert local_stack.status(directory) is None


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_three_brokers_keep_three_replicas_and_tolerate_the_loss_of_one(stack3: Stack) -> None:
    assert await create(stack3.bootstrap_servers, "copied", 3) == [0]
    os.kill(stack3.brokers[1].pid, signal.SIGKILL)
    await write(stack3.bootstrap_servers, "copied", b"two of three are in sync")

    again = await asyncio.to_thread(local_stack.restart_broker, stack3.directory, 2)

    assert again.brokers[1].pid != stack3.brokers[1].pid
    assert again.dead == ()
    assert await first_value(again.bootstrap_servers, "copied") == b"two of three are in sync"


def stack_in(directory: Path) -> Stack:
    found = local_stack.status(directory)
    assert found is not None
    return found
