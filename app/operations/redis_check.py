"""What the doctor asks of Redis: the question that a scoring worker asks, about a key that nobody has."""

from app.adapters.redis.client import FAILURES, connect, explain
from app.errors import ConfigurationError
from app.operations.finding import Finding, failed, ok
from app.settings import RedisSettings

ANSWER_SECONDS = 5.0


async def check_redis(redis: RedisSettings) -> Finding:
    if not redis.url:
        return ok("redis", "not configured: features of terminals are absent, and every decision says so")
    try:
        client = connect(redis, ANSWER_SECONDS)
    except ConfigurationError as error:
        return failed("redis", str(error), "Nothing was asked.")
    try:
        await client.mget([f"{redis.key_prefix}:doctor"])
    except FAILURES as error:
        return failed(
            "redis", explain(redis, error), "Until then decisions are made without terminals, and say so."
        )
    finally:
        await client.aclose()
    return ok("redis", "answers")
