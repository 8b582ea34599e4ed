"""Whether the servers really answer: a listening port is not yet a broker."""

import asyncio
import time

import redis
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from app.errors import StackError
from app.local import ports
from app.local.extras import all_answer
from app.local.state import Part, Stack

READY_SECONDS = 120
"""Kafka Connect takes longest: it looks at every class of its plugins."""
POLL_SECONDS = 0.1
REQUEST_MS = 5000
LOG_LINES = 15


def wait_ready(stack: Stack) -> None:
    """Return when every broker is registered, topics can be created, and Redis and the extra parts answer.

    Raises StackError with the last lines of the log when a part dies or the bound is passed.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not (_redis_answers(stack) and asyncio.run(_kafka_answers(stack)) and all_answer(stack)):
        for part in stack.dead:
            raise StackError(f"{part.name} died while starting. {_log_end(part)}")
        if time.monotonic() > deadline:
            ends = "\n".join(_log_end(part) for part in stack.parts)
            raise StackError(f"the stack is not ready after {READY_SECONDS} s.\n{ends}")
        time.sleep(POLL_SECONDS)


def _redis_answers(stack: Stack) -> bool:
    try:
        with redis.Redis.from_url(stack.redis_url, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


async def _kafka_answers(stack: Stack) -> bool:
    """Every broker is asked for itself: one may know of the others before they serve."""
    if any(ports.is_free(broker.port) for broker in stack.brokers):
        return False  # asked too early, aiokafka logs an error for each attempt
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


def _log_end(part: Part) -> str:
    lines = part.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return f"The end of {part.log}:\n" + "\n".join(f"  {line}" for line in lines)
