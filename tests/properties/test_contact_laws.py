"""Laws of questions: one per episode, one open at a time, none shortly after an answer, for any chunks and repeated reads.

These tests fail if a suppressed alert marks its episode as asked, if an already applied record is folded again, or if an
answer to an older question closes the open one.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.kafka.records import OutRecord
from app.adapters.serde.contact_codec import ALERTS, ANSWERS, decode
from app.domain.acceptance import Acceptance
from app.domain.contact import Contact, Quiet, alerted, answered
from app.domain.label import Label, LabelSource
from app.processing.chunk import Chunk
from app.processing.contact_work import ContactChunk, ContactFold, ContactRules
from app.processing.state_cache import StateCache

HOUR_MS = 3_600_000
QUIET = Quiet(12 * HOUR_MS, 72 * HOUR_MS, 24 * HOUR_MS)
START_MS = 1_772_000_000_000


class Step(NamedTuple):
    """An alert, or an answer to the question that was asked ``back`` questions ago."""

    after_hours: int
    answers: bool
    back: int


steps = st.lists(st.builds(Step, st.integers(0, 80), st.booleans(), st.integers(0, 1)), max_size=30)


class Asked(NamedTuple):
    """The result of some steps."""

    contact: Contact
    alerts_ms: list[int]
    asked_ms: dict[int, int]
    """Time of the question by transaction."""
    answered_ms: dict[int, int]


def run(given_steps: Iterable[Step]) -> Asked:
    asked = Asked(Contact(), [], {}, {})
    now_ms, contact = START_MS, Contact()
    for number, step in enumerate(given_steps, start=1):
        now_ms += step.after_hours * HOUR_MS
        if not step.answers:
            contact, ask = alerted(contact, number, now_ms, QUIET)
            asked.alerts_ms.append(now_ms)
            asked.asked_ms.update({number: now_ms} if ask else {})
        elif len(asked.asked_ms) > step.back:
            question = list(asked.asked_ms)[-1 - step.back]
            contact = answered(contact, question, now_ms)
            asked.answered_ms.setdefault(question, now_ms)
    return asked._replace(contact=contact)


def episodes(alerts_ms: Sequence[int]) -> list[list[int]]:
    """Split the alerts where they are more than ``QUIET.episode_ms`` apart."""
    found: list[list[int]] = []
    for time_ms in alerts_ms:
        if not found or time_ms - found[-1][-1] > QUIET.episode_ms:
            found.append([])
        found[-1].append(time_ms)
    return found


@given(steps)
def test_an_episode_has_at_most_one_question_and_the_first_episode_has_one(given_steps: list[Step]) -> None:
    asked = run(given_steps)
    times = list(asked.asked_ms.values())

    for episode in episodes(asked.alerts_ms):
        assert sum(episode[0] <= time_ms <= episode[-1] for time_ms in times) <= 1
    assert times[:1] == asked.alerts_ms[:1]


@given(steps)
@example([Step(1, False, 0), Step(80, False, 0), Step(0, True, 1)])  # answered when the next question is open
def test_no_question_is_asked_while_another_is_open_or_was_just_answered(given_steps: list[Step]) -> None:
    asked = run(given_steps)
    questions = list(asked.asked_ms.items())

    for (before, before_ms), (_, after_ms) in pairwise(questions):
        answer_ms = asked.answered_ms.get(before)
        if answer_ms is None or answer_ms >= after_ms:
            assert after_ms - before_ms > QUIET.question_ms
        else:
            assert after_ms - answer_ms > QUIET.answer_ms


@given(steps, st.integers(1, 200))
def test_an_alert_after_all_quiet_periods_causes_a_question(given_steps: list[Step], hours: int) -> None:
    """Suppression always ends."""
    contact = run(given_steps).contact
    newest_ms = max(contact.last_alert_ms, contact.asked_ms, contact.answered_ms, START_MS)

    _, ask = alerted(contact, 10**6, newest_ms + max(QUIET) + hours * HOUR_MS, QUIET)

    assert ask


def test_after_a_suppressed_alert_the_next_of_its_episode_may_cause_the_question() -> None:
    # Alert 2 is suppressed, because it is 15 h after the answer. Alert 3 of the same episode is 25 h after it.
    contact, asked = alerted(Contact(), 1, 0, QUIET)
    contact = answered(contact, 1, 0)
    contact, suppressed = alerted(contact, 2, 15 * HOUR_MS, QUIET)
    contact, then = alerted(contact, 3, 25 * HOUR_MS, QUIET)
    _, again = alerted(contact, 4, 26 * HOUR_MS, QUIET)

    assert (asked, suppressed, then, again) == (True, False, True, False)


def test_an_answer_to_an_older_question_does_not_close_the_open_one() -> None:
    contact, _ = alerted(Contact(), 1, 0, QUIET)
    contact, asked = alerted(answered(contact, 1, HOUR_MS), 2, 50 * HOUR_MS, QUIET)

    assert asked
    assert contact == answered(contact, 1, 51 * HOUR_MS)


class Record(NamedTuple):
    """A record as a consumer returns it."""

    key: bytes | None
    value: bytes | None
    offset: int
    topic: str = "topic"
    partition: int = 0
    timestamp: int = 2_000_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


class Nothing:
    """An empty store."""

    def read(self, _: int, keys: list[bytes]) -> list[bytes | None]:
        return [None for _ in keys]


def alert(number: int, customer: str, raised_ms: int) -> dict[str, Any]:
    return {
        "transaction_id": f"t{number}",
        "customer_id": customer,
        "event_time": event_time(number),
        "scored_at": raised_ms,
        "outcome": "decline",
        "transaction": {"amount_minor": 5, "currency": "EUR", "terminal_id": "m1", "card_token": "secret"},
    }


def answer(number: int, customer: str, at_ms: int) -> dict[str, Any]:
    return {
        "notification_id": f"notification-t{number}",
        "customer_id": customer,
        "transaction_id": f"t{number}",
        "terminal_id": "m1",
        "event_time": event_time(number),
        "is_fraud": True,
        "answered_at": at_ms,
    }


def event_time(number: int) -> int:
    return START_MS - HOUR_MS + number


Log = list[tuple[int, Record]]
"""The topic and the record."""


def log_of(given_steps: Iterable[Step]) -> Log:
    found: Log = []
    now_ms, offsets = START_MS, [0, 0]
    for number, step in enumerate(given_steps):
        now_ms += step.after_hours * HOUR_MS
        customer, topic = f"c{number % 3}", ANSWERS if step.answers else ALERTS
        event = (answer if step.answers else alert)(number - 3 * step.back * step.answers, customer, now_ms)
        found.append((topic, Record(customer.encode(), json.dumps(event).encode(), offsets[topic])))
        offsets[topic] += 1
    return found


def fold() -> ContactFold:
    rules = ContactRules(QUIET, Acceptance(), (11, 22), partitions=4)
    return ContactFold(rules, StateCache(Nothing(), 10**9))


def pieces(log: Log, cuts: Sequence[int]) -> Iterable[tuple[int, list[Record]]]:
    """Split into chunks of consecutive records of one topic, with at most the given sizes in turn."""
    piece: list[Record] = []
    for place, (topic, record) in enumerate(log):
        piece.append(record)
        size = cuts[place % len(cuts)]
        if place + 1 == len(log) or log[place + 1][0] != topic or len(piece) >= size:
            yield topic, piece
            piece = []


def folded(worker: ContactFold, log: Log, cuts: Sequence[int]) -> tuple[list[OutRecord], dict[bytes, bytes]]:
    """Fold everything; return the outputs and the contacts."""
    outputs: list[OutRecord] = []
    contacts: dict[bytes, bytes] = {}
    for topic, part in pieces(log, cuts):
        work: ContactChunk = worker.compute(topic, Chunk(0, part))
        rejected = {entry.error.reason for entry in work.rejected}
        assert rejected <= ({"no_open_question"} if topic == ANSWERS else set())
        outputs += work.notifications + [label for labels in work.labels.values() for label in labels]
        contacts |= work.states
    return outputs, contacts


@given(steps, st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_the_result_does_not_depend_on_chunk_boundaries(given_steps: list[Step], cuts: list[int]) -> None:
    log = log_of(given_steps)

    assert folded(fold(), log, [1]) == folded(fold(), log, cuts)


@given(steps, st.data())
def test_records_that_are_read_again_give_no_output_and_no_change(
    given_steps: list[Step], data: st.DataObject
) -> None:
    log, worker = log_of(given_steps), fold()
    _, contacts = folded(worker, log, [3])
    begin = data.draw(st.integers(0, len(log)))

    assert folded(worker, log[begin:], [2]) == ([], {})
    assert all(decode(value).changes for value in contacts.values())


def test_an_answer_becomes_a_label_and_a_question_contains_no_card_token() -> None:
    log: Log = [
        (ALERTS, Record(b"c0", json.dumps(alert(0, "c0", START_MS)).encode(), 0)),
        (ANSWERS, Record(b"c0", json.dumps(answer(0, "c0", START_MS + 5)).encode(), 0)),
    ]
    question, label = folded(fold(), log, [1])[0]

    assert json.loads(question.value or b"")["notification_id"] == "notification-t0"
    assert b"secret" not in (question.value or b"")
    assert (b"c0", b"m1") == (question.key, label.key)
    assert json.loads(label.value or b"") == json.loads(_json(START_MS + 5))


def _json(at_ms: int) -> bytes:
    return msgspec.json.encode(
        Label(
            transaction_id="t0",
            customer_id="c0",
            terminal_id="m1",
            event_time=event_time(0),
            is_fraud=True,
            source=LabelSource.CUSTOMER,
            reported_at=at_ms,
        )
    )


def test_an_invalid_record_is_rejected_without_effect_on_its_neighbours() -> None:
    bad = [Record(b"c0", b"{", 0), Record(b"other", json.dumps(alert(0, "c0", START_MS)).encode(), 1)]
    good = Record(b"c0", json.dumps(alert(1, "c0", START_MS)).encode(), 2)
    work = fold().compute(ALERTS, Chunk(0, [*bad, good]))

    assert [entry.error.reason for entry in work.rejected] == ["not_json", "key_mismatch"]
    assert len(work.notifications) == 1
