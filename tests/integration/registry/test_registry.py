"""Avro and Protobuf through Apicurio Registry: records of a bank's clients are scored, and the clients read the results.

Their side is Confluent's own: serializers and deserializers that know nothing of this product but its published schemas.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from app.adapters.schema_registry.registry_extra import require_extra
from app.domain.decision import Alert, Decision
from app.domain.transaction import Transaction
from app.local import ports
from app.local.state import Stack
from tests.support.commands import call
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY
from tests.support.probing import Probed
from tests.support.registry_clients import Clients, as_json, deployed
from tests.support.traffic import traffic

require_extra("this test")

from confluent_kafka.schema_registry import Schema  # noqa: E402  # warns when it is the first

pytestmark = pytest.mark.integration

SCHEMAS = REPOSITORY / "docs" / "schemas"
EACH = 60
"""Transactions of each kind of producer."""
STALL_SECONDS = 6
UNKNOWN = b"\0\x7f\xff\xff\xff" + b"anything"


class Outcome(NamedTuple):
    deployment: Deployment
    sent: set[str]
    decisions: list[Any]
    alerts: list[Any]
    dead: list[Any]
    metrics: str


@pytest.fixture(scope="module", params=[("avro", "value"), ("protobuf", "header")], ids=["avro", "protobuf"])
def outcome(
    request: pytest.FixtureRequest,
    registered_stack: Stack,
    models: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Outcome]:
    """Producers of every kind on one topic, and the worker's output."""
    form, schema_id_in = request.param
    directory = tmp_path_factory.mktemp(form)
    with deployed(
        registered_stack, models, directory, output_format=form, schema_id_in=schema_id_in
    ) as deployment:
        yield asyncio.run(_run(deployment))


async def _run(deployment: Deployment) -> Outcome:
    await deployment.ensure_topics()
    probed = _probed(deployment)
    # An input may be of another kind than what is published.
    for kind, only in (("avro", ("transactions", "labels")), ("", ("decisions", "alerts"))):
        words = [word for name in only for word in ("--only", name)] + (["--format", kind] if kind else [])
        done = await asyncio.to_thread(call, deployment, "schemas", "register", *words)
        assert done.returncode == 0, (done.stdout, done.stderr)
    probed.worker.start()
    await asyncio.to_thread(_send_all, Clients(deployment))
    await deployment.drained()
    topics = deployment.settings.topics
    return Outcome(
        deployment,
        {each.transaction_id for each in _sent()},
        await deployment.read(topics.decisions),
        await deployment.read(topics.alerts),
        await deployment.read(topics.dead_letters),
        probed.ask("/metrics").text,
    )


def _sent() -> list[Transaction]:
    return list(traffic(4 * EACH, seed=3, customers=40))


def _send_all(clients: Clients) -> None:
    sent = _sent()
    kinds = [clients.avro(), clients.protobuf(), clients.in_header(clients.avro()), as_json]
    for first, encode in enumerate(kinds):
        clients.send(sent[first::4], encode)
    clients.send_bytes("c1", UNKNOWN, [("mine", b"1")])
    clients.send_bytes("c1", clients.avro()(sent[0])[0][:12], [])


def _probed(deployment: Deployment, **overrides: str) -> Probed:
    port = ports.choose()
    return Probed(deployment.worker(FRAUDSTREAM_WORKER_METRICS_PORT=str(port), **overrides), port)


def test_records_of_the_official_serializers_are_scored(outcome: Outcome) -> None:
    """Avro, Protobuf, Avro with its id in the header and JSON on one topic: each transaction is decided once."""
    read = _through(outcome, Decision)

    assert sorted(outcome.sent) == sorted(read(record)["transaction_id"] for record in outcome.decisions)


def test_unreadable_records_become_dead_letters_byte_for_byte(outcome: Outcome) -> None:
    codes = {dict(record.headers)["fraud.error.code"]: record for record in outcome.dead}

    assert {b"unknown_schema", b"undecodable"} == set(codes)
    unknown = codes[b"unknown_schema"]
    assert (b"c1", UNKNOWN, ("mine", b"1")) == (unknown.key, unknown.value, unknown.headers[0])


def test_the_official_deserializer_reads_the_alerts(outcome: Outcome) -> None:
    clients = Clients(outcome.deployment)
    form = outcome.deployment.settings.registry.output_format
    read = clients.alerts_of_avro() if form == "avro" else clients.alerts_of_protobuf()
    alerts = [read(record) for record in outcome.alerts]
    suspicious = {
        decision["transaction_id"]
        for decision in map(_through(outcome, Decision), outcome.decisions)
        if decision["outcome"] != "approve"
    }

    assert suspicious == {alert["transaction_id"] for alert in alerts}
    assert suspicious
    assert all(alert["reasons"] and alert["snapshot"] and alert["score"] for alert in alerts)


def test_our_own_commands_read_them_as_json(outcome: Outcome) -> None:
    count = str(len(outcome.alerts))
    done = call(outcome.deployment, "alerts", "tail", "--json", "--from-beginning", "--limit", count)
    printed = [msgspec.json.decode(line, type=Alert) for line in done.stdout.splitlines()]

    assert {read["alert_id"] for read in map(_through(outcome, Alert), outcome.alerts)} == {
        alert.alert_id for alert in printed
    }
    explained = call(outcome.deployment, "explain", printed[0].alert_id, "--json")
    assert (0, "identical") == (explained.returncode, json.loads(explained.stdout)["verdict"]), (
        explained.stderr
    )


def test_a_command_leaves_out_records_with_a_schema_id_and_names_the_missing_setting(
    outcome: Outcome,
) -> None:
    done = call(
        outcome.deployment, "alerts", "tail", "--from-beginning", "--limit", "1",
        FRAUDSTREAM_REGISTRY_URL="", FRAUDSTREAM_REGISTRY_OUTPUT_FORMAT="json",
    )  # fmt: skip

    assert (0, b"") == (done.returncode, done.stdout)
    assert b"Set FRAUDSTREAM_REGISTRY_URL" in done.stderr


def test_registry_requests_are_counted_in_the_metrics(outcome: Outcome) -> None:
    figures = dict(line.rsplit(" ", 1) for line in outcome.metrics.splitlines() if not line.startswith("#"))

    assert ("0.0", 2.0) == (
        figures["fraudstream_registry_away"],
        float(figures["fraudstream_registry_schemas"]),
    )


def _through(outcome: Outcome, event: type[msgspec.Struct]) -> Callable[[Any], dict[str, Any]]:
    from app.adapters.serde.offline_decoder import readable  # noqa: PLC0415  # what is read here is tested against the official one above

    read = readable(outcome.deployment.settings)
    return lambda record: msgspec.to_builtins(msgspec.json.decode(read(record) or b"", type=event))


async def test_a_partition_waits_for_the_registry_and_others_do_not(
    registered_stack: Stack, models: Path, tmp_path: Path
) -> None:
    """The registry hangs. Known ids are read; a new one makes its partition wait, past any stall, without being ended."""
    with deployed(registered_stack, models, tmp_path) as deployment:
        await deployment.ensure_topics()
        clients, probed = (
            Clients(deployment),
            _probed(deployment, FRAUDSTREAM_WORKER_STALL_SECONDS=str(STALL_SECONDS)),
        )
        probed.worker.start()
        by_partition = await _by_partition(deployment, clients)
        await deployment.decided(len(by_partition[0]) + len(by_partition[1]))
        known, new = clients.avro(), clients.avro(_another_schema(), f"{clients.topics.transactions}-new")
        waiting = [
            msgspec.structs.replace(each, transaction_id=f"w{each.transaction_id}")
            for each in by_partition[0]
        ]
        going = [
            msgspec.structs.replace(each, transaction_id=f"g{each.transaction_id}")
            for each in by_partition[1]
        ]
        values = [new(each) for each in waiting]  # registers the schema, which the worker has not seen
        with _hanging(registered_stack):
            for each, (value, headers) in zip(waiting, values, strict=True):
                await asyncio.to_thread(clients.send_bytes, each.customer_id, value, headers)
            answers = await probed.until("/readyz", 503)
            await asyncio.to_thread(clients.send, going, known)
            before = len(by_partition[0]) + len(by_partition[1])
            await deployment.decided(before + len(going))
            await asyncio.sleep(2 * STALL_SECONDS)

            assert answers[-1].text == "partition 0 waits for the schema registry"
            assert (200, 503) == (probed.ask("/livez").status, probed.ask("/readyz").status)
            assert before + len(going) == await deployment.decision_count()
        await deployment.drained()

        assert probed.worker.running
        assert 200 == (await probed.until("/readyz", 200))[-1].status
        assert {each.transaction_id for each in waiting} < set(await deployment.decisions())


async def test_a_waiting_worker_stops_in_order_and_the_next_one_resumes(
    registered_stack: Stack, models: Path, tmp_path: Path
) -> None:
    with deployed(registered_stack, models, tmp_path) as deployment:
        await deployment.ensure_topics()
        clients, probed = Clients(deployment), _probed(deployment)
        sent = list(traffic(20, seed=5, customers=4))
        values = [clients.avro()(each) for each in sent]
        probed.worker.start()
        await probed.until("/readyz", 200)
        with _hanging(registered_stack):
            for each, (value, headers) in zip(sent, values, strict=True):
                await asyncio.to_thread(clients.send_bytes, each.customer_id, value, headers)
            await probed.until("/readyz", 503)
            assert 0 == await asyncio.to_thread(probed.worker.terminate)
            assert len(sent) == await deployment.lag()
        probed.worker.start()
        await deployment.drained()

        assert {each.transaction_id for each in sent} == set(await deployment.decisions())


def test_an_incompatible_change_fails_the_check(
    registered_stack: Stack, models: Path, tmp_path: Path
) -> None:
    """What is registered lacks a field that this release needs of every transaction, and has one that old readers of alerts need."""
    with deployed(registered_stack, models, tmp_path) as deployment:
        assert 0 == call(deployment, "schemas", "check").returncode
        clients = Clients(deployment)
        for name, change, level in (
            ("transactions", _without_currency, "BACKWARD"),
            ("alerts", _with_more, "FULL"),
        ):
            ours = json.loads(call(deployment, "schemas", "show", name, "--json").stdout)
            clients.registry.register_schema(
                ours["subject"], Schema(change(json.loads(ours["schema"])), "AVRO")
            )
            clients.registry.set_compatibility(ours["subject"], level)
        done = call(deployment, "schemas", "check", "--json")
        found = {each["subject"]: each["problems"] for each in json.loads(done.stdout)["subjects"]}
        registered = call(deployment, "schemas", "register")

        assert (1, 1) == (done.returncode, registered.returncode)
        assert {f"{clients.topics.transactions}-value", f"{clients.topics.alerts}-value"} == {
            subject for subject, problems in found.items() if problems
        }
        assert 1 == clients.registry.get_latest_version(f"{clients.topics.alerts}-value").version


def _another_schema() -> str:
    written = json.loads((SCHEMAS / "payments.transactions.v1.avsc").read_text(encoding="utf-8"))
    written["fields"].append({"name": "wallet", "type": ["null", "string"], "default": None})
    return json.dumps(written)


def _without_currency(schema: dict[str, Any]) -> str:
    return json.dumps(schema | {"fields": [f for f in schema["fields"] if f["name"] != "currency"]})


def _with_more(schema: dict[str, Any]) -> str:
    return json.dumps(schema | {"fields": [*schema["fields"], {"name": "more", "type": "string"}]})


async def _by_partition(deployment: Deployment, clients: Clients) -> dict[int, list[Transaction]]:
    """Some transactions of a known schema, by partition and offset."""
    sent = {each.transaction_id: each for each in traffic(40, seed=4, customers=20)}
    await asyncio.to_thread(clients.send, list(sent.values()), clients.avro())
    await deployment.drained()
    partitions: dict[str, int] = {}
    async for record in deployment.scan(deployment.settings.topics.decisions):
        partitions[json.loads(record.value)["transaction_id"]] = record.partition
    return {
        partition: [sent[name] for name, at in partitions.items() if at == partition]
        for partition in range(2)
    }


@contextmanager
def _hanging(stack: Stack) -> Iterator[None]:
    """The registry takes connections and answers none."""
    (pid,) = [part.pid for part in stack.parts if part.name == "registry"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
