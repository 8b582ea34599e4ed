"""Workers compute the features of a catalog: its fields arrive, are validated, decided on, and carried into decisions."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
import sklearn
from aiokafka import AIOKafkaProducer
from sklearn.ensemble import HistGradientBoostingClassifier

from app.adapters.catalog_file.deployed import catalog_computation, declared
from app.adapters.models import bundles
from app.adapters.models.manifest import Manifest, ProfileBounds, TrainingWindow
from app.catalog.transaction_type import transaction_type
from app.domain.decision import Thresholds
from app.domain.transaction import Transaction
from app.features import catalog as release
from app.local.state import Stack
from app.scoring.model import Distribution
from app.settings import CatalogSettings
from tests.support.bundle import compile_all
from tests.support.catalogs.transfers import transfers
from tests.support.commands import call
from tests.support.deployment import SHORT_SESSION, Deployment

pytestmark = pytest.mark.integration

START_MS, HOUR_MS = 1_760_000_000_000, 3_600_000
FIELDS = """
payee_id = { type = "identifier", max_length = 8 }
entry_mode = { type = "category", values = ["chip", "keyed"] }
"""
FEATURES = """
[[features]]
name = "transaction_amount"
entity = "transaction"
function = "value"
of = "amount"

[[features]]
name = "customer_keyed_count_6h"
entity = "customer"
function = "count"
where = "entry_mode == 'keyed' and amount >= 20 EUR"
window = "6h"

[[features]]
name = "customer_payees_1d"
entity = "customer"
function = "distinct"
of = "payee_id"
window = "1d"

[[features]]
name = "customer_amount_sum_1d"
entity = "customer"
function = "sum"
of = "amount"
window = "1d"

[[features]]
name = "customer_share_of_day"
derive = "max(0, transaction_amount / (customer_amount_sum_1d + 1 EUR))"
"""
CATALOG = transfers(FIELDS, FEATURES)
NAMES = (
    "transaction_amount",
    "customer_keyed_count_6h",
    "customer_payees_1d",
    "customer_amount_sum_1d",
    "customer_share_of_day",
    "terminal_risk_7d",
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalog") / "transfers.toml"
    path.write_text(CATALOG)
    return path


@pytest.fixture(scope="module")
def catalog_models(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes three features of the catalog, and finds large amounts suspicious."""
    compile_all()
    directory = tmp_path_factory.mktemp("models")
    taken = [NAMES[3], NAMES[0], NAMES[5]]
    definitions = catalog_computation(str(catalog)).features.definitions
    random = np.random.default_rng(3)
    rows = random.uniform(0, 100_000, (500, 3))
    rows[:, 2] = 0
    estimator = HistGradientBoostingClassifier(max_iter=10, random_state=7)
    estimator.fit(rows, rows[:, 1] > 90_000)
    nothing = Distribution(edges=[], counts=[0], missing=0, median=None)
    described = Manifest(
        name="own",
        version="1",
        created="2026-01-01",
        sklearn=sklearn.__version__,
        catalog_version=release.VERSION,
        catalog_digest=catalog_computation(str(catalog)).features.digest,
        features=taken,
        definitions={name: definitions[name] for name in taken},
        thresholds=Thresholds(review=0.4, decline=0.8),
        training=TrainingWindow(first_event_time=0, last_event_time=1, rows=500, frauds=1),
        profile=ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096),
        metrics={},
        distributions=dict.fromkeys(taken, nothing),
        scores=nothing,
    )
    bundles.save(directory / "own" / "1", described, estimator, rows[:50], "A model of the tests.\n")
    (directory / "aliases.toml").write_text('champion = "own/1"\n')
    return directory


@pytest.fixture
async def own(stack: Stack, catalog: Path, catalog_models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    deployed = Deployment(stack, tmp_path, catalog_models)
    deployed.settings = msgspec.structs.replace(deployed.settings, catalog=CatalogSettings(file=str(catalog)))
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    print(deployed.tails())  # noqa: T201  # shown beneath a failure only
    await deployed.delete_topics()


def payments(catalog: Path, count: int, seed: int = 4) -> list[Transaction]:
    """Transfers of some customers over four days; a tenth is out of order."""
    random, payment = Random(seed), transaction_type(declared(str(catalog)))
    found = []
    for number in range(count):
        late = random.randrange(10 * HOUR_MS) if random.random() < 0.1 else 0
        fields = {
            "transaction_id": f"p-{seed}-{number}",
            "customer_id": f"c{random.randrange(25)}",
            "terminal_id": "m1",
            "event_time": START_MS + number * 96 * HOUR_MS // count - late,
            "amount_minor": random.randrange(100_000),
            "currency": "EUR",
            "payee_id": random.choice([None, "p1", "p2", "p3", "p4"]),
            "entry_mode": random.choice([None, "chip", "keyed"]),
        }
        found.append(msgspec.convert(fields, payment))
    return found


def recounted(log: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """The features of every transaction from the records before it in the log, by hand."""
    found = {}
    for at, one in enumerate(log):
        before = [
            other
            for other in log[: at + 1]
            if other["customer_id"] == one["customer_id"] and other["event_time"] <= one["event_time"]
        ]

        def within(hours: int, since: int = one["event_time"], events: Any = before) -> list[dict[str, Any]]:
            return [other for other in events if other["event_time"] > since - hours * HOUR_MS]

        keyed = [o for o in within(6) if o.get("entry_mode") == "keyed" and o["amount_minor"] >= 2_000]
        payees = {other["payee_id"] for other in within(24) if other.get("payee_id")}
        total = sum(other["amount_minor"] for other in within(24))
        found[one["transaction_id"]] = [
            one["amount_minor"],
            len(keyed),
            len(payees),
            total,
            one["amount_minor"] / (total + 100),
            None,
        ]
    return found


async def test_a_killed_worker_decides_every_transfer_on_the_features_of_the_catalog(
    own: Deployment, catalog: Path
) -> None:
    sent = payments(catalog, 900)
    worker = own.worker(**SHORT_SESSION)
    worker.start()
    await own.produce(sent[:500])
    await own.decided(300)
    worker.kill()
    await own.produce([*sent[450:], *sent[-20:]])
    worker.start()
    await own.drained()
    assert worker.terminate() == 0

    log = sorted(
        (record for record in await own.read(own.settings.topics.transactions)),
        key=lambda record: (record.partition, record.offset),
    )
    first: dict[str, dict[str, Any]] = {}
    for record in log:
        value = json.loads(record.value)
        first.setdefault(value["transaction_id"], value)
    expected, decisions = recounted(list(first.values())), await own.decisions()
    assert set(expected) == set(decisions)
    for transaction_id, repeats in decisions.items():
        for decision in repeats:
            assert decision["features"] == expected[transaction_id]
            assert decision["transaction"] == first[transaction_id]
            assert decision["catalog"] == catalog_computation(str(catalog)).features.digest

    alerts = [json.loads(record.value) async for record in own.scan(own.settings.topics.alerts)]
    assert {alert["transaction_id"] for alert in alerts} == {
        name for name, (one, *_) in decisions.items() if one["outcome"] != "approve"
    }
    assert tuple(alerts[0]["snapshot"]) == NAMES

    explained = call(own, "explain", alerts[-1]["alert_id"], "--json")
    assert (explained.returncode, json.loads(explained.stdout)["verdict"]) == (0, "identical")
    replayed = call(own, "replay", "--from", "2026-01-01", "--json")
    assert replayed.returncode == 0, replayed.stderr
    verified = call(own, "state", "verify", "--json")
    assert verified.returncode == 0, verified.stderr


async def test_a_value_against_its_declaration_is_a_dead_letter_that_names_the_field(
    own: Deployment, catalog: Path
) -> None:
    sound = json.loads(msgspec.json.encode(payments(catalog, 1)[0]))
    wrong = [
        json.dumps(sound | {"transaction_id": f"w{number}"} | change).encode()
        for number, change in enumerate(({"payee_id": "x" * 9}, {"entry_mode": "chipp"}, {"payee_id": 7}))
    ]
    card = json.dumps(sound | {"transaction_id": "w9", "payee_id": "41111111"}).encode()
    worker = own.worker()
    worker.start()
    async with AIOKafkaProducer(bootstrap_servers=own.servers) as producer:
        for value in [*wrong, card]:
            await producer.send_and_wait(
                own.settings.topics.transactions,
                key=sound["customer_id"].encode(),
                value=value,
                partition=None,
            )
    await own.drained()
    assert worker.terminate() == 0

    letters = await own.read(own.settings.topics.dead_letters)
    assert sorted(letter.value for letter in letters) == sorted(wrong)
    details = [dict(letter.headers)["__streams.errors.message"].decode() for letter in letters]
    assert sorted(next(name for name in ("payee_id", "entry_mode") if name in said) for said in details) == [
        "entry_mode",
        "payee_id",
        "payee_id",
    ]
    assert len(await own.decisions()) == 1
