"""Names the transactions that hold partitions back: readers of committed records get nothing behind an open one."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from app.adapters.kafka.cluster_state import OpenTransaction
from app.adapters.kafka.connection import Brokers
from app.adapters.kafka.protocol.transactions import (
    describe_producers,
    describe_transactions,
    transactions_of_producer,
)

Partition = tuple[str, int]
"""Topic name and partition number."""


class HeldBack(NamedTuple):
    """A partition whose last stable offset is before its high watermark."""

    topic: str
    partition: int
    last_stable_offset: int
    high_watermark: int
    leader: int
    """Node id."""


class _Transaction(NamedTuple):
    """A transaction as its coordinator knows it."""

    transactional_id: str = ""
    started_ms: int = -1


async def read_open_transactions(brokers: Brokers, held: Iterable[HeldBack]) -> tuple[OpenTransaction, ...]:
    """The transaction that holds each of these partitions back; one that ended meanwhile is left out."""
    found = [await _read(brokers, each) for each in held]
    return tuple(each for each in found if each is not None)


async def _read(brokers: Brokers, held: HeldBack) -> OpenTransaction | None:
    response = await brokers.once(describe_producers(held.topic, held.partition), held.leader)
    holder = _holder(response.to_object(), held.last_stable_offset)
    if holder is None:
        return None
    transaction = await _transaction(brokers, holder["producer_id"])
    # A coordinator that forgot the transaction will never end it. Then only the time of its last record is known.
    since_ms = transaction.started_ms if transaction.started_ms >= 0 else holder["last_timestamp"]
    return OpenTransaction(
        topic=held.topic,
        partition=held.partition,
        offset=held.last_stable_offset,
        held_offsets=held.high_watermark - held.last_stable_offset,
        seconds=max(0.0, time.time() - since_ms / 1000),
        producer_id=holder["producer_id"],
        transactional_id=transaction.transactional_id,
    )


def _holder(described: Mapping[str, Any], last_stable_offset: int) -> Mapping[str, Any] | None:
    """The producer whose open transaction begins at the last stable offset."""
    producers = (
        producer
        for topic in described["topics"]
        for partition in topic["partitions"]
        for producer in partition["active_producers"]
    )
    return next((each for each in producers if each["current_txn_start_offset"] == last_stable_offset), None)


async def _transaction(brokers: Brokers, producer_id: int) -> _Transaction:
    """The transaction of a producer; without id where no coordinator knows it, or this user may not see it."""
    for node in await brokers.reachable():
        listed = (await brokers.once(transactions_of_producer(producer_id), node)).to_object()
        for state in listed["transaction_states"]:
            name = state["transactional_id"]
            response = await brokers.once(describe_transactions([name]), node)
            (described,) = response.to_object()["transaction_states"]
            started_ms = -1 if described["error_code"] else described["transaction_start_time_ms"]
            return _Transaction(name, started_ms)
    return _Transaction()
