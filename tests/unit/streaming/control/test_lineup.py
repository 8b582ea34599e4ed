"""Models beside the champion are taken in when they pass every check; one that does not is missed by nobody."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.adapters.models.bundles import Bundle, load
from app.adapters.observability.prometheus import PrometheusMetrics
from app.domain.control import CanaryBounds, CanaryOrder, CanaryStop, ChallengersOrder, Orders
from app.features import catalog
from app.scoring.lineup import Lineup
from app.streaming.control.champion import Choice
from app.streaming.control.lineup import LineupSwitch, Terms

NOW_MS = 1_760_000_000_000
FIRST, SECOND, THIRD = "large-amounts/1", "large-amounts/2", "large-amounts/3"
ROWS = np.zeros((4, len(catalog.NAMES)))


@pytest.fixture
def models(trial_models: Path) -> Path:
    return trial_models


class Place:
    """Where a lineup scores."""

    def __init__(self, models: Path, pinned: str = "") -> None:
        self.lineup = Lineup(load(models / FIRST))
        self.told = 0
        terms = Terms("w1", 0.010, lambda: 0.0, lambda: NOW_MS)
        self.switch = LineupSwitch(Choice(models, pinned), terms, self.put, PrometheusMetrics())
        self.switch.on_stopped = self.tell
        self.switch.champion_is(load(models / FIRST))

    def put(self, lineup: Lineup) -> None:
        self.lineup = lineup

    def tell(self) -> None:
        self.told += 1

    @property
    def challengers(self) -> list[str]:
        return [challenger.name for challenger in self.lineup.challengers]


@pytest.fixture
def place(models: Path) -> Place:
    return Place(models)


def challengers(*bundles: Bundle, ordered_at: int = 1) -> Orders:
    order = ChallengersOrder(models=[bundle.reference for bundle in bundles], ordered_at=ordered_at)
    return Orders(challengers=order)


def canary(bundle: Bundle, **changes: object) -> Orders:
    bounds = CanaryBounds(max_alert_rate=0.5, window=4)
    order = CanaryOrder(model=bundle.reference, share=1.0, bounds=bounds, ordered_at=1)
    return Orders(canary=msgspec.structs.replace(order, **changes))


async def test_challengers_are_those_of_the_aliases_until_others_are_ordered(
    place: Place, models: Path
) -> None:
    (models / "aliases.toml").write_text(f'champion = "{FIRST}"\nchallengers = ["{SECOND}", "{FIRST}"]\n')

    await place.switch.follow(Orders())
    of_the_aliases = place.challengers
    await place.switch.follow(challengers(load(models / THIRD)))

    assert ([SECOND], [THIRD]) == (
        of_the_aliases,
        place.challengers,
    )  # the champion is not its own challenger


async def test_a_challenger_that_is_refused_is_reported_and_the_others_score(
    place: Place, models: Path
) -> None:
    ordered = challengers(load(models / SECOND), load(models / THIRD))
    (models / SECOND / "model.skops").write_bytes(b"PK")
    await place.switch.follow(ordered)

    assert [THIRD] == place.challengers
    (taken, refused) = place.switch.challengers_reports()
    assert (taken.model, taken.refused) == (THIRD, "")
    assert refused.model == SECOND
    assert "model.skops was altered" in refused.refused


async def test_what_scores_already_is_kept_with_its_tally(place: Place, models: Path) -> None:
    await place.switch.follow(challengers(load(models / SECOND)))
    before = place.lineup.challengers[0]
    await place.switch.follow(challengers(load(models / SECOND), load(models / THIRD), ordered_at=2))

    assert place.lineup.challengers[0] is before


async def test_a_suspended_challenger_is_called_again_when_it_is_ordered_again(
    place: Place, models: Path
) -> None:
    await place.switch.follow(challengers(load(models / SECOND)))
    place.lineup.challengers[0].suspended = "failed"
    await place.switch.follow(challengers(load(models / SECOND)))
    still = place.lineup.challengers[0].suspended
    await place.switch.follow(challengers(load(models / SECOND), ordered_at=2))

    assert ("failed", "") == (still, place.lineup.challengers[0].suspended)


async def test_unreadable_aliases_leave_the_challengers_as_they_are(place: Place, models: Path) -> None:
    (models / "aliases.toml").write_text(f'champion = "{FIRST}"\nchallengers = ["{SECOND}"]\n')
    await place.switch.follow(Orders())
    (models / "aliases.toml").write_text("champion = 3")
    await place.switch.follow(Orders())

    assert [SECOND] == place.challengers
    assert "aliases.toml" in place.switch.challengers_reports()[-1].refused


async def test_a_canary_that_leaves_its_bounds_is_out_at_once_and_stays_out(
    place: Place, models: Path
) -> None:
    ordered = canary(load(models / THIRD))
    await place.switch.follow(ordered)
    assert place.lineup.canary is not None
    assert place.lineup.canary.score(ROWS) is None
    await place.switch.follow(ordered)

    assert place.lineup.canary.stopped
    assert place.told == 1
    stop = place.switch.unsent_stop
    assert stop is not None
    assert stop.stopped is not None
    assert (stop.ordered_at, stop.stopped.worker) == (1, "w1")
    report = place.switch.canary_report()
    assert report is not None
    assert report.stopped == stop.stopped.reason


async def test_a_stopped_order_ends_the_canary_here_too(place: Place, models: Path) -> None:
    await place.switch.follow(canary(load(models / THIRD)))
    stop = CanaryStop(worker="w2", reason="alerted", stopped_at=2)
    await place.switch.follow(canary(load(models / THIRD), stopped=stop))

    assert place.lineup.canary is None
    report = place.switch.canary_report()
    assert report is not None
    assert report.stopped == "alerted"


async def test_a_canary_that_is_refused_leaves_the_champion_alone(place: Place, models: Path) -> None:
    ordered = canary(load(models / SECOND))
    shutil.rmtree(models / SECOND)
    await place.switch.follow(ordered)

    assert place.lineup.canary is None
    report = place.switch.canary_report()
    assert report is not None
    assert "there is no model" in report.refused


async def test_a_pinned_worker_has_no_canary(models: Path) -> None:
    place = Place(models, pinned=FIRST)
    await place.switch.follow(canary(load(models / SECOND)))

    assert place.lineup.canary is None
    report = place.switch.canary_report()
    assert report is not None
    assert "FRAUDSTREAM_MODEL_CHAMPION" in report.refused


async def test_the_champion_is_not_its_own_canary(place: Place, models: Path) -> None:
    await place.switch.follow(canary(load(models / SECOND)))
    assert place.lineup.canary is not None
    place.switch.champion_is(load(models / SECOND))

    assert place.lineup.canary is None


async def test_shadow_scores_are_counted_once(place: Place, models: Path) -> None:
    await place.switch.follow(challengers(load(models / SECOND)))
    place.lineup.challengers[0].score(ROWS)
    place.switch.count()
    place.switch.count()

    (report,) = place.switch.challengers_reports()
    assert (report.scored, report.failed, report.skipped) == (4, 0, 0)
    assert 4 == counted(place, 'shadow_total{name="large-amounts",result="scored",version="2"}')


async def test_what_is_taken_in_anew_counts_from_nothing(place: Place, models: Path) -> None:
    """A challenger that was suspended, and a second canary: what they did is added to what was counted before."""
    for ordered_at in (1, 2):
        await place.switch.follow(challengers(load(models / SECOND), ordered_at=ordered_at))
        place.lineup.challengers[0].score(ROWS)
        place.switch.count()
        place.lineup.challengers[0].suspended = "failed"
    assert 8 == counted(place, 'shadow_total{name="large-amounts",result="scored",version="2"}')

    for ordered_at in (3, 4):
        await place.switch.follow(canary(load(models / SECOND), ordered_at=ordered_at))
        assert place.lineup.canary is not None
        assert place.lineup.canary.score(ROWS) is not None
        place.switch.count()
    assert 8 == counted(place, 'canary_decisions_total{result="approve"}')
    assert 0 == counted(place, 'canary_decisions_total{result="alert"}')


def counted(place: Place, sample: str) -> float:
    page: str = place.switch._metrics.page("").body.decode()  # type: ignore[attr-defined]  # Prometheus' own
    (value,) = [
        line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(f"fraudstream_{sample} ")
    ]
    return float(value)
