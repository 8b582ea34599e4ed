"""A soak finds what grows with time, and nothing else: not a warm-up, not noise, not what shrinks."""

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.soak.growth import LIMITS, Growth, judge
from tests.chaos.soak.play import KEPT_MS, Plan
from tests.chaos.soak.sampling import Sample, disk_bytes, open_files
from tests.chaos.traffic import DAY_MS

MIB = 1024 * 1024
EVERY, HOUR = 10.0, 3600.0
TRANSACTIONS, KILLS = 540_000.0, 6.0
BOUND = LIMITS[0].per_hour(TRANSACTIONS, KILLS)
WARM_UP_SECONDS = 100.0


def samples(
    process_seconds: float, per_hour: float, noise: float = 0.0, seconds: float = HOUR
) -> list[Sample]:
    """An hour of processes of equal length, each of which grows while it warms up; memory grows by ``per_hour`` besides."""
    random, found = Random(1), []
    for at in range(0, int(seconds), int(EVERY)):
        process, age = divmod(at, process_seconds)
        warm = 50 * MIB * min(1.0, age / WARM_UP_SECONDS)
        level = 300 * MIB + warm + per_hour * at / HOUR + random.uniform(-noise, noise)
        found.append(Sample("w", int(process), at, age, int(level), int(level), 30, 40, 20, 10 * MIB, 0))
    return found


def memory(found: list[Sample]) -> Growth:
    return judge(found, EVERY, TRANSACTIONS, KILLS)[0]


@given(
    process_seconds=st.sampled_from([600.0, 900.0, HOUR]),
    leak=st.floats(1.1, 50),
    noise=st.floats(0, 2 * MIB),
)
def test_a_leak_above_the_bound_is_found(process_seconds: float, leak: float, noise: float) -> None:
    found = memory(samples(process_seconds, leak * BOUND + 2 * noise, noise))

    assert not found.flat
    assert found.per_hour > BOUND


@given(
    process_seconds=st.sampled_from([600.0, 900.0, HOUR]),
    change=st.floats(-50, 0.5),
    noise=st.floats(0, 2 * MIB),
)
def test_warm_up_noise_and_shrinking_are_flat(process_seconds: float, change: float, noise: float) -> None:
    assert memory(samples(process_seconds, change * BOUND, noise)).flat


def test_a_successor_is_compared_with_its_predecessors_at_the_same_age() -> None:
    """The end of the run sees a young process, whose memory is lower than that of an old one: that is no shrinking."""
    found = memory(samples(1000.0, 2 * BOUND, seconds=HOUR + 60))

    assert found.per_hour == pytest.approx(2 * BOUND, rel=0.01)


@pytest.mark.parametrize("figure", ["descriptors", "threads"])
def test_one_more_of_each_kill_is_found(figure: str) -> None:
    flat = [sample._asdict() for sample in samples(HOUR, 0)]
    grown = [Sample(**fields | {figure: 30 + int(fields["seconds"] // 600)}) for fields in flat]

    assert {one.figure for one in judge(grown, EVERY, TRANSACTIONS, KILLS) if not one.flat} == {figure}


def test_samples_of_one_moment_prove_nothing() -> None:
    assert not memory(samples(600.0, 0)[:1]).flat


def test_files_are_counted_where_they_are(tmp_path: Path) -> None:
    outside, inside = open_files(os.getpid(), tmp_path)
    with (tmp_path / "a").open("w"), Path(os.devnull).open():
        assert open_files(os.getpid(), tmp_path) == (outside + 1, inside + 1)
    assert open_files(os.getpid(), tmp_path) == (outside, inside)


def test_the_disk_of_all_folders_is_counted(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * 100_000)

    assert disk_bytes(tmp_path) == pytest.approx(100_000, abs=16_384)


@pytest.mark.parametrize("hours", [0.1, 1, 8])
def test_the_windows_of_profiles_are_full_long_before_samples_are_judged(hours: float) -> None:
    plan = Plan(hours * HOUR, 600, EVERY, rate=10, customers=50)
    now_ms = 1_796_000_000_000
    sent = list(plan.traffic(seed=1, now_ms=now_ms))

    assert len(sent) == hours * HOUR * 10
    assert plan.span_ms >= 6 * KEPT_MS
    assert plan.span_ms // DAY_MS < 25 * 365  # no event is before the earliest that is accepted


def test_the_survivor_has_taken_over_often_before_samples_are_judged() -> None:
    hour = Plan(HOUR, 600, EVERY, rate=10, customers=50)

    assert hour.kills_at_seconds == [*range(100, 1200, 100), 1200, 1800, 2400, 3000]
    assert hour.kills_per_hour == 6  # what the bounds of the judged part are for
