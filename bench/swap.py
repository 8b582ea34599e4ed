"""Exchanges the champion repeatedly under load: `python -m bench.swap [--json]`.

An open-loop generator loads one worker while orders switch between two models. Afterwards every transaction must have one
decision, by one of the two models with the thresholds of that model; otherwise there is no result. Latency is measured from
the intended send to the decision received, separately for transactions that overlap an exchange, which lasts from the
order's record to the worker's answer.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.adapters.models import manifest
from app.adapters.models.aliases import bundle_path, read_aliases
from app.adapters.models.bundles import load
from app.adapters.models.loading import UNSIGNED
from app.adapters.topic_records.control_log import ControlLog
from app.adapters.topic_records.control_reader import open_control_reader, read_control_log
from app.domain.control import CHAMPION_KEY, model_id
from app.domain.decision import ModelReference, Thresholds
from app.settings import Settings
from app.streaming.control import client as control_client
from bench.data import alerting
from bench.data.events import source
from bench.data.numbered import number_of, numbered
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS, BenchDeployment
from bench.harness.generator import Report, percentiles
from bench.harness.rate_run import PRIME_EVENTS, SPARE_SECONDS, WARM_UP_SECONDS
from bench.harness.topic_progress import DRAIN_SECONDS, Reading, open_topic, wait_for
from bench.harness.worker_process import BenchProcess, WorkerProcess

SWAP_SECONDS = 2.0
"""Least time from one order to the next."""
ANSWER_SECONDS = 60.0


class Plan(NamedTuple):
    """The options of a run."""

    swaps: int
    rate: int

    @property
    def events(self) -> int:
        """Number of events at the rate for the planned duration of all exchanges."""
        return int(self.rate * (WARM_UP_SECONDS + self.swaps * SWAP_SECONDS))


class Decided(msgspec.Struct):
    """The fields of a decision that are checked."""

    model: ModelReference
    thresholds: Thresholds


class Exchange(NamedTuple):
    """Times of an order and its answer, milliseconds since the epoch."""

    ordered_ms: int
    answered_ms: int


def main() -> None:
    """Run, print and write ``bench/results/swap.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--rate", type=int, default=4_000, help="events per second")
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    with broker() as (stack, directory):
        content = asyncio.run(run(Plan(given.swaps, given.rate), stack.bootstrap_servers, directory))
    results.publish("swap", content, table(content), as_json=given.json)


async def run(plan: Plan, servers: str, directory: Path) -> dict[str, Any]:
    """Measure and return the content of the result file.

    Raises RuntimeError when a decision is missing or mixes the two models.
    """
    deployment, models = BenchDeployment("swap", servers), two_models(directory / "models")
    await deployment.make_topics()
    environment = deployment.environment() | {"FRAUDSTREAM_MODEL_DIR": str(models)}
    settings = Settings.from_env(environment)
    generated, received = directory / "generated.json", directory / "received.npz"
    with WorkerProcess(directory / "worker", environment) as worker:
        await deployment.fill(numbered(0, PRIME_EVENTS))
        await _decided(deployment, PRIME_EVENTS, worker)
        with BenchProcess(
            directory / "receiver", ("-m", "bench.harness.receiver", str(received)), environment
        ):
            arguments = ("-m", "bench.harness.generator", PRIME_EVENTS, plan.events, plan.rate, generated)
            with BenchProcess(directory / "generator", [*map(str, arguments)], environment) as generator:
                await _wait_for_load(deployment)
                await _swap(plan, settings, models)
                await generator.wait_ended(plan.events / plan.rate + SPARE_SECONDS)
            await _decided(deployment, PRIME_EVENTS + plan.events, worker)
            await asyncio.sleep(1)
        epoch_ns = time.time_ns() - time.monotonic_ns()
    report = msgspec.json.decode(generated.read_bytes(), type=Report)
    per_model = await _check(plan, deployment, models)
    with np.load(received) as arrived:
        columns = arrived["decisions"]
    exchanges = await _exchanges(settings)
    if len(exchanges) != plan.swaps:
        raise RuntimeError(f"{len(exchanges)} exchanges were answered, {plan.swaps} were ordered")
    row = {"contestant": "ours", "workers": 1, "rate": plan.rate, "swaps": plan.swaps, "missing": 0}
    measured = _measure(plan, report, columns, exchanges, epoch_ns)
    row |= {"decisions": PRIME_EVENTS + plan.events, "decisions_per_model": per_model} | measured
    return results.document("bench.swap", [row], source=source(), partitions=PARTITIONS)


def two_models(directory: Path) -> Path:
    """Copy the champion of the project twice, the second time under another version with other thresholds."""
    alerting.models(0.5, directory)
    first = bundle_path(directory, read_aliases(directory).champion)
    second = first.with_name(f"{first.name}-again")
    second.mkdir()
    for name in manifest.OTHER_FILES:
        (second / name).write_bytes((first / name).read_bytes())
    described = manifest.decode(manifest.read(first, manifest.FILE_NAME), first)
    renamed = msgspec.structs.replace(
        described, version=second.name, thresholds=Thresholds(review=0.25, decline=1.0)
    )
    (second / manifest.FILE_NAME).write_bytes(manifest.encode(renamed))
    return directory


async def _decided(deployment: BenchDeployment, count: int, worker: BenchProcess) -> None:
    def alive(found: int) -> Reading:
        return Reading(found, worker.cpu_seconds())

    topics = deployment.settings().topics
    await wait_for(deployment.servers, topics.decisions, deployment.partitions, count, alive, DRAIN_SECONDS)


async def _wait_for_load(deployment: BenchDeployment) -> None:
    """Wait until the generator sends and its warm-up is over."""
    topics = deployment.settings().topics
    await wait_for(
        deployment.servers,
        topics.transactions,
        deployment.partitions,
        PRIME_EVENTS + 1,
        lambda found: Reading(found, 0.0),
    )
    await asyncio.sleep(WARM_UP_SECONDS)


async def _swap(plan: Plan, settings: Settings, models: Path) -> None:
    first = read_aliases(models).champion
    names = (f"{first}-again", first)
    environed = msgspec.structs.replace(
        settings, model=msgspec.structs.replace(settings.model, dir=str(models))
    )
    begin = time.monotonic()
    for number in range(plan.swaps):
        await asyncio.sleep(max(0.0, begin + number * SWAP_SECONDS - time.monotonic()))
        log = await read_control_log(environed)
        order = control_client.promotion(environed, names[number % 2], log)
        records = control_client.champion_records(order)
        answers = await control_client.send_and_await_answers(environed, records, ANSWER_SECONDS)
        if len(answers.reports) != 1 or not answers.unanimous(control_client.refuses_champion):
            raise RuntimeError(f"exchange {number + 1} was answered by {answers}")
        if number % 10 == 9:
            results.progress(f"{number + 1} exchanges")


async def _check(plan: Plan, deployment: BenchDeployment, models: Path) -> dict[str, int]:
    """Return the number of decisions per model. Raises RuntimeError unless every transaction has one decision."""
    first = read_aliases(models).champion
    bundles = [load(bundle_path(models, name), UNSIGNED) for name in (first, f"{first}-again")]
    thresholds = {bundle.reference: bundle.thresholds for bundle in bundles}
    decode, seen, count = msgspec.json.Decoder(Decided).decode, set[int](), PRIME_EVENTS + plan.events
    per_model = {model_id(reference): 0 for reference in thresholds}
    async with open_topic(
        deployment.servers, deployment.settings().topics.decisions, deployment.partitions
    ) as (
        consumer,
        all_of,
    ):
        consumer.assign(all_of)
        read = 0
        while read < count:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    decided = decode(record.value)
                    if thresholds.get(decided.model) != decided.thresholds:
                        raise RuntimeError(f"a decision mixes the two models: {decided}")
                    seen.add(number_of(record.value))
                    per_model[model_id(decided.model)] += 1
                    read += 1
    if len(seen) != count:
        raise RuntimeError(f"{count - len(seen)} of {count} transactions have no decision")
    return per_model


async def _exchanges(settings: Settings) -> list[Exchange]:
    """Return the time of each order and of the first report that acknowledges it, from their topics."""
    orders, answers = list[Any](), dict[int, int]()
    async with open_control_reader(settings) as reader:
        log = ControlLog()
        async for record in reader.until_end():
            reader.apply(log, record)
            if record.key == CHAMPION_KEY:
                orders.append(record)
            for report in log.reports.values():
                answers.setdefault(report.heard, record.timestamp)
    heard = sorted(answers)
    acknowledged = ((order, next((at for at in heard if at >= order.offset), None)) for order in orders)
    return [Exchange(order.timestamp, answers[at]) for order, at in acknowledged if at is not None]


def _measure(
    plan: Plan, report: Report, columns: NDArray[np.int64], exchanges: Sequence[Exchange], epoch_ns: int
) -> dict[str, Any]:
    """Return the latencies after the warm-up, separately for transactions that overlap an exchange."""
    numbers, arrived_ns = columns[:, columns[0] >= PRIME_EVENTS + plan.rate * WARM_UP_SECONDS]
    intended_ns = report.start_ns + (numbers - PRIME_EVENTS) * 1e9 / plan.rate
    crossed = np.zeros(len(numbers), bool)
    for ordered_ms, answered_ms in exchanges:
        begin, end = ordered_ms * 1e6 - epoch_ns, (answered_ms + 1) * 1e6 - epoch_ns
        crossed |= (intended_ns < end) & (arrived_ns > begin)
    latency_ms = (arrived_ns - intended_ns) / 1e6
    took_ms = np.array([answered - ordered for ordered, answered in exchanges], dtype=np.float64)
    return {
        "swap_ms": percentiles(took_ms),
        "transactions_during_swaps": int(crossed.sum()),
        "latency_ms_during_swaps": percentiles(latency_ms[crossed]),
        "latency_ms_otherwise": percentiles(latency_ms[~crossed]),
        "generator_late_ms": report.late_ms,
    }


def table(content: Mapping[str, Any]) -> str:
    """Return a table of percentiles in milliseconds."""
    (row,) = content["results"]
    head = (f"{row['swaps']} exchanges at {row['rate']:,} events/s", "p50", "p99", "p99.9", "max")
    named = {
        "exchange, order to answer": row["swap_ms"],
        f"decision, {row['transactions_during_swaps']:,} during exchanges": row["latency_ms_during_swaps"],
        "decision, otherwise": row["latency_ms_otherwise"],
    }
    lines = [[name, *(f"{value:,.1f}" for value in found.values())] for name, found in named.items()]
    return results.table(head, lines) + f"\n{row['decisions']:,} decisions, {row['missing']} missing"


if __name__ == "__main__":
    main()
