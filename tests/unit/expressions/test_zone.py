"""Hours and weekdays are those on the clocks of the zone, changes of the clocks included."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.adapters.time_zones import load_zone
from app.errors import ConfigurationError
from app.expressions.scalar.arithmetic import hour, weekday
from app.expressions.zone import END_MS, HOUR_MS, Zone

CHANGE_MS = 1_774_746_000_000
"""2026-03-29 01:00 UTC: clocks in Berlin go from 02:00 to 03:00."""


def test_the_clock_goes_forward_in_the_hour_of_the_change() -> None:
    berlin = load_zone("Europe/Berlin")

    assert [1.0, 3.0] == [hour(berlin)(CHANGE_MS + step) for step in (-1, 0)]
    midnight = CHANGE_MS + 21 * HOUR_MS
    assert [7.0, 1.0] == [weekday(berlin)(midnight + step) for step in (-1, 0)]


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "Australia/Lord_Howe", "UTC"],
)
def test_hours_until_2100_are_those_of_the_database(name: str) -> None:
    table, zone = load_zone(name), ZoneInfo(name)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    for step in range(0, END_MS, 997 * HOUR_MS):
        moment = (start + timedelta(milliseconds=step)).astimezone(zone)

        assert (float(moment.hour), float(moment.isoweekday())) == (hour(table)(step), weekday(table)(step))


@pytest.mark.parametrize("time_ms", [-1, END_MS, 2**62])
def test_a_time_outside_of_the_table_has_no_hour(time_ms: int) -> None:
    assert hour(load_zone("UTC"))(time_ms) is None


def test_an_unknown_zone_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'Europe/Berlim' is no time zone .* did you mean 'Europe/Berlin'"
    ):
        load_zone("Europe/Berlim")


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "/etc/localtime", "a\0b"])
def test_a_path_is_no_zone(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no time zone"):
        load_zone(name)


def test_a_table_has_rising_starts() -> None:
    with pytest.raises(ValueError, match="rising"):
        Zone("x", (0, 0), (0, 1))
