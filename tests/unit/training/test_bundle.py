"""Training: the same history gives the same bundle, and the bundle knows what it was made from."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.adapters.models.bundles import Bundle, load
from app.adapters.models.loading import UNSIGNED
from app.cli import app
from app.errors import InvalidFile, ModelRejected
from app.features import catalog
from app.training.train import Target, train
from tests.unit.training.histories import (
    BOOSTING,
    OPTIONS,
    PROFILE,
    source,
)


@pytest.fixture(scope="module")
def bundle(history: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    path = tmp_path_factory.mktemp("models") / "small" / "1"
    return path, train(source(history), Target(path), OPTIONS, PROFILE)


def test_the_same_history_and_seed_give_the_same_bytes(
    history: Path, bundle: tuple[Path, Bundle], tmp_path: Path
) -> None:
    first, again = bundle[0], tmp_path / "small" / "1"

    train(source(history), Target(again), OPTIONS, PROFILE)

    assert {p.name: p.read_bytes() for p in again.iterdir()} == {
        p.name: p.read_bytes() for p in first.iterdir()
    }


def test_a_trained_bundle_loads_and_knows_what_it_was_made_from(bundle: tuple[Path, Bundle]) -> None:
    manifest = load(bundle[0], UNSIGNED).manifest

    assert manifest.features == list(catalog.NAMES)
    assert manifest.created == "2025-03-01"
    assert manifest.training.frauds > 0
    assert sum(manifest.scores.counts) == manifest.training.rows
    assert all(sum(d.counts) + d.missing == manifest.training.rows for d in manifest.distributions.values())


def test_the_card_names_the_figures_of_the_manifest(bundle: tuple[Path, Bundle]) -> None:
    card, manifest = (bundle[0] / "CARD.md").read_text(), bundle[1].manifest

    assert f"{manifest.training.rows:,} transactions" in card
    assert f"Review from {manifest.thresholds.review:.6g}" in card


def test_an_existing_version_is_refused_before_anything_is_read(bundle: tuple[Path, Bundle]) -> None:
    with pytest.raises(ModelRejected, match="never overwritten"):
        train(source(Path("nowhere.jsonl")), Target(bundle[0]), OPTIONS, PROFILE)


def test_the_command_trains_and_says_how_good_it_is(history: Path, tmp_path: Path) -> None:
    parameters = tmp_path / "small.toml"
    parameters.write_text(f'[estimator]\nclass = "{BOOSTING}"\nparameters = {{ max_iter = 3 }}\n')
    out = tmp_path / "models" / "small" / "2"

    ran = CliRunner().invoke(
        app, ["train", str(history), "--out", str(out), "--model", str(parameters), "--json"]
    )

    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["digest"] == load(out, UNSIGNED).reference.digest
    assert told["metrics"]["auc_roc"] > 0.5


def test_a_history_without_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text(
        "transaction_id,customer_id,terminal_id,event_time,amount_minor,currency\n"
        "t1,c1,m1,1700000000000,100,EUR\n"
        "t2,c1,m1,1710000000000,100,EUR\n"
    )

    with pytest.raises(InvalidFile, match="no labels"):
        train(source(path), Target(tmp_path / "m" / "1"), OPTIONS, PROFILE)
