"""Prints records, reports and states, by the functions of the commands, with a text in each place that others write."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app.adapters.kafka.range_reader import LogRecord
from app.adapters.serde.registration import RegistrationStatus
from app.commands.audit import replay, report, state
from app.commands.data import crm, schemas
from app.commands.models import history
from app.domain.orders.past_order import PastOrder
from app.features import state as profiles
from app.features.profile_view import view
from app.rendering import printing
from app.replay.compare_decisions import Example, Kind, ReplayCounts
from app.replay.verify import Match, Mismatch
from app.reports.headlines import headlines
from app.settings import Settings
from app.topics.provisioning import Difference
from tests.unit.outputs.day_reports import day_report


def question(text: str) -> dict[str, Any]:
    return {
        "notification_id": text,
        "customer_id": text,
        "transaction_id": text,
        "terminal_id": text,
        "event_time": 2**62,
        "amount_minor": 10**15,
        "currency": "EUR",
        "outcome": "review",
        "asked_at": 1,
        "country": "DE",
    }


class Questions:
    """A topic of one question."""

    partitions = 1

    def __init__(self, text: str) -> None:
        value = json.dumps(question(text), ensure_ascii=False).encode("utf-8", "replace")
        self._records = [LogRecord("q", 0, 0, 0, b"c", value, ())]

    async def extent(self, _: int) -> tuple[int, int]:
        return 0, 1

    async def records(self, *_: int) -> AsyncIterator[tuple[list[LogRecord], int]]:
        yield self._records, 1


def asked(text: str, *, as_json: bool) -> None:
    """The fields of a question are bounded and of one alphabet each: the longest that is accepted is printed."""

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[Questions]:
        yield Questions(text[:64])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.adapters.kafka.range_reader.open_range_reader", opened)
        asyncio.run(crm._questions(Settings(), None, as_json=as_json))


def questions(text: str) -> None:
    asked(text, as_json=False)


def questions_as_json(text: str) -> None:
    asked(text, as_json=True)


def status(text: str) -> RegistrationStatus:
    return RegistrationStatus(subject=text, level=text, newest=1, id=1, problems=[text, text])


def schema(text: str) -> None:
    printing.lines(schemas._lines(status(text)))


def sound_schema(text: str) -> None:
    printing.lines(schemas._lines(msgspec.structs.replace(status(text), problems=[])))


def profile(text: str) -> None:
    state._print_profile(text, view(profiles.EMPTY), 5, as_json=False)


def profile_as_json(text: str) -> None:
    state._print_profile(text, view(profiles.EMPTY), 5, as_json=True)


def verified(text: str, *, as_json: bool) -> None:
    found: Any = SimpleNamespace(
        matches={Match.DIFFERENT: 1},
        mismatches=[Mismatch(match=Match.DIFFERENT, partition=0, customer_id=text)],
        lost={0: 5},
        is_sound=False,
    )
    state._print_matches(found, as_json=as_json)


def mismatch(text: str) -> None:
    verified(text, as_json=False)


def mismatch_as_json(text: str) -> None:
    verified(text, as_json=True)


def replayed(text: str) -> None:
    example = Example(
        kind=Kind.SCORE,
        offset=1,
        partition=0,
        transaction_id=text,
        recorded={text: text},
        replayed={"fate": text},
    )
    counts = ReplayCounts(
        kinds=Counter({Kind.SCORE: 1}),
        outcomes=Counter({text: 1}),
        features=Counter({text: 1}),
        examples=[example],
    )
    done: Any = SimpleNamespace(counts=counts, read=1, repeated=1, contradicting=1)
    for as_json in (False, True):
        replay._print(done, 1.0, as_json=as_json)


def day(text: str) -> None:
    found = day_report(text)
    report._print(found, headlines(found, found), report._status([text]))


def topic_difference(text: str) -> None:
    printing.lines([str(Difference(text, text, text, text))])


def _past_orders(text: str) -> list[PastOrder]:
    order = {"models": [{"name": text, "version": text}]}
    return [PastOrder(key=text, order=order, ordered_by=text, reason=text, ordered_at=1)]


def past_orders(text: str) -> None:
    history._print(_past_orders(text), as_json=False)


def past_orders_as_json(text: str) -> None:
    history._print(_past_orders(text), as_json=True)
