"""Labels and answers: the newest of each transaction, and the cases that they are about."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from app.cases.contract import CaseAnswer, CaseLabel
from app.domain.label import LabelSource


class Outcomes(NamedTuple):
    """New outcomes by the id of the case that has an alert of their transaction."""

    labels: Mapping[str, Sequence[CaseLabel]]
    answers: Mapping[str, Sequence[CaseAnswer]]


async def put_labels(connection: AsyncConnection[Any], labels: Iterable[CaseLabel]) -> list[str]:
    """Store labels; the transactions whose newest label changed. Of two of one time the later in the topic counts."""
    newest: dict[str, CaseLabel] = {}
    for label in labels:
        before = newest.get(label.transaction_id, label)
        newest[label.transaction_id] = label if label.reported_at >= before.reported_at else before
    columns = [
        list(newest),
        [label.is_fraud for label in newest.values()],
        [label.source.value for label in newest.values()],
        [label.reported_at for label in newest.values()],
    ]
    rows = await connection.execute(
        "INSERT INTO labels SELECT * FROM unnest(%s::text[], %s::boolean[], %s::text[], %s::bigint[]) "
        "ON CONFLICT (transaction_id) DO UPDATE SET is_fraud = excluded.is_fraud, source = excluded.source, "
        "reported_at = excluded.reported_at WHERE labels.reported_at <= excluded.reported_at AND "
        "(labels.is_fraud, labels.source, labels.reported_at) <> (excluded.is_fraud, excluded.source, excluded.reported_at) "
        "RETURNING transaction_id",
        columns,
    )
    return [name for (name,) in await rows.fetchall()]


async def put_answers(connection: AsyncConnection[Any], answers: Iterable[CaseAnswer]) -> list[str]:
    """Store answers, as labels."""
    newest: dict[str, CaseAnswer] = {}
    for answer in answers:
        before = newest.get(answer.transaction_id, answer)
        newest[answer.transaction_id] = answer if answer.answered_at >= before.answered_at else before
    columns = [
        list(newest),
        [answer.is_fraud for answer in newest.values()],
        [answer.answered_at for answer in newest.values()],
    ]
    rows = await connection.execute(
        "INSERT INTO answers SELECT * FROM unnest(%s::text[], %s::boolean[], %s::bigint[]) "
        "ON CONFLICT (transaction_id) DO UPDATE SET is_fraud = excluded.is_fraud, answered_at = excluded.answered_at "
        "WHERE answers.answered_at <= excluded.answered_at AND "
        "(answers.is_fraud, answers.answered_at) <> (excluded.is_fraud, excluded.answered_at) RETURNING transaction_id",
        columns,
    )
    return [name for (name,) in await rows.fetchall()]


async def outcomes_of(
    connection: AsyncConnection[Any],
    labels: Collection[str],
    answers: Collection[str],
    alerts: Collection[str],
) -> Outcomes:
    """The outcomes that are new for a case: of transactions whose label or answer changed, and of alerts that are new."""
    where = (
        "JOIN alerts USING (transaction_id) WHERE case_id IS NOT NULL AND (transaction_id = ANY(%s) OR alert_id = ANY(%s)) "
        "ORDER BY case_id, transaction_id"
    )
    rows = await connection.execute(
        f"SELECT case_id, transaction_id, is_fraud, source, reported_at FROM labels {where}".encode(),  # noqa: S608  # constants
        (list(labels), list(alerts)),
    )
    found_labels: dict[str, list[CaseLabel]] = defaultdict(list)
    for name, transaction, is_fraud, source, at in await rows.fetchall():
        label = CaseLabel(
            transaction_id=transaction, is_fraud=is_fraud, source=LabelSource(source), reported_at=at
        )
        found_labels[name].append(label)
    rows = await connection.execute(
        f"SELECT case_id, transaction_id, is_fraud, answered_at FROM answers {where}".encode(),  # noqa: S608  # constants
        (list(answers), list(alerts)),
    )
    found_answers: dict[str, list[CaseAnswer]] = defaultdict(list)
    for name, transaction, is_fraud, at in await rows.fetchall():
        answer = CaseAnswer(transaction_id=transaction, is_fraud=is_fraud, answered_at=at)
        found_answers[name].append(answer)
    return Outcomes(found_labels, found_answers)
