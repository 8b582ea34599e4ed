"""How many events a second one worker, and two, drain from a backlog: `python -m bench.throughput [--json]`.

Every turn has its own topics and consumer group on one broker beside it. Counted are decisions, from the first
to the last, by the timestamps their records got when they were made. The whole path is on: decode, profiles in
RocksDB with their changelog, features, model, decisions, alerts.
"""

import argparse
import asyncio
import json
import shlex
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.local import stack
from app.settings import Settings
from app.streaming.provisioning import ensure
from app.traffic.produce import produce
from bench import machine
from bench.events import events, source
from bench.worker_process import WorkerProcess

PARTITIONS = 4
DRAIN_SECONDS = 600
RESULTS = Path(__file__).parent / "results"


async def drain(count: int, workers: int, servers: str, directory: Path, turn: str) -> dict[str, float]:
    """One turn: a backlog of ``count`` events, then ``workers`` workers until the last decision."""
    environment = _environment(servers, turn)
    settings = Settings.from_env(environment)
    await ensure(settings)
    await produce(events(count), topic=settings.topics.transactions, bootstrap_servers=servers)
    with ExitStack() as running:
        processes = [
            running.enter_context(WorkerProcess(directory / f"{turn}-{number}", environment))
            for number in range(workers)
        ]
        first_ms, last_ms = await _decisions(settings, count, processes)
        cpu_seconds = sum(process.cpu_seconds() for process in processes)
    return {
        "events_per_s": count / ((last_ms - first_ms) / 1000),
        "cpu_seconds_per_million": cpu_seconds / count * 1e6,
    }


def _environment(servers: str, turn: str) -> dict[str, str]:
    topics = ("transactions", "decisions", "alerts", "dead_letters")
    return {
        "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": servers,
        "FRAUDSTREAM_TOPICS_PARTITIONS": str(PARTITIONS),
        "FRAUDSTREAM_WORKER_APP_ID": turn,
        **{f"FRAUDSTREAM_TOPICS_{topic.upper()}": f"{turn}-{topic}" for topic in topics},
    }


async def _decisions(settings: Settings, count: int, processes: list[WorkerProcess]) -> tuple[int, int]:
    """Timestamps of the first and the last of ``count`` decisions. Raises RuntimeError when they do not come."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topics.decisions, number) for number in range(PARTITIONS)]
        await _until(consumer, partitions, count, processes)
        times = [await _edge(consumer, partition, end) for partition in partitions for end in (False, True)]
        return min(t for t in times if t), max(times)
    finally:
        await consumer.stop()


async def _until(consumer: Any, partitions: list[Any], count: int, processes: list[WorkerProcess]) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while sum((await consumer.end_offsets(partitions)).values()) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count} decisions did not come within {DRAIN_SECONDS} s")
        for process in processes:
            process.cpu_seconds()
        await asyncio.sleep(0.5)


async def _edge(consumer: Any, partition: Any, end: bool) -> int:
    """Timestamp of the partition's first or last record; 0 for an empty one."""
    last_offset = (await consumer.end_offsets([partition]))[partition] - 1
    if last_offset < 0:
        return 0
    consumer.assign([partition])
    consumer.seek(partition, last_offset if end else 0)
    timestamp: int = (await consumer.getone(partition)).timestamp
    return timestamp


def main() -> None:
    """Run, print and write ``bench/results/throughput.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    result = _run(options.events, options.turns)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "throughput.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2) if options.json else _table(result))


def _run(count: int, turns: int) -> dict[str, Any]:
    results: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        servers = stack.start(directory / "stack").bootstrap_servers
        try:
            for turn in range(turns):
                for workers, measured in results.items():
                    measured.append(
                        asyncio.run(drain(count, workers, servers, directory, f"bench-{turn}-{workers}"))
                    )
        finally:
            stack.stop(directory / "stack")
    return {
        "machine": machine.describe(),
        "command": shlex.join(["python", "-m", "bench.throughput", *sys.argv[1:]]),
        "events": count,
        "source": source(),
        "partitions": PARTITIONS,
        "results": [_summary(workers, measured) for workers, measured in results.items()],
    }


def _summary(workers: int, measured: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "contestant": "ours",
        "workers": workers,
        "rate": None,
        "events_per_s": [round(turn["events_per_s"]) for turn in measured],
        "cpu_seconds_per_million": [round(turn["cpu_seconds_per_million"], 1) for turn in measured],
    }


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{result['events']:,} {result['source']} events, medians of {len(result['results'][0]['events_per_s'])}"
    ]
    lines += [
        f"{row['contestant']:<8} {row['workers']} worker(s)  {statistics.median(row['events_per_s']):>8,.0f} events/s"
        f"  {statistics.median(row['cpu_seconds_per_million']):>6,.1f} CPU s per million"
        for row in result["results"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
