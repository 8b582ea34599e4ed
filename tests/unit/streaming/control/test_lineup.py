"""Challengers and canaries are added when they pass every check; a refused one changes no decision."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.adapters.models.bundles import Bundle, load
from app.adapters.models.loading import UNSIGNED
from app.adapters.observability.prometheus import PrometheusMetrics
from app.domain.control import CanaryBounds, CanaryOrder, CanaryStop, ChallengersOrder, Orders
from app.features import catalog
from app.scoring.lineup import Lineup
from app.streaming.control.lineup import LineupSwitch, LineupTerms
from app.streaming.control.model_choice import ModelChoice

NOW_MS = 1_760_000_000_000
FIRST, SECOND, THIRD = "large-amounts/1", "large-amounts/2", "large-amounts/3"
ROWS = np.zeros((4, len(catalog.NAMES)))


@pytest.fixture
def models(trial_models: Path) -> Path:
    return trial_models


class LineupUser:
    """Receives lineups and stops, as a worker does."""

    def __init__(self, models: Path, pinned: str = "") -> None:
        self.lineup = Lineup(load(models / FIRST, UNSIGNED))
        self.stops = 0
        terms = LineupTerms("w1", 0.010, lambda: 0.0, lambda: NOW_MS)
        self.switch = LineupSwitch(
            ModelChoice(models, pinned, UNSIGNED), terms, self.use, self.count_stop, PrometheusMetrics()
        )
        self.switch.use_champion(load(models / FIRST, UNSIGNED))

    def use(self, lineup: Lineup) -> None:
        self.lineup = lineup

    def count_stop(self) -> None:
        self.stops += 1

    @property
    def challengers(self) -> list[str]:
        return [challenger.name for challenger in self.lineup.challengers]


@pytest.fixture
def worker(models: Path) -> LineupUser:
    return LineupUser(models)


def challengers(*bundles: Bundle, ordered_at: int = 1) -> Orders:
    order = ChallengersOrder(models=[bundle.reference for bundle in bundles], ordered_at=ordered_at)
    return Orders(challengers=order)


def canary(bundle: Bundle, **changes: object) -> Orders:
    bounds = CanaryBounds(max_alert_rate=0.5, window=4)
    order = CanaryOrder(model=bundle.reference, share=1.0, bounds=bounds, ordered_at=1)
    return Orders(canary=msgspec.structs.replace(order, **changes))


async def test_challengers_come_from_the_aliases_until_an_order_names_others(
    worker: LineupUser, models: Path
) -> None:
    (models / "aliases.toml").write_text(f'champion = "{FIRST}"\nchallengers = ["{SECOND}", "{FIRST}"]\n')

    await worker.switch.follow(Orders())
    of_the_aliases = worker.challengers
    await worker.switch.follow(challengers(load(models / THIRD, UNSIGNED)))

    assert ([SECOND], [THIRD]) == (
        of_the_aliases,
        worker.challengers,
    )  # the champion is not its own challenger


async def test_a_challenger_that_is_refused_is_reported_and_the_others_score(
    worker: LineupUser, models: Path
) -> None:
    ordered = challengers(load(models / SECOND, UNSIGNED), load(models / THIRD, UNSIGNED))
    (models / SECOND / "model.skops").write_bytes(b"PK")
    await worker.switch.follow(ordered)

    assert [THIRD] == worker.challengers
    (scoring, refused) = worker.switch.challenger_reports()
    assert (scoring.model, scoring.refused) == (THIRD, "")
    assert refused.model == SECOND
    assert "model.skops was altered" in refused.refused


async def test_a_challenger_that_is_ordered_again_keeps_its_counts(worker: LineupUser, models: Path) -> None:
    await worker.switch.follow(challengers(load(models / SECOND, UNSIGNED)))
    before = worker.lineup.challengers[0]
    await worker.switch.follow(
        challengers(load(models / SECOND, UNSIGNED), load(models / THIRD, UNSIGNED), ordered_at=2)
    )

    assert worker.lineup.challengers[0] is before


async def test_a_suspended_challenger_is_called_again_when_it_is_ordered_again(
    worker: LineupUser, models: Path
) -> None:
    await worker.switch.follow(challengers(load(models / SECOND, UNSIGNED)))
    worker.lineup.challengers[0].suspended = "failed"
    await worker.switch.follow(challengers(load(models / SECOND, UNSIGNED)))
    still = worker.lineup.challengers[0].suspended
    await worker.switch.follow(challengers(load(models / SECOND, UNSIGNED), ordered_at=2))

    assert ("failed", "") == (still, worker.lineup.challengers[0].suspended)


async def test_unreadable_aliases_leave_the_challengers_as_they_are(worker: LineupUser, models: Path) -> None:
    (models / "aliases.toml").write_text(f'champion = "{FIRST}"\nchallengers = ["{SECOND}"]\n')
    await worker.switch.follow(Orders())
    (models / "aliases.toml").write_text("champion = 3")
    await worker.switch.follow(Orders())

    assert [SECOND] == worker.challengers
    assert "aliases.toml" in worker.switch.challenger_reports()[-1].refused


async def test_a_canary_that_leaves_its_bounds_stops_at_once_and_for_good(
    worker: LineupUser, models: Path
) -> None:
    ordered = canary(load(models / THIRD, UNSIGNED))
    await worker.switch.follow(ordered)
    assert worker.lineup.canary is not None
    assert worker.lineup.canary.score(ROWS) is None
    await worker.switch.follow(ordered)

    assert worker.lineup.canary.stopped
    assert worker.stops == 1
    stop = worker.switch.unsent_stop
    assert stop is not None
    assert stop.stopped is not None
    assert (stop.ordered_at, stop.stopped.worker) == (1, "w1")
    report = worker.switch.canary_report()
    assert report is not None
    assert report.stopped == stop.stopped.reason


async def test_a_stop_by_another_worker_ends_the_canary(worker: LineupUser, models: Path) -> None:
    await worker.switch.follow(canary(load(models / THIRD, UNSIGNED)))
    stop = CanaryStop(worker="w2", reason="alerted", stopped_at=2)
    await worker.switch.follow(canary(load(models / THIRD, UNSIGNED), stopped=stop))

    assert worker.lineup.canary is None
    report = worker.switch.canary_report()
    assert report is not None
    assert report.stopped == "alerted"


async def test_a_refused_canary_does_not_change_the_champion(worker: LineupUser, models: Path) -> None:
    ordered = canary(load(models / SECOND, UNSIGNED))
    shutil.rmtree(models / SECOND)
    await worker.switch.follow(ordered)

    assert worker.lineup.canary is None
    report = worker.switch.canary_report()
    assert report is not None
    assert "there is no model" in report.refused


async def test_a_pinned_worker_has_no_canary(models: Path) -> None:
    worker = LineupUser(models, pinned=FIRST)
    await worker.switch.follow(canary(load(models / SECOND, UNSIGNED)))

    assert worker.lineup.canary is None
    report = worker.switch.canary_report()
    assert report is not None
    assert "FRAUDSTREAM_MODEL_CHAMPION" in report.refused


async def test_the_champion_is_not_its_own_canary(worker: LineupUser, models: Path) -> None:
    await worker.switch.follow(canary(load(models / SECOND, UNSIGNED)))
    assert worker.lineup.canary is not None
    worker.switch.use_champion(load(models / SECOND, UNSIGNED))

    assert worker.lineup.canary is None


async def test_shadow_scores_are_counted_once(worker: LineupUser, models: Path) -> None:
    await worker.switch.follow(challengers(load(models / SECOND, UNSIGNED)))
    worker.lineup.challengers[0].score(ROWS)
    worker.switch.count()
    worker.switch.count()

    (report,) = worker.switch.challenger_reports()
    assert (report.scored, report.failed, report.skipped) == (4, 0, 0)
    assert 4 == counted(worker, 'shadow_total{name="large-amounts",result="scored",version="2"}')


async def test_a_model_that_is_loaded_again_counts_from_zero(worker: LineupUser, models: Path) -> None:
    """A restarted challenger and a second canary add to the counters; nothing is counted twice or lost."""
    for ordered_at in (1, 2):
        await worker.switch.follow(challengers(load(models / SECOND, UNSIGNED), ordered_at=ordered_at))
        worker.lineup.challengers[0].score(ROWS)
        worker.switch.count()
        worker.lineup.challengers[0].suspended = "failed"
    assert 8 == counted(worker, 'shadow_total{name="large-amounts",result="scored",version="2"}')

    for ordered_at in (3, 4):
        await worker.switch.follow(canary(load(models / SECOND, UNSIGNED), ordered_at=ordered_at))
        assert worker.lineup.canary is not None
        assert worker.lineup.canary.score(ROWS) is not None
        worker.switch.count()
    assert 8 == counted(worker, 'canary_decisions_total{result="approve"}')
    assert 0 == counted(worker, 'canary_decisions_total{result="alert"}')


def counted(worker: LineupUser, sample: str) -> float:
    page: str = worker.switch._metrics.page("").body.decode()  # type: ignore[attr-defined]  # Prometheus' own
    (value,) = [
        line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(f"fraudstream_{sample} ")
    ]
    return float(value)
