"""The bank's reference rows in Redis: names of terminals and customers for people who read alerts.

Each row is stored with its position in the database's log. An older change is ignored, so changes may be applied repeatedly
and in any order. The position of a deleted row is kept for a week.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from app.adapters.cdc.reference_events import ReferenceChange

DELETED_KEPT_SECONDS = 7 * 86_400
"""How long a change from before a delete may still arrive and must be recognised as older."""
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
    """Reads and writes reference rows. Raises redis-py's own errors: FAILURES in ``client``."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def apply(self, changes: Iterable[ReferenceChange]) -> int:
        """Apply changes in one round trip and return how many were newer than the stored rows."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for change in changes:
                row = b"" if change.row is None else msgspec.json.encode(change.row)
                pipeline.eval(
                    _APPLY,
                    1,
                    self._key(change.kind, change.id),
                    f"{change.lsn:016x}",
                    row,
                    DELETED_KEPT_SECONDS,
                )
            return sum(await pipeline.execute())

    async def find(self, wanted: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Rows by (kind, id) in one round trip; an empty dict where there is none."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for kind, name in wanted:
                pipeline.hget(self._key(kind, name), "row")
            found = await pipeline.execute()
        return [msgspec.json.decode(row) if row else {} for row in found]

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}:reference:{kind}:{name}"
