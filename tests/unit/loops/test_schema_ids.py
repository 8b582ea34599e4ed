"""A record with a schema id, where no registry is set, is left out with the remedy: it ends no command that reads its topic."""

import ast
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.adapters.kafka.range_reader import Extent
from app.adapters.serde.json_codec import label_of
from app.adapters.serde.offline_decoder import decoder, readable
from app.adapters.topic_records import dead_letters, questions, scored_rows
from app.commands.data import tail
from app.commands.models import compare
from app.demo.listening import listen
from app.demo.reconciliation import Reconciliation
from app.domain.decision import Decision, ModelReference
from app.domain.label import Label
from app.errors import InvalidEvent
from app.history.label_files import FlagsOfRecords
from app.model_comparison.shadowed import Decisions
from app.operations.recent_decisions import count
from app.rendering import dead_letter_text
from app.replay.find_alert import Period, find_alert
from app.replay.mirror_position import FinishedTransactions
from app.replay.published_decisions import PublishedDecisions
from app.settings import Settings
from app.traffic import insert_latency
from app.traffic.resend import prepare
from tests.support.paths import REPOSITORY
from tests.unit.loops.loop import NOW_MS, Named
from tests.unit.loops.test_commands import MODEL, decision

SETTINGS = Settings()
TOPICS = SETTINGS.topics
HEADER = "__value_schema_id"
FRAMED: dict[str, tuple[bytes | None, Any]] = {
    "a number": (b"\0\0\0\0\1payload", ()),
    "a number alone": (b"\0\0\0\0\1", ()),
    "a number cut short": (b"\0", ()),
    "a megabyte": (b"\0" * 2**20, ()),
    "JSON behind a number": (b"\0\0\0\0\1{}", ()),
    "a number in a header": (b"payload", ((HEADER, b"\0\0\0\0\1"),)),
    "a GUID in a header": (b"payload", ((HEADER, b"\1" + bytes(16)),)),
    "an empty header": (b"payload", ((HEADER, None),)),
    "a header of no value": (None, ((HEADER, b"\0\0\0\0\1"),)),
    "an id of Apicurio in a header": (b"payload", (("apicurio.value.contentId", b"\0" * 8),)),
    "control characters": (b"\0\x1b[2J\x9b", ()),
}


@dataclass(frozen=True)
class Stored:
    """A record as aiokafka's consumer returns it."""

    topic: str
    offset: int
    value: bytes | None
    headers: Any = ()
    key: bytes | None = b"c1"
    partition: int = 0
    timestamp: int = NOW_MS


def records(topic: str, sound: dict[str, Any]) -> list[Stored]:
    """Every kind of schema id between two sound records."""
    first, last = (json.dumps(sound | {"transaction_id": name}).encode() for name in ("t1", "t2"))
    values = [(first, ()), *FRAMED.values(), (last, ())]
    return [Stored(topic, offset, *stored) for offset, stored in enumerate(values)]


class Topic:
    """The records of a topic, as the readers of a tail and of a range give them."""

    partitions = 1

    def __init__(self, found: list[Stored], values: Callable[[Any], bytes | None] | None) -> None:
        self._found = [one if values is None else replace(one, value=values(one)) for one in found]

    async def batches(self) -> AsyncIterator[list[Stored]]:
        yield self._found

    async def ends(self) -> dict[Any, int]:
        return {}

    async def until(self, *_: object, **__: object) -> AsyncIterator[Stored]:
        for record in self._found:
            yield record

    async def extent(self, _: int) -> Extent:
        return Extent(0, len(self._found))

    async def offset_at(self, _: int, __: int) -> int | None:
        return 0

    async def records(self, _: int, start: int, end: int) -> AsyncIterator[tuple[list[Stored], int]]:
        yield self._found[start:end], end


def topic(name: str, sound: dict[str, Any]) -> Any:
    return Topic(records(name, sound), readable(SETTINGS))


LABEL = {
    "transaction_id": "t1",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": NOW_MS - 1,
    "is_fraud": True,
    "source": "analyst",
    "reported_at": NOW_MS,
}


async def tail_in_text() -> None:
    await tail._follow(SETTINGS, TOPICS.decisions, tail._printer(Decision, as_json=False), True, None)


async def tail_in_json() -> None:
    await tail._follow(SETTINGS, TOPICS.decisions, tail._printer(Decision, as_json=True), True, None)


async def drift() -> None:
    unreadable: list[None] = []
    rows = scored_rows.decided_rows(SETTINGS, ModelReference(**MODEL), None, lambda: unreadable.append(None))
    assert sum([len(part.rows) async for part in rows]) == 2
    assert len(unreadable) == len(FRAMED)


async def compare_decisions() -> None:
    found = Decisions()
    await compare._each(SETTINGS, TOPICS.decisions, found.note_record, None)
    assert (found.read, found.unreadable) == (2, len(FRAMED) - 1)  # one has no value


async def compare_labels() -> None:
    flags = FlagsOfRecords()
    await compare._each(SETTINGS, TOPICS.labels, flags.add, None)
    assert (len(flags.known), flags.unreadable) == (2, len(FRAMED) - 1)


async def replay() -> None:
    async def end() -> int:
        return 100

    decided = PublishedDecisions(topic(TOPICS.decisions, decision() | {"degraded": []}), "t", 0)
    await decided.begin(0, 0, end)
    assert list(await decided.take(100)) == [1]


async def rebuild_from_mirror() -> None:
    finished = FinishedTransactions()
    async for record in topic(TOPICS.decisions, decision() | {"outcome": "approve"}).until():
        finished.add_decision(record.value)
    assert "t2" in finished


async def doctor_and_monitor() -> None:
    read = topic(TOPICS.decisions, decision() | {"degraded": []}).until()
    assert count([record.value async for record in read]).counted == 2


async def explain() -> None:
    found = await find_alert(topic(TOPICS.alerts, {"alert_id": "alert-t"}), "alert-t", Period())
    assert found is not None


async def gate() -> None:
    decode = decoder(SETTINGS.registry, Label, label_of)
    for name, (value, headers) in FRAMED.items():
        with Named(name), pytest.raises(InvalidEvent):
            decode(Stored(TOPICS.labels, 0, value, headers))


async def questions_to_customers() -> None:
    sound = {"notification_id": "n", "customer_id": "c1", "terminal_id": "m1", "event_time": NOW_MS}
    sound |= {"amount_minor": 1, "currency": "EUR", "outcome": "review", "asked_at": NOW_MS}
    found = questions.questions(topic(TOPICS.notifications, sound))
    assert [one.transaction_id async for one in found] == ["t1", "t2"]


async def dead_letter() -> None:
    for record in records(TOPICS.dead_letters, {}):
        letter = dead_letters.read(record)
        dead_letter_text.as_line(letter)
        json.dumps(dead_letter_text.as_dict_with_record(letter))
        prepare(letter, letter.source_topic, rekey=True)


async def demo() -> None:
    reconciliation = Reconciliation("t")
    await listen(topic(TOPICS.decisions, decision()), TOPICS, reconciliation, lambda _: None)


async def cdc_latency() -> None:
    recorder = insert_latency.LatencyRecorder()
    log = topic(TOPICS.decisions, decision())
    await insert_latency._listen(log, TOPICS.decisions, recorder, lambda _: None)


NO_VALUES = "it reads offsets only"
OWN = "tests/unit/streaming/control/test_listener.py has every kind of value"
LISTS = "tests/fuzz/doors/own_topics.py has every kind of record of a list"
DECODED_BY_CASES = (
    "records are decoded as by a worker of the role cases, where each of these is a dead letter"
)
CHANGELOG = "states are in a format of their own, and no value of a restore is left out"
DECODED = (
    "transactions are decoded as a worker does, where each of these is a dead letter: test_transactions.py"
)
READERS: dict[str, list[Callable[[], Awaitable[None]]] | str] = {
    "app/commands/data/tail.py": [tail_in_text, tail_in_json],
    "app/commands/models/compare.py": [compare_decisions, compare_labels],
    "app/commands/models/gate.py": [gate],
    "app/commands/audit/explain.py": [explain],
    "app/commands/audit/replay.py": [replay],
    "app/commands/audit/rebuild.py": [rebuild_from_mirror],
    "app/commands/audit/state.py": f"{CHANGELOG}; {DECODED}",
    "app/commands/data/crm.py": [questions_to_customers],
    "app/adapters/topic_records/scored_rows.py": [drift],
    "app/adapters/topic_records/dead_letters.py": [dead_letter],
    "app/adapters/topic_records/order_sending.py": OWN,
    "app/adapters/topic_records/control_reader.py": OWN,
    "app/adapters/topic_records/list_reader.py": LISTS,
    "app/replay/rebuild_cases.py": DECODED_BY_CASES,
    "app/operations/recent_decisions.py": [doctor_and_monitor],
    "app/demo/session.py": [demo],
    "app/demo/bank_run.py": NO_VALUES,
    "app/traffic/insert_latency.py": [cdc_latency],
}
"""Every module that reads a topic beside the workers: what to run, or why there is nothing to run."""
CASES = [run for found in READERS.values() if not isinstance(found, str) for run in found]


def test_each_module_that_reads_a_topic_is_in_the_list() -> None:
    assert {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"open_tail_reader", "open_range_reader"}
    } == set(READERS)


@pytest.mark.parametrize("run", CASES, ids=lambda run: run.__name__)
async def test_a_command_continues_behind_records_with_schema_ids(
    run: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @asynccontextmanager
    async def opened(_: object, names: list[str], values: Any = None, **__: object) -> AsyncIterator[Topic]:
        yield Topic(records(names[0], LABEL if names[0] == TOPICS.labels else decision()), values)

    for where in ("app.adapters.kafka.tail_reader", "app.adapters.topic_records.scored_rows"):
        monkeypatch.setattr(f"{where}.open_tail_reader", opened)
    await run()

    if run in {tail_in_text, tail_in_json}:
        shown = capsys.readouterr()
        left_out = [f"fraud.decisions.v1-0, offset {1 + at}: the record cannot" for at in range(len(FRAMED))]
        assert [line[: len(left_out[0])].rstrip() for line in shown.err.splitlines()] == [
            line[: len(left_out[0])].rstrip() for line in left_out
        ]
        assert len(shown.out.splitlines()) == 2


@pytest.mark.parametrize("name", [TOPICS.decisions, TOPICS.alerts, TOPICS.labels])
def test_the_remedy_is_named_once_for_each_topic(name: str, caplog: pytest.LogCaptureFixture) -> None:
    read = readable(SETTINGS)
    with caplog.at_level(logging.WARNING):
        for value, headers in FRAMED.values():
            assert read(Stored(name, 0, value, headers)) == value

    (message,) = caplog.messages
    assert name in message
    assert "Set FRAUDSTREAM_REGISTRY_URL" in message
