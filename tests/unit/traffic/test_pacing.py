"""The due times of records depend on the rate alone; a delay does not move them."""

from app.traffic.pacing import Pace
from app.traffic.produce import Produced


def test_the_millionth_record_is_due_exactly_at_the_rate() -> None:
    assert Pace(start_seconds=100.0, rate=2000.0).due_seconds(1_000_000) == 600.0


def test_the_summary_has_count_duration_rate_and_delay() -> None:
    assert Produced(produced=100, seconds=0.5).summary() == {
        "produced": 100,
        "seconds": 0.5,
        "events_per_s": 200.0,
        "late_seconds": 0.0,
    }


def test_the_rate_of_an_empty_run_is_zero() -> None:
    assert Produced(produced=0, seconds=0.0).events_per_s == 0.0
