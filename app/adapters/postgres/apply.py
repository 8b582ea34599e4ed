"""Applies records of the topics: rows, changes of cases and offsets in one transaction.

A record below the stored offset of its partition is applied already and changes nothing, also when another worker sends it: a worker that
crashed after its commit, or one that lost the partition and does not know it. Workers take turns: an alert and the label of
its transaction, applied side by side, would not see each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from app.adapters.postgres.offsets import read_offsets
from app.adapters.postgres.outcomes import outcomes_of, put_answers, put_labels
from app.adapters.postgres.rows import put_alerts, put_cases, put_changes, read_cases
from app.cases.case import Case
from app.cases.contract import CaseAlert, CaseAnswer, CaseLabel, ChangeKind
from app.cases.grouping import Cases
from app.cases.suppression import Suppression
from app.domain.identifiers import case_id

_LOCK = 0x63617365
"""Key of the advisory lock under which workers apply records: "case"."""
EventT = TypeVar("EventT", CaseLabel, CaseAnswer)


class Numbered(NamedTuple):
    """A decoded record at its offset."""

    offset: int
    event: CaseAlert | CaseLabel | CaseAnswer
    body: bytes | None = None
    """Of an alert: its record as JSON."""


class Batch(NamedTuple):
    """Decoded records of one partition, up to, not including, ``next_offset``."""

    topic: str
    topic_id: str
    partition: int
    next_offset: int
    records: Sequence[Numbered]


class Applied(NamedTuple):
    """What a transaction changed."""

    opened: int = 0
    appended: int = 0
    suppressed: int = 0
    repeated: int = 0
    """Records and alerts that were applied before."""
    labels: int = 0
    answers: int = 0


async def apply(connection: AsyncConnection[Any], batches: Sequence[Batch], due_ms: int) -> Applied:
    """Apply batches in the transaction of the caller; of one partition they are consecutive and in order."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", (_LOCK,))
    records = await _not_applied(connection, batches)
    alerts = [record for record in records if isinstance(record.event, CaseAlert)]
    labels = await put_labels(connection, _events(records, CaseLabel))
    answers = await put_answers(connection, _events(records, CaseAnswer))
    new = await _new_alerts(connection, alerts)
    own = [event for event in (record.event for record in new.values()) if isinstance(event, CaseAlert)]
    cases = Cases(await _lock_cases(connection, own, [*labels, *answers]), due_ms)
    placements = cases.alerts_arrive(own, await _suppressions(connection, own))
    await put_alerts(connection, placements, [new[place.alert.alert_id].body for place in placements])
    found = await outcomes_of(connection, labels, answers, list(new))
    cases.labels_arrive(found.labels)
    cases.answers_arrive(found.answers)
    await put_cases(connection, cases.changed)
    await put_changes(connection, cases.changes)
    opened = sum(change.kind is ChangeKind.OPENED for change in cases.changes)
    hidden = sum(place.suppression_id is not None for place in placements)
    return Applied(
        opened=opened,
        appended=len(placements) - hidden - opened,
        suppressed=hidden,
        repeated=sum(len(batch.records) for batch in batches) - len(records) + len(alerts) - len(new),
        labels=len(labels),
        answers=len(answers),
    )


async def _not_applied(connection: AsyncConnection[Any], batches: Sequence[Batch]) -> list[Numbered]:
    """The records at or behind the stored offsets, which are moved behind them. Offsets of another topic of the name do not count."""
    stored = await read_offsets(connection)
    records: list[Numbered] = []
    for batch in batches:
        topic_id, next_offset = stored.get((batch.topic, batch.partition), (batch.topic_id, 0))
        first = next_offset if topic_id == batch.topic_id else 0
        records += [record for record in batch.records if record.offset >= first]
        stored[batch.topic, batch.partition] = batch.topic_id, max(first, batch.next_offset)
    changed = dict.fromkeys((batch.topic, batch.partition) for batch in batches)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO offsets (topic, partition, topic_id, next_offset) VALUES (%s, %s, %s, %s) ON CONFLICT (topic, partition) "
            "DO UPDATE SET topic_id = excluded.topic_id, next_offset = excluded.next_offset",
            [(*place, *stored[place]) for place in changed],
        )
    return records


def _events(records: Iterable[Numbered], kind: type[EventT]) -> list[EventT]:
    return [record.event for record in records if isinstance(record.event, kind)]


async def _new_alerts(connection: AsyncConnection[Any], alerts: Sequence[Numbered]) -> dict[str, Numbered]:
    """The alerts that have no row, by id: the first of each. A restored row gets the body of its record."""
    ids: dict[str, Numbered] = {}
    for record in alerts:
        if isinstance(record.event, CaseAlert):
            ids.setdefault(record.event.alert_id, record)
    rows = await connection.execute(
        "SELECT alert_id, body IS NULL FROM alerts WHERE alert_id = ANY(%s)", (list(ids),)
    )
    known: Mapping[str, bool] = dict(await rows.fetchall())
    async with connection.cursor() as cursor:
        bodies = [(ids[name].body, name) for name, is_missing in known.items() if is_missing]
        await cursor.executemany("UPDATE alerts SET body = %s WHERE alert_id = %s", bodies)
    return {name: record for name, record in ids.items() if name not in known}


async def _lock_cases(
    connection: AsyncConnection[Any], alerts: Sequence[CaseAlert], transactions: Sequence[str]
) -> list[Case]:
    """The cases that may change: the open ones of the alerts' customers, and those of transactions with new outcomes."""
    return await read_cases(
        connection,
        "WHERE (customer_id = ANY(%s) AND status <> 'closed') OR case_id = ANY(%s) OR case_id IN "
        "(SELECT case_id FROM alerts WHERE transaction_id = ANY(%s)) ORDER BY case_id FOR UPDATE",
        (
            list({alert.customer_id for alert in alerts}),
            [case_id(alert.transaction_id) for alert in alerts],
            list(transactions),
        ),
    )


async def _suppressions(connection: AsyncConnection[Any], alerts: Sequence[CaseAlert]) -> list[Suppression]:
    """Those that were in force when one of the alerts was raised, and name one of their values."""
    if not alerts:
        return []
    values = {
        value
        for alert in alerts
        for value in (alert.customer_id, alert.terminal_id, alert.device_id, alert.card_token)
        if value
    }
    times = [alert.scored_at for alert in alerts]
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT suppression_id, key, value, starts_at, ends_at FROM suppressions "
            "WHERE value = ANY(%s) AND starts_at <= %s AND ends_at > %s",
            (list(values), max(times), min(times)),
        )
        return [msgspec.convert(row, Suppression) for row in await cursor.fetchall()]
