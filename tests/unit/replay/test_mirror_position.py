"""Workers continue on a mirror at the first transaction without decision and alert, however far each topic was copied."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.range_reader import Extent, LogRecord, RangeReader
from app.adapters.serde.json_codec import encode_event
from app.domain.acceptance import Acceptance
from app.domain.transaction import Transaction
from app.errors import ConfigurationError
from app.features.window import Bounds
from app.replay.mirror_position import MirroredTopics, Search, resume_offsets
from app.replay.published_decisions import CLOCKS_MS
from app.replay.refold import FoldRules

EVENT_MS = 1_760_000_000_000
STEP_MS = 1_000
"""Between two records."""
RULES = FoldRules(
    Acceptance(earliest_event_time_ms=0, max_future_ms=10**9), Bounds(86_400_000, 4096), by_murmur2=False
)
OUTCOMES = ("approve", "review", "decline", "")
"""The last one is a record that is no transaction."""


class Log:
    """A topic of one partition in memory, with records a second apart."""

    topic, topic_id, partitions = "a-log", 1, 1

    def __init__(self, values: Sequence[bytes], times: Sequence[int] | None = None) -> None:
        at = times or [EVENT_MS + number * STEP_MS for number in range(len(values))]
        self._records = [
            LogRecord(self.topic, 0, offset, time_ms, b"c", value, ())
            for offset, (time_ms, value) in enumerate(zip(at, values, strict=True))
        ]

    async def extent(self, _: int) -> Extent:
        return Extent(0, len(self._records))

    async def offset_at(self, _: int, time_ms: int) -> int | None:
        return next((record.offset for record in self._records if record.timestamp >= time_ms), None)

    async def records(self, _: int, start: int, end: int) -> AsyncIterator[tuple[list[LogRecord], int]]:
        for offset in range(start, end, 2):
            yield self._records[offset : min(offset + 2, end)], min(offset + 2, end)


def transaction(name: str) -> bytes:
    fields: dict[str, Any] = {"event_time": EVENT_MS, "amount_minor": 1, "currency": "EUR"}
    return encode_event(Transaction(transaction_id=name, customer_id="c", terminal_id="m", **fields))


def output(name: str, outcome: str) -> bytes:
    return json.dumps({"transaction_id": name, "outcome": outcome}).encode()


def resume(
    transactions: Log, decisions: Log, alerts: Log, *, look_back_ms: int = 10**9, repeat_ms: int = 0
) -> int:
    topics = MirroredTopics(*(cast(RangeReader, log) for log in (transactions, decisions, alerts)))
    return asyncio.run(resume_offsets(topics, RULES, Search(look_back_ms, repeat_ms)))[0]


@given(st.lists(st.sampled_from(OUTCOMES), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_workers_continue_at_the_first_transaction_whose_outputs_are_not_all_mirrored(
    outcomes: list[str], decisions: int, alerts: int
) -> None:
    named = [(f"t{number}", outcome) for number, outcome in enumerate(outcomes)]
    log = [transaction(name) if outcome else b"garbage" for name, outcome in named]
    decided = [(name, outcome) for name, outcome in named if outcome][:decisions]
    alerted = [(name, outcome) for name, outcome in named if outcome in {"review", "decline"}][:alerts]
    complete = {name for name, outcome in decided if outcome == "approve" or (name, outcome) in alerted}
    first = next((at for at, (name, outcome) in enumerate(named) if outcome and name not in complete), None)

    found = resume(Log(log), Log([output(*one) for one in decided]), Log([output(*one) for one in alerted]))

    assert found == (len(log) if first is None else first)


def test_a_record_that_was_copied_twice_is_finished_like_its_first_copy() -> None:
    log = [transaction(name) for name in ("a", "b", "a", "b", "c")]

    assert resume(Log(log), Log([output("a", "approve"), output("b", "approve")]), Log([])) == 4


def test_the_time_before_the_first_unfinished_transaction_is_decided_again() -> None:
    log = Log([transaction(f"t{number}") for number in range(10)])
    decisions = Log([output(f"t{number}", "approve") for number in range(8)])

    assert resume(log, decisions, Log([]), repeat_ms=3 * STEP_MS) == 6
    assert resume(log, decisions, Log([]), repeat_ms=60 * STEP_MS) == 0


def test_everything_finished_is_also_decided_again_for_this_time() -> None:
    log = Log([transaction(f"t{number}") for number in range(10)])
    decisions = Log([output(f"t{number}", "approve") for number in range(10)])

    assert resume(log, decisions, Log([]), repeat_ms=0) == 10
    assert resume(log, decisions, Log([]), repeat_ms=3 * STEP_MS) == 7


def test_a_search_that_begins_behind_the_last_finished_transaction_is_refused() -> None:
    """The decisions were not copied for longer than the search looks back: where they end is unknown."""
    times = [EVENT_MS, EVENT_MS + 3 * CLOCKS_MS, EVENT_MS + 4 * CLOCKS_MS]
    log = Log([transaction(name) for name in "abc"], times)
    decisions = Log([output("a", "approve")], [EVENT_MS])

    with pytest.raises(ConfigurationError, match="give a longer --look-back-hours"):
        resume(log, decisions, Log([]), look_back_ms=2 * CLOCKS_MS)
    assert resume(log, decisions, Log([]), look_back_ms=5 * CLOCKS_MS) == 1


def test_unreadable_decisions_finish_nothing() -> None:
    assert resume(Log([transaction("a")]), Log([b"garbage"]), Log([])) == 0
