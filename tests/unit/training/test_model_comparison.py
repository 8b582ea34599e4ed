"""Champion and challenger on the same transactions: figures, how sure they are, and what a gate makes of them."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from app.adapters.models.bundles import Bundle, load
from app.adapters.models.loading import UNSIGNED
from app.cli import app
from app.domain.decision import Thresholds
from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.model_comparison import gate
from app.model_comparison.figures import Ranking
from app.model_comparison.gate import compare_models
from app.model_comparison.intervals import Draws, compare_figures
from app.model_comparison.paired import Paired, alerts
from app.model_comparison.replay import last_weeks
from app.model_comparison.shadowed import notes, stored_thresholds
from app.settings import ModelSettings
from app.training import metrics
from app.training.scored_dataset import ScoredDataset
from tests.support.bundle import write_bundle, write_models

DAY_0 = 20_000
DRAWS = Draws(number=40, seed=3, budget=5)


def made_up(
    days: int = 28, a_day: int = 60, customers: int = 80, noise: tuple[float, float] = (0.1, 0.1)
) -> Paired:
    """Scores are the truth with so much noise; a fiftieth of the transactions are frauds."""
    random = np.random.default_rng(8)
    count = days * a_day
    frauds = random.random(count) < 0.02
    champion, challenger = (np.clip(frauds * 0.5 + random.normal(0.2, width, count), 0, 1) for width in noise)
    return Paired(
        customers=random.integers(0, customers, count),
        event_times=(DAY_0 + np.arange(count) // a_day) * DAY_MS + 5,
        frauds=frauds,
        champion=champion,
        challenger=challenger,
    )


def test_card_precision_is_the_one_that_evaluate_tells() -> None:
    """Which is recounted in test_metrics_of_models."""
    paired = made_up(days=10)
    judged = ScoredDataset(
        scores=paired.champion,
        frauds=paired.labels,
        event_times=paired.event_times,
        customers=paired.customers,
        amounts_minor=paired.customers,
        patterns=paired.customers,
    )

    for budget in (1, 5, 100):
        found = Ranking(paired, paired.champion, budget).figures(np.ones(80))["card_precision"]

        assert found == metrics.card_precision(judged, budget)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3), min_size=30, max_size=30).filter(lambda drawn: sum(drawn) > 20))
def test_a_customer_drawn_twice_counts_as_two_customers(drawn: list[int]) -> None:
    """The figures of weights are the figures of the copies."""
    paired = made_up(days=8, a_day=40, customers=30)
    paired = msgspec.structs.replace(paired, frauds=paired.challenger > 0.25)
    copies = np.concatenate(
        [np.flatnonzero(paired.customers == c) for c in range(30) for _ in range(drawn[c])]
    )
    numbers = np.concatenate(
        [np.full(int((paired.customers == c).sum()), c * 3 + i) for c in range(30) for i in range(drawn[c])]
    )
    copied = paired.where(copies)
    copied = msgspec.structs.replace(copied, customers=numbers.astype(np.int64))

    by_weight = Ranking(paired, paired.champion, 4).figures(np.array(drawn, np.float64))
    by_copy = Ranking(copied, copied.champion, 4).figures(np.ones(90))

    assert by_copy["card_precision"] == pytest.approx(by_weight["card_precision"])
    assert by_copy["auc_roc"] == pytest.approx(by_weight["auc_roc"], nan_ok=True)
    assert by_copy["average_precision"] == pytest.approx(by_weight["average_precision"], nan_ok=True)


def test_the_same_seed_gives_the_same_intervals_and_they_hold_the_figure() -> None:
    paired = made_up()

    first, second = compare_figures(paired, DRAWS), compare_figures(paired, DRAWS)

    assert first == second
    assert first != compare_figures(paired, Draws(number=40, seed=4, budget=5))
    interval = first["auc_roc"].champion
    assert interval.low is not None
    assert interval.value is not None
    assert interval.high is not None
    assert interval.low < interval.value < interval.high


def test_equal_scores_do_not_differ_at_all() -> None:
    paired = made_up()
    same = compare_figures(msgspec.structs.replace(paired, challenger=paired.champion), DRAWS)

    assert all((0.0, 0.0, 0.0) == msgspec.structs.astuple(figure.difference) for figure in same.values())


def test_without_frauds_nothing_is_defined_and_nothing_fails() -> None:
    paired = made_up()
    none = compare_figures(msgspec.structs.replace(paired, frauds=np.zeros(len(paired), bool)), DRAWS)

    assert none["auc_roc"].difference.value is None


def test_alerts_are_counted_by_each_models_own_thresholds() -> None:
    scores = np.array([0.1, 0.5, 0.9, 0.5])
    paired = Paired(
        customers=np.arange(4),
        event_times=np.arange(4),
        frauds=None,
        champion=scores,
        challenger=scores[::-1].copy(),
    )

    counted = alerts(paired, Thresholds(review=0.5, decline=0.8), Thresholds(review=0.4, decline=1.0))

    assert (3, 3, 2, 0.25) == msgspec.structs.astuple(counted)


# day   0       7       14      21      28
#       |-------|-------|-tested weeks--|      a fraud is known after 7 days; its customer is then blocked
def test_customers_whose_fraud_was_known_are_not_tested_any_more() -> None:
    days = np.array([3, 9, 20, 21, 22, 27], np.int64)
    paired = Paired(
        customers=np.array([0, 1, 2, 1, 0, 2], np.int64),
        event_times=np.append((DAY_0 + days) * DAY_MS, [DAY_0 * DAY_MS])[:6],
        frauds=np.array([True, True, True, False, False, False]),
        champion=np.zeros(6),
        challenger=np.zeros(6),
    )

    kept = last_weeks(paired, weeks=1)

    # Customer 0: fraud of day 3, before what is looked at. 1: of day 9, known from day 17 on. 2: of day 20, known from 28 on.
    assert [0, 2] == kept.customers.tolist()
    assert [DAY_0 + 22, DAY_0 + 27] == kept.days.tolist()


def test_a_history_too_short_to_know_anything_is_refused() -> None:
    with pytest.raises(InvalidFile, match=r"Use a longer history"):
        last_weeks(made_up(days=10), weeks=1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("models")
    write_models(directory)
    write_bundle(directory, "2", trees=3)
    write_bundle(directory, "3", trees=12)
    return directory


def bundles(models: Path) -> tuple[Bundle, Bundle]:
    return load(models / "large-amounts/1", UNSIGNED), load(models / "large-amounts/2", UNSIGNED)


class TestGate:
    def test_an_equal_candidate_passes(self, models: Path) -> None:
        paired = made_up()
        verdict = compare_models(
            msgspec.structs.replace(paired, challenger=paired.champion), *bundles(models), DRAWS, 0.0
        )

        assert (True, []) == (verdict.passed, verdict.refusals)

    def test_a_worse_candidate_is_refused_and_it_is_said_by_how_much(self, models: Path) -> None:
        verdict = compare_models(made_up(noise=(0.01, 0.6)), *bundles(models), DRAWS, 0.01)

        (refusal,) = verdict.refusals
        assert "card precision@5 may be" in refusal
        assert "allowed is 0.01" in refusal

    def test_a_better_candidate_passes(self, models: Path) -> None:
        assert compare_models(made_up(noise=(0.6, 0.01)), *bundles(models), DRAWS, 0.0).passed

    def test_a_worse_candidate_passes_within_a_wide_margin(self, models: Path) -> None:
        assert compare_models(made_up(noise=(0.01, 0.6)), *bundles(models), DRAWS, 1.0).passed

    def test_a_candidate_that_has_seen_the_tested_weeks_is_refused(self, models: Path) -> None:
        champion, candidate = bundles(models)
        training = msgspec.structs.replace(candidate.manifest.training, last_event_time=(DAY_0 - 3) * DAY_MS)
        candidate.manifest = msgspec.structs.replace(candidate.manifest, training=training)
        paired = made_up()
        verdict = compare_models(
            msgspec.structs.replace(paired, challenger=paired.champion), champion, candidate, DRAWS, 0.0
        )

        assert "was fitted on transactions up to" in "".join(verdict.refusals)

    @given(st.integers(-10, 27))
    def test_the_weeks_that_the_refusal_names_are_the_most_that_are_not_refused(
        self, models: Path, last_day: int
    ) -> None:
        _, candidate = bundles(models)
        training = msgspec.structs.replace(
            candidate.manifest.training, last_event_time=(DAY_0 + last_day) * DAY_MS + DAY_MS // 2
        )
        candidate.manifest = msgspec.structs.replace(candidate.manifest, training=training)
        paired = made_up(a_day=2)

        def refused(weeks: int) -> list[str]:
            return gate._leakage(paired.where(paired.days >= DAY_0 + 28 - 7 * weeks), candidate)

        if refused(4):
            found = re.search(r"`--weeks (\d)`", refused(4)[0])
            most = int(found[1]) if found else 0
            assert refused(most + 1)
            assert not (most and refused(most))
            assert "--test-days 28`" in refused(4)[0]

    def test_a_champion_that_has_seen_them_is_told(self, models: Path) -> None:
        champion, candidate = bundles(models)
        training = msgspec.structs.replace(champion.manifest.training, last_event_time=DAY_0 * DAY_MS)
        champion.manifest = msgspec.structs.replace(champion.manifest, training=training)

        assert "advantage" in "".join(compare_models(made_up(), champion, candidate, DRAWS, 1.0).warnings)

    def test_the_champion_is_no_candidate(self, models: Path) -> None:
        champion, _ = bundles(models)

        assert "is the champion" in "".join(
            compare_models(made_up(), champion, champion, DRAWS, 1.0).refusals
        )

    def test_weeks_without_a_fraud_are_a_refusal(self, models: Path) -> None:
        paired = made_up()
        none = msgspec.structs.replace(paired, frauds=np.zeros(len(paired), bool))

        assert "contain no fraud" in "".join(compare_models(none, *bundles(models), DRAWS, 1.0).refusals)


def decision(number: int, shadow: dict[str, float], score: float = 0.3, version: str = "1") -> dict[str, Any]:
    return {
        "transaction_id": f"t{number}",
        "customer_id": f"c{number % 7}",
        "event_time": DAY_0 * DAY_MS + number * DAY_MS // 10,
        "score": score,
        "thresholds": {"review": 0.4, "decline": 0.8},
        "model": {"name": "large-amounts", "version": version, "digest": "d"},
        "shadow": shadow,
        "other": "fields are skipped",
    }


def lines(*decisions: dict[str, Any]) -> list[bytes]:
    return [json.dumps(one).encode() for one in decisions]


def test_each_pair_of_models_is_compared_and_a_repeat_counts_once(models: Path) -> None:
    """A canary's decisions have the champion beside them: another pair."""
    found = notes(
        lines(
            decision(0, {"large-amounts/2": 0.5, "gone/1": 0.1}),
            decision(0, {"large-amounts/2": 0.9}),
            decision(1, {"large-amounts/1": 0.2}, version="2"),
            decision(2, {}),
        )
    )

    compared = found.compare(partial(stored_thresholds, ModelSettings(dir=str(models))), None, 7, DRAWS)

    assert [
        ("large-amounts/1", "gone/1", 1),
        ("large-amounts/1", "large-amounts/2", 1),
        ("large-amounts/2", "large-amounts/1", 1),
    ] == [(one.champion, one.challenger, one.transactions) for one in compared]
    assert compared[0].alerts is None
    assert compared[1].alerts is not None
    assert (0, 1, 0, 0.0) == msgspec.structs.astuple(compared[1].alerts)
    assert (None, {}) == (compared[1].frauds, compared[1].figures)


def test_the_newest_days_are_left_out_since_their_frauds_are_not_known_yet(models: Path) -> None:
    found = notes(lines(*(decision(number, {"large-amounts/2": number / 200}) for number in range(200))))
    labels = {f"t{number}": True for number in range(0, 200, 9)}

    (ripe,) = found.compare(partial(stored_thresholds, ModelSettings(dir=str(models))), labels, 7, DRAWS)
    (all_of_them,) = found.compare(
        partial(stored_thresholds, ModelSettings(dir=str(models))), labels, 0, DRAWS
    )

    assert (130, 200) == (ripe.transactions, all_of_them.transactions)
    assert (15, 23) == (ripe.frauds, all_of_them.frauds)
    with pytest.raises(InvalidFile, match="--delay-days"):
        found.compare(partial(stored_thresholds, ModelSettings(dir=str(models))), labels, 100, DRAWS)


class TestCommands:
    @pytest.fixture(autouse=True)
    def environment(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(models))

    def run(self, *words: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, ["model", *words, "--json"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, json.loads(result.stdout)

    def test_compare_reads_decisions_and_labels_from_files(self, tmp_path: Path) -> None:
        decisions, labels = tmp_path / "decisions.jsonl", tmp_path / "labels.jsonl"
        decisions.write_bytes(
            b"\n".join(lines(*(decision(n, {"large-amounts/2": n / 100}) for n in range(100)))) + b"\n"
        )
        known = [{"transaction_id": f"t{n}", "is_fraud": n > 80} for n in [*range(0, 100, 3), 3]]
        labels.write_text("\n".join(map(json.dumps, known)))

        code, told = self.run(
            "compare", "--decisions", str(decisions), "--labels", str(labels), "--delay-days", "0",
            "--resamples", "20",
        )  # fmt: skip

        (comparison,) = told["comparisons"]
        assert (0, 100, 100) == (code, told["decisions"], comparison["transactions"])
        assert comparison["figures"]["auc_roc"]["challenger"]["value"] > 0.9

    @pytest.fixture
    def history(self, tmp_path: Path) -> str:
        path = tmp_path / "history.csv"
        random = np.random.default_rng(1)
        amounts: NDArray[np.int64] = random.integers(100, 100_000, 1_500)
        rows = ["transaction_id,customer_id,terminal_id,event_time,amount_minor,currency,is_fraud"]
        for number, amount in enumerate(amounts.tolist()):
            fraud = str(amount > 97_000).lower()
            time_ms = DAY_0 * DAY_MS + number * 30 * DAY_MS // 1_500
            rows.append(f"t{number},c{random.integers(60)},m,{time_ms},{amount},EUR,{fraud}")
        path.write_text("\n".join(rows) + "\n")
        return str(path)

    def test_gate_replays_a_history(self, history: str) -> None:
        code, told = self.run(
            "gate", "large-amounts/3", history, "--weeks", "2", "--budget", "5", "--margin", "0.5",
            "--resamples", "20",
        )  # fmt: skip

        assert (0, True, "large-amounts/1", []) == (code, told["passed"], told["champion"], told["refusals"])
        assert 400 < told["transactions"] < 750
        assert told["figures"]["auc_roc"]["champion"]["value"] > 0.8

    def test_gate_refuses_with_exit_code_1(self, history: str) -> None:
        code, told = self.run("gate", "large-amounts/1", history, "--weeks", "2", "--resamples", "20")

        assert (1, False) == (code, told["passed"])
        assert "is the champion" in told["refusals"][0]
