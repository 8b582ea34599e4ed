"""Intended times lie on a grid that no delay moves."""

from app.traffic.pacing import Pace
from app.traffic.produce import Produced


def test_the_millionth_record_is_due_exactly_when_the_rate_says() -> None:
    assert Pace(start_seconds=100.0, rate=2000.0).due_seconds(1_000_000) == 600.0


def test_the_summary_names_what_a_script_needs() -> None:
    assert Produced(produced=100, seconds=0.5).summary() == {
        "produced": 100,
        "seconds": 0.5,
        "events_per_s": 200.0,
        "late_seconds": 0.0,
    }


def test_nothing_in_no_time_is_no_division_by_zero() -> None:
    assert Produced(produced=0, seconds=0.0).events_per_s == 0.0
