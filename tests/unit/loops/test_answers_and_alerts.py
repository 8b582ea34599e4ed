"""A crm worker: an answer becomes a label only for the open question that it names, and no record ends the loop."""

import json
from typing import Any

import pytest

from app.adapters.serde.contact_codec import ALERTS, ANSWERS, StoredContact, encode
from app.domain.acceptance import Acceptance
from app.domain.contact import Contact, Quiet
from app.domain.identifiers import signed_digest
from app.processing.chunk import Chunk
from app.processing.contact_work import ContactChunk, ContactFold, ContactRules
from app.processing.state_cache import StateCache
from tests.unit.loops.loop import NOW_MS, Nothing, Record, family, surrounded

HOUR_MS = 3_600_000
RULES = ContactRules(Quiet(12 * HOUR_MS, 72 * HOUR_MS, 24 * HOUR_MS), Acceptance(), (11, 22), 8)
ASKED_MS = NOW_MS - HOUR_MS
PAID_MS = ASKED_MS - HOUR_MS


def alert(customer: str = "c1", transaction: str = "t1") -> dict[str, Any]:
    paid = {"amount_minor": 5, "currency": "EUR", "terminal_id": "m1", "country": "DE"}
    return {
        "transaction_id": transaction,
        "customer_id": customer,
        "event_time": PAID_MS,
        "scored_at": ASKED_MS,
        "outcome": "review",
        "transaction": paid,
    }


def answer(customer: str = "c1", transaction: str = "t1", **changes: Any) -> dict[str, Any]:
    return {
        "notification_id": f"notification-{transaction}",
        "customer_id": customer,
        "transaction_id": transaction,
        "terminal_id": "m1",
        "event_time": PAID_MS,
        "is_fraud": True,
        "answered_at": NOW_MS,
    } | changes


def record(event: dict[str, Any], offset: int = 0) -> Record:
    return Record(event["customer_id"].encode(), json.dumps(event).encode(), offset)


def fold(store: Any = None) -> ContactFold:
    return ContactFold(RULES, StateCache(store or Nothing(), 10**6))


def asked(*customers: str, store: Any = None) -> ContactFold:
    """A worker that has asked each customer about the transaction t1."""
    worker = fold(store)
    worker.compute(ALERTS, Chunk(0, [record(alert(one), at) for at, one in enumerate(customers)]))
    return worker


def answered(worker: ContactFold, *answers: dict[str, Any]) -> ContactChunk:
    return worker.compute(ANSWERS, Chunk(0, [record(one, offset) for offset, one in enumerate(answers)]))


def labels(work: ContactChunk) -> list[dict[str, Any]]:
    return [json.loads(one.value or b"") for made in work.labels.values() for one in made]


def reasons(work: ContactChunk) -> list[str]:
    return [entry.error.reason for entry in work.rejected]


def test_forged_answers_are_no_labels() -> None:
    """The attack: an own customer id and key, and fields of transactions and terminals that were never asked about."""
    forged = [
        answer("other", f"victim-{number}", terminal_id=f"T{number}", notification_id="anything")
        for number in range(5)
    ]
    work = answered(asked("c1"), *forged)

    assert (labels(work), reasons(work), work.states) == ([], 5 * ["no_open_question"], {})


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction": "t2"},
        {"notification_id": "notification-t2"},
        {"notification_id": ""},
        {"terminal_id": "m2"},
        {"terminal_id": "m1 "},
        {"event_time": PAID_MS - 1},
        {"customer": "c2"},
        {"answered_at": ASKED_MS - 6 * 60_000},
    ],
    ids=str,
)
def test_an_answer_whose_fields_are_not_the_questions_own_is_refused(changes: dict[str, Any]) -> None:
    worker = asked("c1")
    work = answered(worker, answer(**changes), answer())

    assert reasons(work) == ["no_open_question"]
    assert [one["transaction_id"] for one in labels(work)] == ["t1"]


def test_an_answer_is_a_label_with_the_fields_of_the_question() -> None:
    work = answered(asked("c1"), answer())

    assert labels(work) == [
        {
            "transaction_id": "t1",
            "customer_id": "c1",
            "terminal_id": "m1",
            "event_time": PAID_MS,
            "is_fraud": True,
            "source": "customer",
            "reported_at": NOW_MS,
        }
    ]


def test_a_question_is_answered_once() -> None:
    """A writer of the topic must not be able to reverse a customer's answer."""
    work = answered(asked("c1"), answer(is_fraud=True), answer(is_fraud=False))

    assert ([one["is_fraud"] for one in labels(work)], reasons(work)) == ([True], ["no_open_question"])


def test_a_question_is_open_as_long_as_it_suppresses_others() -> None:
    late = ASKED_MS + 72 * HOUR_MS
    worker = asked("c1", "c2")
    at_the_end = record(answer("c1", answered_at=late), 0)._replace(timestamp=late)
    behind = record(answer("c2", answered_at=late + 1), 1)._replace(timestamp=late + 1)
    work = worker.compute(ANSWERS, Chunk(0, [at_the_end, behind]))

    assert (len(labels(work)), reasons(work)) == (1, ["no_open_question"])


def test_a_question_that_an_earlier_release_asked_is_answered() -> None:
    """Its contact holds the transaction only."""

    class Stored(Nothing):
        def read(self, _: int, keys: list[bytes]) -> list[bytes | None]:
            contact = Contact(ASKED_MS, episode_asked=True, question=signed_digest("t1"), asked_ms=ASKED_MS)
            return [encode(StoredContact(contact)) for _ in keys]

    work = answered(fold(Stored()), answer(), answer(transaction="t2"))
    assert ([one["transaction_id"] for one in labels(work)], reasons(work)) == (["t1"], ["no_open_question"])


@pytest.mark.parametrize("name", ["event_time", "scored_at"])
@pytest.mark.parametrize("time_ms", [2**61, -(2**61), 0, NOW_MS + 3 * HOUR_MS, 2**200])
def test_an_alert_of_an_impossible_time_does_not_silence_a_customer(name: str, time_ms: int) -> None:
    forged = record(alert() | {name: time_ms}, 0)
    work = fold().compute(ALERTS, Chunk(0, [forged, record(alert(), 1)]))

    assert len(work.notifications) == 1
    assert reasons(work)[0] in {"future_time", "absurd_time"}


def test_no_answer_of_the_family_ends_the_loop_or_changes_its_neighbours() -> None:
    sound = [record(answer("c2")), record(answer("c3"))]
    compute = lambda chunk: asked("c1", "c2", "c3").compute(ANSWERS, chunk)  # noqa: E731  # one line for one use
    for name, work in surrounded(family(answer("c1"), b"c1"), sound, compute):
        others = [one for one in labels(work) if one["customer_id"] != "c1"]
        assert len(others) == 2, name
        assert len(labels(work)) + len(work.rejected) == 3, name


def test_no_alert_of_the_family_ends_the_loop_or_changes_its_neighbours() -> None:
    sound = [record(alert("c2")), record(alert("c3"))]
    compute = lambda chunk: fold().compute(ALERTS, chunk)  # noqa: E731  # as above
    for name, work in surrounded(family(alert("c1"), b"c1"), sound, compute):
        others = [one for one in work.notifications if one.key != b"c1"]
        assert [b"c2", b"c3"] == [one.key for one in others], name
        assert len(work.notifications) + len(work.rejected) == 3, name


@pytest.mark.parametrize("stored", [b"?", b"\1", bytes(88), b"\2" + bytes(87)])
def test_a_contact_that_cannot_be_decoded_rejects_its_customers_records_only(stored: bytes) -> None:
    class Damaged(Nothing):
        def read(self, _: int, keys: list[bytes]) -> list[bytes | None]:
            return [stored if key == b"c1" else None for key in keys]

    worker = fold(Damaged())
    chunk = [record(alert("c1"), 0), record(alert("c2"), 1)]
    work = worker.compute(ALERTS, Chunk(0, chunk))

    assert (reasons(work), [one.key for one in work.notifications]) == (["state_corrupt"], [b"c2"])
    assert list(work.states) == [b"c2"]
