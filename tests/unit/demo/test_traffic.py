"""The demo's traffic: live events follow the history; each malformed message is refused for its reason."""

from datetime import date
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from app.adapters.serde.json_codec import decode_transaction
from app.demo import traffic
from app.demo.folder import MARKER, fresh
from app.demo.plan import Plan
from app.domain.acceptance import Acceptance
from app.errors import ConfigurationError, InvalidEvent, InvalidReason

TODAY = date(2026, 3, 1)
TODAY_MS = 1_772_323_200_000
PLAN = Plan(directory=Path("demo"), seconds=10, rate=20, customers=50, history_days=3)


def test_live_traffic_begins_where_the_history_ends_and_stays_in_the_past() -> None:
    history = [event.transaction for event in traffic.history(PLAN, TODAY)]
    live = [event.transaction for event in islice(traffic.live(PLAN, TODAY), 200)]

    assert TODAY_MS - (traffic.live_days(PLAN) + 3) * 86_400_000 <= history[0].event_time
    assert history[-1].event_time < live[0].event_time
    assert live[-1].event_time < TODAY_MS
    assert not {t.transaction_id for t in history} & {t.transaction_id for t in live}


def test_endless_traffic_continues_with_new_customers() -> None:
    plan = msgspec.structs.replace(PLAN, customers=1)
    a_year = traffic.LONGEST_SEASON_DAYS * 8
    customers = {event.transaction.customer_id for event in islice(traffic.live(plan, TODAY), a_year)}

    assert {"c0000000", "y1c0000000"} <= customers


def test_a_record_has_its_transaction_id_and_the_key_of_its_customer() -> None:
    event = next(traffic.history(PLAN, TODAY))
    key, value = traffic.record(traffic.renamed(event, "d0t7").transaction)

    assert event.transaction.customer_id.encode() == key
    assert msgspec.structs.replace(event.transaction, transaction_id="d0t7") == decode_transaction(value)


def test_the_history_contains_frauds() -> None:
    plan = msgspec.structs.replace(PLAN, customers=300, history_days=10)

    assert {True, False} == {event.is_fraud for event in traffic.history(plan, TODAY)}


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (0, InvalidReason.NOT_JSON),
        (1, InvalidReason.MISSING_FIELD),
        (2, InvalidReason.WRONG_TYPE),
        (3, InvalidReason.KEY_MISMATCH),
        (4, InvalidReason.ABSURD_TIME),
        (5, InvalidReason.NOT_JSON),
    ],
)
def test_a_malformed_message_is_refused_for_its_reason(number: int, reason: InvalidReason) -> None:
    key, value = traffic.malformed(number)
    with pytest.raises(InvalidEvent) as refused:
        Acceptance().check(decode_transaction(value), key=key, reference_ms=TODAY_MS)

    assert reason == refused.value.reason


@pytest.mark.parametrize(("seconds", "rate", "every"), [(None, 700, 350), (8, 200, 76), (1, 1, 1)])
def test_all_malformed_messages_fit_into_the_run(seconds: float | None, rate: float, every: int) -> None:
    assert every == Plan(directory=Path("demo"), seconds=seconds, rate=rate).malformed_every()


def test_the_directory_of_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    directory = fresh(tmp_path / "demo")
    (directory / "worker-1.log").touch()

    assert [file.name for file in fresh(directory).iterdir()] == [MARKER]


def test_a_directory_with_other_files_is_refused_unchanged(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")
    with pytest.raises(ConfigurationError, match="does not hold an earlier demo"):
        fresh(tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "the only copy"
