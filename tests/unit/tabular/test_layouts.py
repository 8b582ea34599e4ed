"""Files in the layouts of public data work through every command by the name of their layout."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.adapters.column_mapping import load_mapping
from app.adapters.serde.json_codec import decode_transaction
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.row_order import RowOrder
from app.cli import app
from app.commands.data.traffic import transactions_in
from app.commands.shared.history import history_source, profile_bounds
from app.errors import InvalidFile
from app.history.feature_fold import release_fold
from app.history.fold_history import fold_history
from app.settings import Settings
from app.traffic.produce import record_of
from tests.support.paths import REPOSITORY, SHARED

CASES = SHARED / "cases" / "14-public-layouts"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="the collected cases are not on this machine")
COLLECTED = {
    "paysim": "paysim.csv", "banksim": "banksim.csv", "ieee": "ieee.csv", "tabformer": "tabformer.csv",
    "creditcard": "creditcard.csv", "sparkov": "sparkov.csv", "stripe-event": "charge.jsonl",
    "stripe-charge": "flat_charge.jsonl",
}  # fmt: skip
ROWS, HOURS = 900, 1_400
"""Rows of a made history, over 58 days."""


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef")
    monkeypatch.setenv("FRAUDSTREAM_MAPPING_TOKEN_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(REPOSITORY / "models"))


def ok(*arguments: object) -> dict[str, object]:
    ran = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    if ran.exception:
        raise ran.exception
    found: dict[str, object] = json.loads(ran.stdout)
    return found


@needs_cases
@pytest.mark.parametrize(("layout", "name"), COLLECTED.items())
def test_the_collected_rows_are_scored(layout: str, name: str, tmp_path: Path) -> None:
    summary = ok("score", CASES / name, "--mapping", layout, "--out", tmp_path / "s.csv")

    assert summary["written"] == 1 + (layout in ("paysim", "banksim", "ieee", "creditcard"))
    assert summary["skipped"] == (layout == "tabformer")


@needs_cases
@pytest.mark.parametrize(("layout", "name"), COLLECTED.items())
def test_produce_sends_the_transactions_that_features_reads(layout: str, name: str, tmp_path: Path) -> None:
    file, settings, sent = CASES / name, Settings.from_env(), tmp_path / "sent.jsonl"
    folded = fold_history(
        history_source(file, layout, settings, None, 7), release_fold(profile_bounds(settings))
    )
    read = [transaction for each in folded for transaction in each.batch.transactions()]

    records = list(map(record_of, transactions_in(file, layout, settings, RowOrder.CHECKED)))

    assert read
    assert read == [decode_transaction(value) for _, value in records]
    assert [transaction.customer_id.encode() for transaction in read] == [key for key, _ in records]
    sent.write_bytes(b"\n".join(value for _, value in records))
    ok("features", file, "--mapping", layout, "--out", tmp_path / "file.csv")
    ok("features", sent, "--out", tmp_path / "sent.csv")
    assert (tmp_path / "sent.csv").read_bytes() == (tmp_path / "file.csv").read_bytes()


@needs_cases
@pytest.mark.parametrize("layout", ["paysim", "banksim", "ieee", "tabformer", "creditcard", "sparkov"])
def test_a_file_of_a_layout_suggests_its_mapping(layout: str) -> None:
    with pytest.raises(InvalidFile, match=f"Did you mean --mapping {layout}"):
        list(read_batches(CASES / COLLECTED[layout]))


def _paysim() -> Iterator[str]:
    yield "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,isFlaggedFraud"
    for i in range(ROWS):
        yield f"{1 + i * HOURS // ROWS},PAYMENT,{i % 97}.{i % 100:02},C{i % 20},0.0,0.0,M{i % 9},0.0,0.0,{_fraud(i)},0"


def _tabformer() -> Iterator[str]:
    """Sorted by user, as the data is."""
    yield "User,Card,Year,Month,Day,Time,Amount,Use Chip,Merchant Name,Merchant City,Merchant State,Zip,MCC,Errors?,Is Fraud?"
    for i in sorted(range(ROWS), key=lambda i: i % 20):
        day, minute = i * HOURS // ROWS // 24, i % 1440
        at = f"2019,{3 + day // 30},{1 + day % 30},{minute // 60:02}:{minute % 60:02}"
        yes = "Yes" if _fraud(i) else "No"
        yield f'{i % 20},0,{at},"$1,{i % 1000:03}.{i % 100:02}",Chip Transaction,{i % 9},Town,CA,90001.0,742,,{yes}'


def _sparkov() -> Iterator[str]:
    yield (CASES / "sparkov.csv").read_text().splitlines()[0] if CASES.exists() else SPARKOV
    for i in range(ROWS):
        day, minute = i * HOURS // ROWS // 24, i % 1440
        at = f"2019-{3 + day // 30:02}-{1 + day % 30:02} {minute // 60:02}:{minute % 60:02}:00"
        yield (
            f"{i},{at},{4_000_000_000_000_000 + i % 20},fraud_{i % 9},misc_net,{i % 97}.5,A,B,F,1 X St,Town,NC,28654,36.0,-81.1,"
            f"3495,Job,1988-03-09,t{i},1325376018,36.0,-82.0,{_fraud(i)}"
        )


SPARKOV = (
    ",trans_date_trans_time,cc_num,merchant,category,amt,first,last,gender,street,city,state,zip,lat,long,city_pop,"
    "job,dob,trans_num,unix_time,merch_lat,merch_long,is_fraud"
)


def _fraud(i: int) -> int:
    return int(i % 23 == 0)


@pytest.mark.parametrize(
    ("layout", "rows", "options"),
    [("paysim", _paysim, []), ("tabformer", _tabformer, ["--sort"]), ("sparkov", _sparkov, [])],
    ids=["paysim", "tabformer", "sparkov"],
)
def test_a_history_in_a_layout_trains_and_evaluates_a_model(
    layout: str, rows: object, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, bundle = tmp_path / "h.csv", tmp_path / "models" / "card" / "1"
    file.write_text("\n".join(rows()) + "\n")  # type: ignore[operator]  # a generator function
    given = [file, "--mapping", layout, *options]

    trained = ok("train", *given, "--out", bundle, "--test-days", 7)
    monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(tmp_path / "models"))
    evaluated = ok("evaluate", *given, "--model", "card/1")
    scored = ok("score", *given, "--model", "card/1", "--out", tmp_path / "s.parquet")

    assert (trained["bundle"], scored["written"]) == (str(bundle), ROWS)
    assert evaluated
    transactions = [
        t
        for batch in read_batches(file, load_mapping(layout, token_key_file=str(tmp_path / "key")))
        for t in batch.transactions()
    ]
    assert len({t.transaction_id for t in transactions}) == ROWS
    assert not any(t.customer_id.startswith("40000000") for t in transactions)
