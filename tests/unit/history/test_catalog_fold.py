"""Histories are folded by a catalog as by this release, and streams and files of one catalog give the same rows."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from app.adapters.catalog_file.deployed import catalog_computation, worker_computation
from app.adapters.catalog_file.reader import BUILT_IN
from app.adapters.column_mapping import CONTRACT
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.table_writer import ColumnType
from app.catalog.transaction_type import declared_fields, transaction_type
from app.computation.catalog import CatalogComputation
from app.computation.feature_set import SHIPPED
from app.domain.acceptance import Acceptance
from app.errors import ConfigurationError
from app.features import catalog as release
from app.features.compiled import compiled_now
from app.features.window import DAY_MS, Bounds
from app.history.feature_fold import catalog_fold, release_fold
from app.history.fold_history import HistorySource, fold_history
from app.scoring.model import Rows
from tests.support.catalogs.transfers import transfers
from tests.unit.transaction_files import write

BOUNDS = Bounds(DAY_MS, 100)
START_MS = 1_730_000_000_000
ROWS = 600
SCHEMA: dict[str, ColumnType] = {
    "transaction_id": "text",
    "customer_id": "text",
    "terminal_id": "text",
    "event_time": "integer",
    "amount_minor": "integer",
    "currency": "text",
    "channel": "text",
    "latitude": "real",
    "longitude": "real",
    "is_fraud": "boolean",
    "payee_id": "text",
    "entry_mode": "text",
    "device_trust": "real",
    "balance_minor": "integer",
    "strong_auth": "boolean",
    "payee_added": "integer",
}
FIELDS = """
payee_id = { type = "identifier" }
entry_mode = { type = "category", values = ["chip", "keyed"] }
device_trust = { type = "number", minimum = 0, maximum = 1, decimals = 2 }
balance_minor = { type = "money" }
strong_auth = { type = "boolean" }
payee_added = { type = "time" }
"""
FEATURES = """
[[features]]
name = "customer_keyed_count_3h"
entity = "customer"
function = "count"
where = "entry_mode == 'keyed' and amount > 50 EUR and not strong_auth"
window = "3h"

[[features]]
name = "customer_payees_7d"
entity = "customer"
function = "distinct"
of = "payee_id"
window = "7d"

[[features]]
name = "customer_trust_mean_2d"
entity = "customer"
function = "mean"
of = "device_trust"
window = "2d"

[[features]]
name = "customer_amount_sum_7d"
entity = "customer"
function = "sum"
of = "amount"
window = "7d"

[[features]]
name = "customer_balance_share"
derive = "amount / balance_minor"

[[features]]
name = "customer_large"
derive = "customer_amount_sum_7d > 1000 EUR and payee_added > event_time"
"""
CATALOG = transfers(FIELDS, FEATURES)


def random_rows(count: int, seed: int = 1) -> dict[str, list[Any]]:
    """Some customers over three weeks: most rows in order, some a little late, some twice."""
    random = np.random.default_rng(seed)

    def optional(values: Any) -> list[Any]:
        return [
            None if gone else value for value, gone in zip(values, random.random(count) < 0.2, strict=True)
        ]

    times = START_MS + np.sort(random.integers(0, 21 * DAY_MS, count))
    late = random.random(count) < 0.1
    times[late] -= random.integers(0, DAY_MS // 2, int(late.sum()))
    places = random.random(count) < 0.5
    rows = {
        "transaction_id": [f"t{number}" for number in range(count)],
        "customer_id": [f"c{number}" for number in random.integers(0, 12, count)],
        "terminal_id": [f"m{number}" for number in random.integers(0, 5, count)],
        "event_time": times.tolist(),
        "amount_minor": random.integers(0, 90_000, count).tolist(),
        "currency": ["EUR"] * count,
        "channel": optional(random.choice(["web", "pos"], count).tolist()),
        "latitude": [1.0 * (number % 80) if there else None for number, there in enumerate(places)],
        "longitude": [10.0 if there else None for there in places],
        "is_fraud": (random.random(count) < 0.1).tolist(),
        "payee_id": optional([f"p{number}" for number in random.integers(0, 9, count)]),
        "entry_mode": optional(random.choice(["chip", "keyed"], count).tolist()),
        "device_trust": optional((random.integers(0, 101, count) / 100).tolist()),
        "balance_minor": optional(random.integers(1, 10**6, count).tolist()),
        "strong_auth": optional((random.random(count) < 0.5).tolist()),
        "payee_added": optional(random.integers(START_MS, START_MS + 21 * DAY_MS, count).tolist()),
    }
    for name in ("transaction_id", "customer_id"):
        rows[name][9] = rows[name][3]
    return rows


def source(path: Path, computation: CatalogComputation | None = None) -> HistorySource:
    declared = () if computation is None else declared_fields(computation.catalog)
    mapping = msgspec.structs.replace(CONTRACT, declared=declared)
    return HistorySource(path=path, mapping=mapping, acceptance=Acceptance(), now_ms=2 * 10**12)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return write(tmp_path / "history.parquet", random_rows(ROWS), SCHEMA)


@pytest.fixture
def computation(tmp_path: Path) -> CatalogComputation:
    (tmp_path / "catalog.toml").write_text(CATALOG)
    return catalog_computation(str(tmp_path / "catalog.toml"))


def rows_by_catalog(history: Path, computation: CatalogComputation) -> Rows:
    parts = fold_history(source(history, computation), catalog_fold(computation, BOUNDS))
    return np.concatenate([part.rows for part in parts])


def test_the_baseline_catalog_gives_the_features_of_this_release(history: Path) -> None:
    computation = catalog_computation("baseline")
    expected = np.concatenate([part.rows for part in fold_history(source(history), release_fold(BOUNDS))])
    found = rows_by_catalog(history, computation)

    assert computation.features.names == SHIPPED.names
    assert computation.features.as_shipped == frozenset(release.NAMES)
    for column, name in enumerate(release.NAMES):
        assert found[:, column].tobytes() == expected[:, column].tobytes(), name


def test_rows_have_the_features_of_the_profile_then_those_of_delayed_entities(
    history: Path, computation: CatalogComputation
) -> None:
    names = computation.features.names
    rows = dict(zip(names, rows_by_catalog(history, computation).T, strict=True))
    expected = np.concatenate([part.rows for part in fold_history(source(history), release_fold(BOUNDS))])

    assert names[0] == "customer_keyed_count_3h"
    assert names[-1] == "terminal_risk_7d"
    for name in ("terminal_risk_7d", "customer_amount_sum_7d"):
        assert rows[name].tolist() == expected[:, release.column(name)].tolist()
    assert computation.features.delayed.tolist() == [len(names) - 1]
    assert computation.features.as_shipped == {"terminal_risk_7d", "customer_amount_sum_7d"}
    assert rows["customer_payees_7d"].max() > 3
    assert {0.0, 1.0} <= set(rows["customer_large"].tolist())


def test_records_and_rows_of_a_file_give_the_same(history: Path, computation: CatalogComputation) -> None:
    """The profile's features: those of other entities come from their own states."""
    (batch,) = read_batches(history, source(history, computation).mapping)
    payment = transaction_type(declared_fields(computation.catalog))
    columns = batch.columns() | batch.declared
    names = [name for name in payment.__struct_fields__ if name in columns]
    values = zip(*(columns[name].to_pylist() for name in names), strict=True)
    transactions = [msgspec.convert(dict(zip(names, row, strict=True)), payment) for row in values]
    customers, numbers = batch.customer_id.texts, batch.customer_id.codes.tolist()

    offsets = range(1, len(transactions) + 1)
    streamed = computation.prepare(transactions, numbers, offsets).fold([b""] * len(customers), BOUNDS, 0)
    fold = catalog_fold(computation, BOUNDS)
    filed = fold.fold(batch, fold.prepare(batch))

    assert streamed.status.tolist() == filed.status.tolist()
    assert set(streamed.status.tolist()) == {1, 3}
    assert streamed.profiles == filed.profiles
    applied = streamed.status == 1
    assert streamed.features[applied].tobytes() == filed.features[applied].tobytes()


def test_amounts_in_another_currency_are_missing(tmp_path: Path, computation: CatalogComputation) -> None:
    rows = random_rows(20)
    rows["customer_id"] = ["c1"] * 20
    rows["currency"] = ["EUR"] * 10 + ["USD"] * 10
    path = write(tmp_path / "two.parquet", rows, SCHEMA)
    found = dict(zip(computation.features.names, rows_by_catalog(path, computation).T, strict=True))

    assert np.isnan(found["customer_balance_share"][-1])
    assert found["customer_amount_sum_7d"].max() <= sum(rows["amount_minor"][:10])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('window = "7d"\ndelay', 'window = "2d"\ndelay'), "have the delay 7d and the windows 1d, 7d, 30d"),
        (("terminal_risk_7d", "terminal_risk"), "is named terminal_risk_7d"),
        (
            ("amount / balance_minor", "terminal_risk_7d * 2"),
            "customer_balance_share is derived from terminal_risk_7d",
        ),
    ],
)
def test_delayed_features_that_no_state_gives_are_refused(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    (tmp_path / "catalog.toml").write_text(CATALOG.replace(*change, 1))
    with pytest.raises(ConfigurationError, match=said):
        catalog_computation(str(tmp_path / "catalog.toml"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_catalog_is_computed(name: str) -> None:
    found = catalog_computation(name)

    assert len(found.features.names) == len(found.features.definitions) > 5


def test_workers_refuse_an_entity_whose_frauds_no_label_names(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(
        CATALOG.replace("terminal_risk_7d", "payee_risk_7d")
        .replace('"terminal"', '"payee"')
        .replace('[entities.terminal]\nkey = "terminal_id"', '[entities.payee]\nkey = "payee_id"')
    )

    assert catalog_computation(str(path)).entities[0].field == "payee_id"
    with pytest.raises(
        ConfigurationError,
        match="labels carry no payee_id, so workers cannot know frauds of the entity payee",
    ):
        worker_computation(str(path))


def test_the_machine_code_of_one_catalog_serves_every_other(
    history: Path, computation: CatalogComputation
) -> None:
    """A worker that compiled at its first chunk would be taken for one that hangs."""
    catalog_computation("baseline").compile()
    before = list(compiled_now)
    rows_by_catalog(history, computation)
    computation.prepare([], [], []).fold([b""], BOUNDS, 0)

    assert compiled_now == before
