"""Memory, load, import and lookup of lists: `python -m bench.lists [--entries 5000000] [--json]`.

The entries are UUIDs of 36 characters. The import plans and writes the records to a broker as `fraudstream lists import` does; the load is
that of a worker at its start. Lookups take processor time for each row of a chunk whose texts are all different, of which half are
entries: in one row after the other, and in one compiled probe for the column.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import psutil

from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.topic_records.list_log import ListLog
from app.expressions.vector.columns import Texts, texts
from app.lists.changes import MOST_ENTRIES, Action, ListChange
from app.lists.view import ListsView
from app.operations.list_changes import plan, write
from app.settings import KafkaSettings, ListSettings, Settings
from app.streaming.lists.follower import ListsFollower
from app.topics import provisioning
from bench.harness import results
from bench.harness.broker import broker

SIZES = (1, 32, 500, 2_000)
MINIMUM_SECONDS = 0.05
TURNS = 5
MIB = 1024 * 1024
NOW_MS = 1_764_547_200_000
CHANGE = ListChange(
    list_name="blocked", entries=["?"], action=Action.ADD, reason="bench", author="bench", at=NOW_MS
)


def identifier(number: int) -> str:
    """The UUID of a number, as random as a real one and always the same."""
    return str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def groups(entries: int) -> Iterator[list[str]]:
    for first in range(0, entries, MOST_ENTRIES):
        yield [identifier(number) for number in range(first, min(first + MOST_ENTRIES, entries))]


async def import_and_load(settings: Settings, entries: int) -> tuple[dict[str, Any], ListsFollower]:
    """Seconds of an import and of a load, and the memory of the loaded lists."""
    await provisioning.ensure(settings)
    made, log = list(groups(entries)), ListLog(settings.lists)
    results.progress(f"{entries:,} entries: plan and write")
    begin = time.perf_counter()
    planned = plan(log, CHANGE, iter(made))
    planned_at = time.perf_counter()
    await write(settings, planned.records, lambda _: None)
    written_at = time.perf_counter()
    record_bytes = sum(len(record.value or b"") for record in planned.records)
    del made, log, planned
    results.progress("load")
    follower, before = ListsFollower(settings, PrometheusMetrics()), psutil.Process().memory_info().rss
    loading = time.perf_counter()
    await follower.load()
    return {
        "entries": entries,
        "plan_seconds": planned_at - begin,
        "write_seconds": written_at - planned_at,
        "load_seconds": time.perf_counter() - loading,
        "record_bytes": record_bytes,
        "table_mib": follower.size_bytes / MIB,
        "resident_mib": (psutil.Process().memory_info().rss - before) / MIB,
    }, follower


def lookups(follower: ListsFollower, entries: int) -> Iterator[dict[str, Any]]:
    """Nanoseconds for each row, by the size of the chunk."""
    view, random = follower.current(), Random(1)
    for size in SIZES:
        some = [identifier(random.randrange(2 * entries)) for _ in range(size)]
        one, many = partial(row_by_row, view, some), partial(one_probe, view, texts(some))
        yield {"rows": size, "one_ns": _median_ns(one, size), "many_ns": _median_ns(many, size)}


def row_by_row(view: ListsView, some: list[str]) -> None:
    for text in some:
        text in view.at(NOW_MS)["blocked"]  # noqa: B015  # the lookup is what is measured


def one_probe(view: ListsView, column: Texts) -> None:
    view.at_each(np.full(len(column.codes), NOW_MS))["blocked"].rows_listed(column)


def _median_ns(call: Callable[[], object], rows: int) -> float:
    call()
    return results.median([_ns(call) / rows for _ in range(TURNS)])


def _ns(call: Callable[[], object]) -> float:
    calls, begin = 0, time.process_time()
    while (taken := time.process_time() - begin) < MINIMUM_SECONDS:
        call()
        calls += 1
    return taken / calls * 1e9


def table(content: Mapping[str, Any]) -> str:
    facts = [(name, f"{value:,.1f}") for name, value in content["lists"].items()]
    rows = [
        (f"{row['rows']:,}", f"{row['one_ns']:,.0f}", f"{row['many_ns']:,.0f}") for row in content["results"]
    ]
    lookup = results.table(("rows of a chunk", "row by row, ns a row", "one probe, ns a row"), rows)
    return "\n".join((results.table(("lists", ""), facts), "", lookup))


def main() -> None:
    """Run, print and write ``bench/results/lists.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=5_000_000)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    with broker() as (stack, _):
        settings = Settings(
            kafka=KafkaSettings(bootstrap_servers=stack.bootstrap_servers),
            lists=ListSettings(max_entries=options.entries),
        )
        facts, follower = asyncio.run(import_and_load(settings, options.entries))
    content = results.document("bench.lists", list(lookups(follower, options.entries)), lists=facts)
    results.publish("lists", content, table(content), as_json=options.json)


if __name__ == "__main__":
    main()
