"""Check of Redis for ``fraudstream doctor``: the read that a scoring worker does, of a key that does not exist."""

from app.adapters.redis.client import FAILURES, connect, explain
from app.errors import ConfigurationError
from app.operations.finding import Finding, failed, ok
from app.settings import RedisSettings

ANSWER_SECONDS = 5.0


async def check_redis(redis: RedisSettings) -> Finding:
    if not redis.url:
        return ok("redis", "not configured: features of terminals are absent, and every decision is marked")
    try:
        client = connect(redis, ANSWER_SECONDS)
    except ConfigurationError as error:
        return failed("redis", str(error), "Redis was not contacted.")
    try:
        await client.mget([f"{redis.key_prefix}:doctor"])
    except FAILURES as error:
        return failed(
            "redis", explain(redis, error), "Meanwhile decisions lack features of terminals and are marked."
        )
    finally:
        await client.aclose()
    return ok("redis", "answers")
