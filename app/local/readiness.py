"""Checks that the servers of a stack serve requests: a listening port does not mean that a broker is ready."""

import asyncio
import time

import redis
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from app.errors import PortTaken, StackError
from app.local import ports
from app.local.extras import all_answer
from app.local.state import Part, Stack

READY_SECONDS = 120
"""Kafka Connect takes longest: it scans the classes of its plugins."""
POLL_SECONDS = 0.1
REQUEST_MS = 5000
LOG_LINES, STACK_TRACE_LINES = 15, 150
PORT_TAKEN = "address already in use"
"""In the logs of Kafka, Redis, Postgres and Kafka Connect, in lower case."""


def wait_ready(stack: Stack) -> None:
    """Wait until every broker is registered, topics can be created, and Redis and the optional parts answer.

    Raises StackError with the last lines of the log when a part dies or after ``READY_SECONDS``.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not (_redis_answers(stack) and asyncio.run(_kafka_answers(stack)) and all_answer(stack)):
        for part in stack.dead:
            kind = PortTaken if PORT_TAKEN in _log_end(part, STACK_TRACE_LINES).lower() else StackError
            raise kind(f"{part.name} died while starting. {_log_end(part)}")
        if time.monotonic() > deadline:
            ends = "\n".join(_log_end(part) for part in stack.parts)
            raise StackError(f"the stack is not ready after {READY_SECONDS} s.\n{ends}")
        time.sleep(POLL_SECONDS)


def _redis_answers(stack: Stack) -> bool:
    try:
        with redis.Redis.from_url(stack.redis_url, password=stack.redis_password, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


async def _kafka_answers(stack: Stack) -> bool:
    """Ask every broker by itself: one broker may list the others before they serve requests."""
    if any(ports.is_free(broker.port) for broker in stack.brokers):
        return False  # aiokafka would log an error for each attempt to connect
    answers = [
        await _broker_answers(address, len(stack.brokers)) for address in stack.bootstrap_servers.split(",")
    ]
    return all(answers)


async def _broker_answers(address: str, brokers: int) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=REQUEST_MS)
    try:
        await client.start()
        probe = NewTopic("stack-probe", num_partitions=1, replication_factor=brokers)
        response = await client.create_topics([probe], validate_only=True)
        return all(error[1] == 0 for error in response.topic_errors)
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()


def _log_end(part: Part, count: int = LOG_LINES) -> str:
    lines = part.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    return f"The end of {part.log}:\n" + "\n".join(f"  {line}" for line in lines)
