"""Records of the other topics: labels, alerts, answers, facts, orders, reference rows, and what reports and tools read."""

import json
import logging
import struct
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random
from typing import Any

import structlog

from app.adapters.cdc.reference_events import read_change
from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS, Feed
from app.adapters.serde.contact_codec import ALERTS, ANSWERS
from app.adapters.serde.fact_codec import VERSION
from app.adapters.topic_records import dead_letters
from app.adapters.topic_records.control_log import ControlLog
from app.adapters.topic_records.list_log import ListLog
from app.domain.acceptance import Acceptance
from app.domain.contact import Quiet
from app.history.label_files import decode_fraud_flags
from app.processing.chunk import Chunk
from app.processing.contact_work import ContactFold, ContactRules
from app.processing.entity_work import FactFold, LabelRouter
from app.processing.source_ends import SourceEnds
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.rendering import dead_letter_text
from app.settings import ListSettings
from app.traffic.resend import Refused, prepare
from tests.contract.doors.values import NOW_MS, ROW
from tests.fuzz.doors import json_text
from tests.fuzz.doors.door import ACCEPTED, IGNORED, REASONS, REFUSED, Door, Payload, outcome
from tests.fuzz.doors.worker import FULL, TOPIC, Record
from tests.fuzz.mutations import NUMBERS, mutated

_MODEL = {"name": "m", "version": "1", "digest": "0" * 64}
_LABEL = FULL | {"is_fraud": True, "source": "chargeback", "reported_at": NOW_MS}
_ALERT = ROW | {"scored_at": NOW_MS, "outcome": "review", "transaction": ROW}
_ANSWER = ROW | {
    "notification_id": f"notification-{ROW['transaction_id']}",
    "is_fraud": False,
    "answered_at": NOW_MS,
}
_DECISION = _ALERT | {
    "decision_id": "d", "score": 0.5, "model": _MODEL, "degraded": [], "rules": ["r"], "features": [1.0, None],
    "source": {"topic": "t", "partition": 0, "offset": 1},
}  # fmt: skip
_REFERENCE = {"source": {"lsn": 1}, "op": "c", "before": None, "after": {"customer_id": "c1", "city": "x"}}
_LIST_CHANGE = {
    "list": "blocked",
    "entries": ["d1", "d2"],
    "action": "add",
    "valid_from_ms": 0,
    "valid_to_ms": NOW_MS,
    "reason": "case 4711",
    "author": "analyst",
    "at": NOW_MS,
}
_ORDERS: dict[bytes, dict[str, Any]] = {
    b"champion": {"model": _MODEL, "ordered_at": NOW_MS},
    b"challengers": {"models": [_MODEL], "ordered_at": NOW_MS},
    b"canary": {"model": _MODEL, "share": 0.1, "bounds": {"max_alert_rate": 0.1}, "ordered_at": NOW_MS},
    b"worker/w1": {"worker": "w1", "host": "h", "runs": _MODEL, "since": 1, "reported_at": 2},
    b"skip/t/0/5": {
        "topic": "t", "topic_id": "x", "partition": 0, "offset": 5, "next_offset": 6, "why": "w", "reason": "r",
        "ordered_by": "o", "ordered_at": 1,
    },
}  # fmt: skip


class _Nothing:
    """A store without states."""

    def read(self, _: int, keys: list[bytes]) -> list[bytes | None]:
        return [None] * len(keys)


def _made(fields: dict[str, Any], *keys: bytes | None) -> Callable[[Random], Record]:
    return lambda random: Record(
        json_text.document(fields, random),
        key=random.choice(keys),
        timestamp=random.choice((NOW_MS, NOW_MS, -1, 2**63 - 1)),
    )


def _rejected(chunk: Any) -> str:
    """The outcome of a computed chunk of one record, whose outputs must have been possible to make."""
    list(chunk.outputs())
    return chunk.rejected[0].error.reason.value if chunk.rejected else ACCEPTED


def _label(record: Record) -> str:
    return _rejected(LabelRouter(Acceptance(), 8).compute(Chunk(0, [record])))


def _contact(log: int) -> Callable[[Record], str]:
    """Alerts at a new worker; answers at one that has asked about the alert."""
    rules = ContactRules(Quiet(1_000, 1_000, 1_000), Acceptance(), (1, 2), 8)
    question = Record(json.dumps(_ALERT).encode(), key=ROW["customer_id"].encode())

    def run(record: Record) -> str:
        fold = ContactFold(rules, StateCache(_Nothing(), 10**6))
        if log == ANSWERS:
            fold.compute(ALERTS, Chunk(0, [question]))
        return _rejected(fold.compute(log, Chunk(0, [record])))

    return run


_FACT = struct.Struct("<BBBBiqqqqq")


def _facts(random: Random) -> list[Record]:
    """Facts of one entity: sound ones around a time, some with fields that no worker writes, some damaged."""
    made = []
    for number in range(random.choice((1, 2, 6))):
        fields = [
            random.randrange(2**31),
            NOW_MS + random.randrange(-(10**10), 10**10),
            NOW_MS,
            number,
            1,
            number,
        ]
        if random.random() < 0.3:
            fields[random.randrange(1, 6)] = random.choice(NUMBERS)
        value = _FACT.pack(VERSION, random.choice((1, 2, 1, 2, 0, 3)), random.choice((0, 1, 255)), 0, *fields)
        if random.random() < 0.2:
            value = mutated(value, random, [value])
        made.append(
            Record(
                value, key=random.choice((b"terminal:m1", b"terminal:m1", None, b"", b"\xff")), offset=number
            )
        )
    return made


def _folded(records: Sequence[Record]) -> str:
    fold = FactFold(1, StateCache(_Nothing(), 10**6), Acceptance(), SourceEnds)
    half = len(records) // 2 or 1
    found = [
        _rejected(fold.compute(Chunk(0, part), Stopwatch(time.monotonic)))
        for part in (records[:half], records[half:])
        if part
    ]
    return found[0]


def _with_facts(records: list[Record], data: bytes) -> list[Record]:
    """Each value has its old length; the last one takes the rest."""
    ends = list(accumulate(len(record.value or b"") for record in records))
    parts = zip([0, *ends], [*ends[:-1], len(data)], strict=False)
    return [
        record._replace(value=data[start:end]) for record, (start, end) in zip(records, parts, strict=True)
    ]


_FACTS = Payload(lambda records: b"".join(record.value or b"" for record in records), _with_facts)


def _control(random: Random) -> Record:
    key, order = random.choice(list(_ORDERS.items()))
    value = None if random.random() < 0.02 else json_text.document(order, random)
    if random.random() < 0.1:
        key = mutated(key, random, [key])
    return Record(value, key=key)


def _applied(record: Record) -> str:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )  # a line each is a gigabyte
    log = ControlLog()
    log.apply(record)
    return ACCEPTED if log.orders.heard >= 0 or log.reports or log.skips else IGNORED


def _listed(record: Record) -> str:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    log = ListLog(ListSettings(max_entries=2_000))
    log.apply(record)
    return IGNORED if log.refused else ACCEPTED


_NAMES = [
    *(
        "__streams.errors.topic",
        "__streams.errors.partition",
        "__streams.errors.offset",
        "__streams.errors.message",
    ),
    *("fraud.error.code", "fraud.error.stage", "x", "\udcff"),
]


def _letter(random: Random) -> Record:
    """A record of the dead letter topic that anyone may have written."""
    headers: list[Any] = [("__streams.errors.topic", TOPIC.encode())] if random.random() < 0.8 else []
    for _ in range(random.randrange(8)):
        value = random.choice(
            (
                None,
                b"7",
                b"-1",
                "\u00b2".encode(),
                "\u0661".encode(),
                b"9" * 5_000,
                b"key_mismatch",
                b"\xff\x1b[",
            )
        )
        headers.append((random.choice(_NAMES), value))
    return _made(FULL, b"c1", None, b"\xff")(random)._replace(headers=tuple(headers))


def _resent(record: Record) -> str:
    letter = dead_letters.read(record)
    dead_letter_text.as_line(letter)
    json.dumps(dead_letter_text.as_dict_with_record(letter))
    return REFUSED if isinstance(prepare(letter, TOPIC, rekey=True), Refused) else ACCEPTED


def _reference(record: Record) -> str:
    return outcome(lambda: read_change("customer", record.value))


def _row(feed: Feed) -> Callable[[Record], str]:
    def read(record: Record) -> str:
        return IGNORED if feed.parse([record], -1).unreadable else ACCEPTED

    return read


def _flags(record: Record) -> str:
    return outcome(lambda: decode_fraud_flags([record.value or b""], "labels"))


_ANSWERED = REASONS | {ACCEPTED}
_EITHER = frozenset({ACCEPTED, IGNORED})
OWN_DOORS = (
    Door("labels", "labels", _made(_LABEL, b"m1", b"m1", None), _label, _ANSWERED),
    Door("alerts", "alerts that crm reads", _made(_ALERT, b"c1", b"c1", None), _contact(ALERTS), _ANSWERED),
    Door("answers", "answers of customers", _made(_ANSWER, b"c1", b"c1", None), _contact(ANSWERS), _ANSWERED),
    Door("facts", "facts about entities", _facts, _folded, _ANSWERED, payload=_FACTS),
    Door("control", "orders and reports on the control topic", _control, _applied, _EITHER),
    Door("lists", "changes of lists", _made(_LIST_CHANGE, b"blocked"), _listed, _EITHER),
    Door(
        "dead-letters", "dead letters that are sent again", _letter, _resent, frozenset({ACCEPTED, REFUSED})
    ),
    Door("reference", "change events of reference tables", _made(_REFERENCE, None), _reference, _ANSWERED),
    Door("decision-rows", "decisions that analytics reads", _made(_DECISION, None), _row(DECISIONS), _EITHER),
    Door("label-rows", "labels that analytics reads", _made(_LABEL, None), _row(LABELS), _EITHER),
    Door("label-files", "labels in files", _made(_LABEL, None), _flags, _ANSWERED | {REFUSED}),
)
