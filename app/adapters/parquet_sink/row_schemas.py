"""The topics that become Parquet files: conversion of a chunk to rows, and the aggregates for the day report."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.bounded_json import BoundedDecoder
from app.domain.bounded import Count, Moment, Partition
from app.domain.decision import ModelReference, Score
from app.domain.identifiers import digest64
from app.domain.label import Label
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import AmountMinor, Identifier

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MOMENT = pa.timestamp("ms", tz="UTC")


class FeedRows(NamedTuple):
    """A chunk as columns, ``day`` first, in order of offset."""

    batch: pa.RecordBatch
    unreadable: list[int]
    """Offsets of the records that cannot be decoded and are in no file; other roles send them to the dead letters."""
    decided_to: int
    """The greatest source offset among the decisions up to here; -1 without any, and for labels. See ``repeats``."""


Parse = Callable[[Sequence[Any], int], FeedRows]
Tables = dict[str, pa.Table]
"""The aggregates of a day by name."""


class Feed(NamedTuple):
    """One topic: ``parse`` converts records, given the ``decided_to`` before them; ``keep`` aggregates rows."""

    name: str
    parse: Parse
    keep: Callable[[pa.Table], Tables]


class _Paid(msgspec.Struct, gc=False):
    terminal_id: Identifier
    amount_minor: AmountMinor
    currency: str
    country: str | None = None
    channel: str | None = None
    mcc: str | None = None


class _Source(msgspec.Struct, gc=False):
    partition: Partition
    offset: Count


class _Decided(msgspec.Struct, gc=False):
    transaction_id: Identifier
    customer_id: Identifier
    event_time: Moment
    scored_at: Moment
    score: Score
    outcome: Literal["approve", "review", "decline"]
    model: ModelReference
    source: _Source
    transaction: _Paid
    degraded: list[str] = []
    rules: list[str] = []


class _DatedLabel(Label, frozen=True, kw_only=True):
    event_time: Moment
    reported_at: Moment


DECISION_COLUMNS: dict[str, pa.DataType] = {
    "day": pa.date32(),
    "transaction_id": pa.string(),
    "customer_id": pa.string(),
    "terminal_id": pa.string(),
    "event_time": MOMENT,
    "scored_at": MOMENT,
    "amount_minor": pa.int64(),
    "currency": pa.string(),
    "country": pa.string(),
    "channel": pa.string(),
    "mcc": pa.string(),
    "outcome": pa.string(),
    "score": pa.float64(),
    "model_name": pa.string(),
    "model_version": pa.string(),
    "model_digest": pa.string(),
    "degraded": pa.list_(pa.string()),
    "rules": pa.list_(pa.string()),
    "source_partition": pa.int32(),
    "source_offset": pa.int64(),
    "repeated": pa.bool_(),
    "kafka_partition": pa.int32(),
    "kafka_offset": pa.int64(),
}
LABEL_COLUMNS: dict[str, pa.DataType] = {
    "day": pa.date32(),
    "transaction_id": pa.string(),
    "customer_id": pa.string(),
    "terminal_id": pa.string(),
    "event_time": MOMENT,
    "is_fraud": pa.bool_(),
    "source": pa.string(),
    "reported_at": MOMENT,
    "kafka_partition": pa.int32(),
    "kafka_offset": pa.int64(),
}

_decision = BoundedDecoder(_Decided).decode
_label = BoundedDecoder(_DatedLabel).decode


def _decisions(records: Sequence[Any], decided_to: int) -> FeedRows:
    found, kept, unreadable = _read(_decision, records)
    sources = np.array([decision.source.offset for decision in found], np.int64)
    # A worker that takes over a partition repeats the decisions that its predecessor had not committed. A source offset at
    # or below the greatest one before it marks a repeat.
    reached = np.maximum.accumulate(np.concatenate([[decided_to], sources]))
    columns = [
        _days(found),
        [one.transaction_id for one in found],
        [one.customer_id for one in found],
        [one.transaction.terminal_id for one in found],
        [one.event_time for one in found],
        [one.scored_at for one in found],
        [one.transaction.amount_minor for one in found],
        [one.transaction.currency for one in found],
        [one.transaction.country for one in found],
        [one.transaction.channel for one in found],
        [one.transaction.mcc for one in found],
        [one.outcome for one in found],
        [one.score for one in found],
        [one.model.name for one in found],
        [one.model.version for one in found],
        [one.model.digest for one in found],
        [one.degraded for one in found],
        [one.rules for one in found],
        [one.source.partition for one in found],
        sources,
        sources <= reached[:-1],
        *_places(kept),
    ]
    return FeedRows(_batch(DECISION_COLUMNS, columns), unreadable, int(reached[-1]))


def _labels(records: Sequence[Any], decided_to: int) -> FeedRows:
    found, kept, unreadable = _read(_label, records)
    columns = [
        _days(found),
        [one.transaction_id for one in found],
        [one.customer_id for one in found],
        [one.terminal_id for one in found],
        [one.event_time for one in found],
        [one.is_fraud for one in found],
        [one.source.value for one in found],
        [one.reported_at for one in found],
        *_places(kept),
    ]
    return FeedRows(_batch(LABEL_COLUMNS, columns), unreadable, decided_to)


def _kept_decisions(rows: pa.Table) -> Tables:
    """Aggregate decisions of one day. Repeats are counted separately and excluded from everything else."""
    first = rows.filter(pc.invert(rows["repeated"]))
    one = pa.array(np.ones(len(first), np.int64))
    country = pc.fill_null(first["country"], "")
    hours = pc.divide(pc.cast(first["event_time"], pa.int64()), HOUR_MS)
    hour = pc.cast(pc.subtract(hours, pc.multiply(pc.divide(hours, 24), 24)), pa.int8())
    alerts = first.filter(pc.not_equal(first["outcome"], Outcome.APPROVE.value))
    return {
        "hours": pa.table({"hour": hour, "outcome": first["outcome"], "transactions": one}),
        "places": pa.table(
            {
                "terminal_id": first["terminal_id"],
                "country": country,
                "currency": first["currency"],
                "outcome": first["outcome"],
                "transactions": one,
                "amount_minor": first["amount_minor"],
            }
        ),
        "alerts": pa.table(
            {
                "transaction": _digests(alerts),
                "outcome": alerts["outcome"],
                "terminal_id": alerts["terminal_id"],
                "country": pc.fill_null(alerts["country"], ""),
            }
        ),
        "attacks": pa.table({name: alerts[name] for name in ATTACK_KEY} | _attack_figures(alerts)),
        "models": pa.table(
            {"model": _models(first), "digest": first["model_digest"], "transactions": one},
        ),
        "repeated": pa.table({"repeated": pa.array([len(rows) - len(first)], pa.int64())}),
    }


ATTACK_KEY = ("customer_id", "currency")
"""The alerts of a customer on one day are an attack; amounts of different currencies cannot be added."""
ATTACK_SUMS = ("alerts", "declines", "amount_minor")
WORST_ALERT = ("outcome", "score", "event_time", "transaction_id", "terminal_id")
"""Of the worst alert of an attack, in this order: severity (``decline`` sorts before ``review``), highest score, earliest."""


def _attack_figures(alerts: pa.Table) -> dict[str, Any]:
    declined = pc.cast(pc.equal(alerts["outcome"], Outcome.DECLINE.value), pa.int64())
    figures = {"alerts": pa.array(np.ones(len(alerts), np.int64)), "declines": declined}
    figures |= {name: alerts[name] for name in ("amount_minor", *WORST_ALERT)}
    return figures | {"event_time": pc.cast(alerts["event_time"], pa.int64())}


def _models(rows: pa.Table) -> Any:
    return pc.binary_join_element_wise(rows["model_name"], rows["model_version"], "/")


def _kept_labels(rows: pa.Table) -> Tables:
    reported = pc.cast(rows["reported_at"], pa.int64())
    offset = rows["kafka_offset"]
    columns = {"transaction": _digests(rows), "reported_at": reported, "kafka_offset": offset}
    return {"labels": pa.table(columns | {"is_fraud": rows["is_fraud"]})}


DECISIONS = Feed("decisions", _decisions, _kept_decisions)
LABELS = Feed("labels", _labels, _kept_labels)


def _read(decode: Callable[[bytes], Any], records: Sequence[Any]) -> tuple[list[Any], list[Any], list[int]]:
    """The decodable values, their records, and the offsets of the others."""
    found, kept, unreadable = [], [], []
    for record in records:
        try:
            found.append(decode(record.value or b""))
        except (ValueError, RecursionError):
            unreadable.append(record.offset)
            continue
        kept.append(record)
    return found, kept, unreadable


def _days(found: Sequence[Any]) -> Any:
    return np.array([one.event_time // DAY_MS for one in found], np.int32)


def _places(records: Sequence[Any]) -> tuple[list[int], list[int]]:
    return [record.partition for record in records], [record.offset for record in records]


def _digests(rows: pa.Table) -> pa.Array:
    texts = rows["transaction_id"].to_pylist()
    return pa.array(np.frombuffer(b"".join(map(digest64, texts)), np.int64))


def _batch(columns: dict[str, pa.DataType], values: Sequence[Any]) -> pa.RecordBatch:
    arrays = [pa.array(value, kind) for value, kind in zip(values, columns.values(), strict=True)]
    return pa.record_batch(arrays, names=list(columns))
