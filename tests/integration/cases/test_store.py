"""The store alone: records are applied once, one case is open for each customer, analysts never share one."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from app.adapters.postgres import actions, queries
from app.adapters.postgres.apply import Applied, Batch, Numbered, apply
from app.adapters.postgres.database import Database
from app.adapters.postgres.migrating import FOLDER, Migration, known, migrate, missing_migrations
from app.adapters.postgres.outbox import Waiting, count_waiting, drain, remove_published
from app.adapters.postgres.rows import put_cases
from app.cases import transitions
from app.cases.case import Case, is_available, priority
from app.cases.contract import CaseAlert, CaseAnswer, CaseChange, CaseLabel, ChangeKind, Disposition, Status
from app.cases.suppression import SuppressionKey
from app.domain.label import LabelSource
from app.errors import DatabaseAway, DatabaseRefused, TransitionRefused
from app.settings import CasesSettings
from tests.properties.cases.arrivals import START_MS, alert

pytestmark = pytest.mark.integration

TOPIC, DUE_MS = "alerts", 1_000


def batch(
    *events: CaseAlert | CaseLabel | CaseAnswer, first: int = 0, topic: str = TOPIC, topic_id: str = "a"
) -> Batch:
    records = [Numbered(first + index, event, b"{}") for index, event in enumerate(events)]
    return Batch(topic, topic_id, 0, first + len(records), records)


async def put(database: Database, *batches: Batch) -> Applied:
    return await database.run(lambda connection: apply(connection, batches, DUE_MS))


async def rows(database: Database, statement: str) -> list[tuple[Any, ...]]:
    async def read(connection: psycopg.AsyncConnection[Any]) -> list[tuple[Any, ...]]:
        return await (await connection.execute(statement.encode())).fetchall()

    return await database.run(read)


async def changes(database: Database) -> list[CaseChange]:
    found = await rows(database, "SELECT body FROM outbox ORDER BY outbox_id")
    return [msgspec.json.decode(body, type=CaseChange) for (body,) in found]


def label(number: int, *, is_fraud: bool = True, at_ms: int = START_MS + 5) -> CaseLabel:
    source = LabelSource.CHARGEBACK
    return CaseLabel(transaction_id=f"t{number}", is_fraud=is_fraud, source=source, reported_at=at_ms)


async def test_alerts_open_and_join_the_customers_case(database: Database) -> None:
    applied = await put(database, batch(alert(0, "c0"), alert(1, "c1"), alert(2, "c0")))

    assert Applied(opened=2, appended=1) == applied
    assert [("case-t0", "c0", 2), ("case-t1", "c1", 1)] == await rows(
        database, "SELECT case_id, customer_id, alert_count FROM cases ORDER BY case_id"
    )
    assert [(ChangeKind.OPENED, "case-t0", 2), (ChangeKind.OPENED, "case-t1", 1)] == [
        (change.kind, change.case_id, len(change.alerts)) for change in await changes(database)
    ]


async def test_a_record_is_applied_once_whoever_sends_it_again(database: Database) -> None:
    """After a lost answer to a commit; by a worker that lost the partition; at another offset, produced twice."""
    first = batch(alert(0), alert(1))
    await put(database, first)
    before = await rows(database, "SELECT * FROM cases"), await changes(database)

    assert Applied(repeated=2) == await put(database, first)
    assert Applied(repeated=3) == await put(database, batch(alert(0), alert(1), alert(0)))
    assert Applied(repeated=1) == await put(database, batch(alert(1), first=7))
    assert Applied(repeated=1) == await put(database, batch(alert(9, "c9"), first=6))
    assert [(8,)] == await rows(database, "SELECT next_offset FROM offsets")
    assert before == (await rows(database, "SELECT * FROM cases"), await changes(database))


async def test_a_topic_that_was_created_again_is_read_from_its_beginning(database: Database) -> None:
    await put(database, batch(alert(0), alert(1), first=50))

    applied = await put(database, batch(alert(2), topic_id="b"))

    assert applied.appended == 1
    assert [("b", 1)] == await rows(database, "SELECT topic_id, next_offset FROM offsets")


@pytest.mark.parametrize("order", ["alert first", "label first", "together"])
async def test_a_label_reaches_the_case_in_any_order(database: Database, order: str) -> None:
    of_alert, of_label = batch(alert(0)), batch(label(0), topic="labels")
    if order == "together":
        await put(database, of_label, of_alert)
    else:
        for one in (of_alert, of_label) if order == "alert first" else (of_label, of_alert):
            await put(database, one)

    found = await changes(database)
    assert [ChangeKind.OPENED, ChangeKind.LABELLED] == [change.kind for change in found]
    assert [label(0)] == list(found[1].labels)


async def test_the_newest_label_counts(database: Database) -> None:
    await put(database, batch(alert(0)))
    await put(database, batch(label(0, at_ms=START_MS + 9), topic="labels"))
    older, same_time = (
        label(0, is_fraud=False, at_ms=START_MS + 8),
        label(0, is_fraud=False, at_ms=START_MS + 9),
    )

    assert (await put(database, batch(older, topic="labels", first=1))).labels == 0
    assert (await put(database, batch(same_time, topic="labels", first=2))).labels == 1
    assert [(False,)] == await rows(database, "SELECT is_fraud FROM labels")


async def test_an_answer_is_a_change_of_its_case(database: Database) -> None:
    answer = CaseAnswer(transaction_id="t0", is_fraud=False, answered_at=START_MS + 3)
    await put(database, batch(alert(0)), batch(answer, topic="answers"))

    assert [answer] == list((await changes(database))[1].answers)


async def test_a_hundred_concurrent_takes_never_get_the_same_case(
    cases: CasesSettings, database: Database
) -> None:
    await put(database, batch(*(alert(number, f"c{number}") for number in range(60))))

    async def take(number: int) -> Case | None:
        own = Database(cases, lambda: 0.0)
        try:
            return await own.run(lambda c: actions.take_next(c, f"a{number}", START_MS + 9, 1_000))
        finally:
            await own.close()

    found = []
    for first in range(0, 100, 25):  # the server has 100 connections
        found += await asyncio.gather(*(take(number) for number in range(first, first + 25)))

    taken = [case.case_id for case in found if case is not None]
    assert len(taken) == len(set(taken)) == 60
    assert 60 == len([change for change in await changes(database) if change.kind is ChangeKind.CLAIMED])


async def test_the_queue_and_the_next_case_follow_the_rules_of_the_core(database: Database) -> None:
    """The SQL of availability and priority equals ``is_available`` and ``priority``."""
    generator, now_ms = random.Random(3), START_MS + 10_000_000
    made = [_random_case(generator, number, now_ms) for number in range(80)]
    await database.run(lambda connection: put_cases(connection, made))

    waiting = [case for case in made if is_available(case, now_ms)]
    expected = sorted(waiting, key=lambda case: (-priority(case, now_ms), case.opened_at, case.case_id))
    shown = await database.run(lambda connection: queries.queue(connection, now_ms, 1_000))
    assert [case.case_id for case in expected] == [case.case_id for case in shown]
    for case in expected[:5]:
        taken = await database.run(lambda c: actions.take_next(c, "ann", now_ms, 1_000))
        assert taken == transitions.claim(case, "ann", now_ms, 1_000)


def _random_case(generator: random.Random, number: int, now_ms: int) -> Case:
    status = generator.choice(list(Status))
    ends = now_ms + generator.randrange(-500, 500)
    return Case(
        case_id=f"case-t{number}",
        customer_id=f"c{number}",
        status=status,
        version=1,
        opened_at=now_ms - generator.randrange(-100, 10_000_000),
        due_at=now_ms,
        changed_at=now_ms - 1,
        alert_count=1,
        expected_loss=generator.choice([0, 1, 2**62, generator.randrange(10**9)]),
        assignee="bo" if status in {Status.CLAIMED, Status.CLOSED} else None,
        lease_until=ends if status is Status.CLAIMED else None,
        snoozed_until=ends if status is Status.SNOOZED else None,
        disposition=Disposition.UNSURE if status is Status.CLOSED else None,
        closed_at=now_ms if status is Status.CLOSED else None,
    )


async def test_a_suppression_hides_counts_and_tells_what_it_hid(database: Database) -> None:
    await database.run(
        lambda c: actions.suppress(
            c,
            SuppressionKey.TERMINAL,
            "m0",
            reason="test device",
            created_by="ann",
            starts_at=START_MS,
            ends_at=START_MS + 10,
        )
    )
    late = alert(2, at_ms=START_MS + 10)

    applied = await put(database, batch(alert(0), alert(1, "c1"), late), batch(label(1), topic="labels"))

    assert Applied(opened=1, suppressed=2, labels=1) == applied
    (one,) = await database.run(queries.hidden)
    assert (2, 1) == (one.alerts, one.fraud)
    assert [("case-t2",)] == await rows(database, "SELECT case_id FROM cases")


async def test_a_closed_case_cannot_be_reopened_beside_an_open_one(database: Database) -> None:
    await put(database, batch(alert(0)))

    async def act(name: str, kind: ChangeKind, transition: Any) -> Case:
        return await database.run(lambda c: actions.act(c, name, kind, transition))

    await act("case-t0", ChangeKind.CLAIMED, lambda case: transitions.claim(case, "ann", START_MS, 100))
    await act(
        "case-t0",
        ChangeKind.CLOSED,
        lambda case: transitions.close(case, "ann", START_MS, Disposition.FRAUD_MULE),
    )
    await put(database, batch(alert(1), first=1))

    with pytest.raises(TransitionRefused, match="another open case"):
        await act("case-t0", ChangeKind.REOPENED, lambda case: transitions.reopen(case, START_MS))
    with pytest.raises(TransitionRefused, match="no case"):
        await act("case-x", ChangeKind.REOPENED, lambda case: transitions.reopen(case, START_MS))
    assert [("case-t0", "closed"), ("case-t1", "open")] == await rows(
        database, "SELECT case_id, status FROM cases ORDER BY case_id"
    )


async def test_the_outbox_is_drained_in_order_and_kept_for_a_while(database: Database) -> None:
    await put(database, batch(*(alert(number, f"c{number}") for number in range(5))))
    sent: list[str] = []

    async def publish(waiting: Sequence[Waiting]) -> None:
        sent.extend(change.case_id for change in waiting)

    assert 3 == await database.run(lambda c: drain(c, publish, 3, now_ms=10))
    assert 2 == await database.run(lambda c: drain(c, publish, 3, now_ms=20))
    assert 0 == await database.run(lambda c: drain(c, publish, 3, now_ms=30))
    assert [f"case-t{number}" for number in range(5)] == sent
    await database.run(lambda c: remove_published(c, 20))
    assert [(2,)] == await rows(database, "SELECT count(*) FROM outbox")


async def test_large_changes_are_published_in_parts_that_fit_into_memory(database: Database) -> None:
    sizes: list[list[int]] = []

    async def publish(waiting: Sequence[Waiting]) -> None:
        sizes.append([len(change.body) // 2**20 for change in waiting])

    async def fill(connection: psycopg.AsyncConnection[Any]) -> None:
        for version, size in enumerate((3, 3, 3, 9, 1)):
            row = ("case-t0", version, b"x" * size * 2**20)
            await connection.execute("INSERT INTO outbox (case_id, version, body) VALUES (%s, %s, %s)", row)

    await database.run(fill)
    while await database.run(lambda c: drain(c, publish, 500, now_ms=10)):
        continue

    assert [[3, 3], [3, 9], [1]] == sizes


async def test_changes_whose_publication_fails_stay(database: Database) -> None:
    await put(database, batch(alert(0)))

    async def publish(_: Sequence[Waiting]) -> None:
        raise ValueError("not acknowledged")

    with pytest.raises(ValueError, match="acknowledged"):
        await database.run(lambda c: drain(c, publish, 3, now_ms=10))

    assert 1 == await database.run(count_waiting)


async def test_workers_that_start_together_migrate_once(cases: CasesSettings) -> None:
    workers = [Database(cases, lambda: 0.0) for _ in range(5)]

    applied = await asyncio.gather(
        *(worker.run(lambda connection: migrate(connection, cases.database_schema)) for worker in workers)
    )

    assert [1] == [version for versions in applied for version in versions]
    for worker in workers:
        await worker.close()


async def test_migrations_of_another_line_are_refused(database: Database, cases: CasesSettings) -> None:
    first = known()[0]
    other = [first._replace(sql=b"SELECT 1")]
    with pytest.raises(DatabaseRefused, match="newer release"):
        await database.run(lambda c: migrate(c, cases.database_schema, []))
    with pytest.raises(DatabaseRefused, match="another content"):
        await database.run(lambda c: migrate(c, cases.database_schema, other))
    later = Migration(2, "more", b"CREATE TABLE more (one integer)")

    assert [2] == await database.run(lambda c: migrate(c, cases.database_schema, [first, later]))
    assert [] == await database.run(lambda c: migrate(c, cases.database_schema, [first, later]))


def test_a_failed_migration_leaves_nothing_out() -> None:
    migrations = [Migration(number, "", b"") for number in (1, 2, 3)]
    digest = migrations[0].digest

    assert migrations[2:] == missing_migrations({1: digest, 2: digest}, migrations)


async def test_a_database_that_stays_away_ends_the_wait(cases: CasesSettings) -> None:
    away = msgspec.structs.replace(
        cases, database_url="postgresql://127.0.0.1:1/bank", database_wait_seconds=1.2
    )
    times = iter([0.0, 0.5, 1.0, 1.3])
    retries: list[int] = []
    database = Database(away, lambda: next(times), lambda: retries.append(1))

    with pytest.raises(DatabaseAway, match="did not answer"):
        await database.run(count_waiting)

    assert 3 == len(retries)


async def test_a_wrong_password_is_refused_at_once(cases: CasesSettings, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("secret-of-nobody", encoding="utf-8")
    database = Database(msgspec.structs.replace(cases, password_file=str(wrong)), lambda: 0.0)

    with pytest.raises(DatabaseRefused, match="FRAUDSTREAM_CASES_PASSWORD_FILE") as caught:
        await database.run(count_waiting)

    assert "secret-of-nobody" not in str(caught.value)


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [migration.version for migration in known(FOLDER)] == [*range(1, len(known()) + 1)]
