"""The benches of memory and growth in short: everything is sent, decided and read. No timings."""

from pathlib import Path

import pytest

from app.local.state import Stack
from bench import growth, memory
from bench.data.customers import Customers
from bench.harness.event_cost import Counters, between
from bench.harness.footprint import disk_bytes
from bench.harness.steady import slope_bytes_per_hour

TOPICS = {"transactions", "decisions", "alerts", "changelog"}


@pytest.mark.integration
@pytest.mark.slow
def test_memory_and_disk_of_a_thousand_customers(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SETTLE_SECONDS", 1.0)  # the gauges follow the decisions

    content = memory.run([Customers(1_000, 3)], 500.0, 2 / 3600, stack, tmp_path)

    filled, steady = content["results"]
    assert (1_000, 3, 1_000) == (
        filled["customers"],
        filled["events_per_customer"],
        filled["profiles_cached"],
    )
    assert filled["profile_cache_bytes"] >= 1_000 * (192 + 3 * 24)
    assert 0 < filled["rss_start_bytes"] <= filled["rss_bytes"] <= filled["rss_peak_bytes"]
    assert filled["disk_bytes"] > 0
    assert TOPICS == filled["topic_bytes_per_event"].keys()
    assert all(size > 0 for size in filled["topic_bytes_per_event"].values())
    assert len(steady["steady"]["rss_bytes"]) >= 3
    assert "1,000" in memory.table(content)


@pytest.mark.integration
@pytest.mark.slow
def test_growth_of_one_case(stack: Stack, tmp_path: Path) -> None:
    cases = [growth.Case("partitions", Customers(100, 10), 2)]

    content = growth.run(cases, 4_000, 1, stack, tmp_path)

    (row,) = content["results"]
    assert ("partitions", 2, 100) == (row["vary"], row["value"], row["customers"])
    assert [True] == [rate > 0 for rate in row["events_per_s"]]
    assert row["changelog_bytes_per_event"] > 0
    assert {"fold", "store"} <= row["stage_us_per_event"].keys()
    assert "partitions" in growth.table(content)


def test_every_customer_has_the_given_number_of_transactions() -> None:
    events = list(Customers(7, 3).transactions(Customers(7, 3).everyone(3)))

    assert 21 == len({event.transaction_id for event in events})
    assert {3} == {sum(event.customer_id == f"c{n:09}" for event in events) for n in range(7)}
    assert events == sorted(events, key=lambda event: event.event_time)
    assert 30 * 86_400_000 * 20 // 21 == events[-1].event_time - events[0].event_time


def test_events_that_would_lie_in_the_future_are_refused() -> None:
    """The worker would reject them, and the bench would wait for ever."""
    with pytest.raises(ValueError, match="more than 20 years"):
        list(Customers(1, 1).transactions(Customers(1, 1).everyone(300)))


def test_the_cost_of_an_event_is_what_was_counted_between_two_readings() -> None:
    start = Counters(10.0, 100, 5.0, 1_000, 7, {"fold": 1.0})
    end = Counters(12.0, 300, 6.0, 3_000, 9, {"fold": 1.5, "store": 0.5})

    assert (100.0, 5_000.0, 10.0, 9, {"fold": 2_500.0, "store": 2_500.0}) == between(start, end)


def test_a_slope_excludes_the_warm_up() -> None:
    assert 3_600.0 == slope_bytes_per_hour([(0, 900), (50, 50), (100, 100), (200, 200)])
    assert 0.0 == slope_bytes_per_hour([(1.0, 900)])


def test_reserved_blocks_count_as_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10_000))

    assert disk_bytes(tmp_path) >= 10_000
