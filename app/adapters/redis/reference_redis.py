"""The bank's reference rows in Redis: what a terminal or a customer is called, for people who look at alerts.

Each row stands with its place in the database's log. A change that is older than what stands there changes nothing, so that
changes may be told again, by whomever and in any order. A deleted row leaves its place behind for a week.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from app.adapters.cdc.reference_events import ReferenceChange

FORGET_SECONDS = 7 * 86_400
"""As long as a change that came before a delete may be told again."""
_APPLY = """
local known = redis.call('HGET', KEYS[1], 'lsn')
if known and known > ARGV[1] then return 0 end
if ARGV[2] == '' then
    redis.call('HSET', KEYS[1], 'lsn', ARGV[1])
    redis.call('HDEL', KEYS[1], 'row')
    redis.call('EXPIRE', KEYS[1], ARGV[3])
else
    redis.call('HSET', KEYS[1], 'lsn', ARGV[1], 'row', ARGV[2])
    redis.call('PERSIST', KEYS[1])
end
return 1
"""


class ReferenceStore:
    """Every failure is raised as redis-py raises it: redis_client.FAILURES."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def apply(self, changes: Iterable[ReferenceChange]) -> int:
        """In one round trip; how many of them were news."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for change in changes:
                row = b"" if change.row is None else msgspec.json.encode(change.row)
                pipeline.eval(
                    _APPLY, 1, self._key(change.kind, change.id), f"{change.lsn:016x}", row, FORGET_SECONDS
                )
            return sum(await pipeline.execute())

    async def find(self, wanted: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Rows by kind and id, in one round trip; an empty one where none is known."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for kind, name in wanted:
                pipeline.hget(self._key(kind, name), "row")
            found = await pipeline.execute()
        return [msgspec.json.decode(row) if row else {} for row in found]

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}:reference:{kind}:{name}"
