"""The bench in short: every contestant does the same work, and the results have the right shape. No timings."""

from pathlib import Path

import numpy as np
import pytest

from app.domain.identifiers import digest64
from app.local.state import Stack
from bench import latency, throughput
from bench.contestants.roster import ROSTER
from bench.harness import equal_work, rate_run
from bench.harness.generator import percentiles

EVENTS = 2_000


@pytest.mark.integration
@pytest.mark.slow
def test_all_contestants_drain_the_same_backlog(stack: Stack, tmp_path: Path) -> None:
    """`throughput.run` itself refuses other scores, features, alerts or facts about entities than ours."""
    content = throughput.run(list(ROSTER.values()), EVENTS, 1, stack, tmp_path)

    rows = {(row["contestant"], row["workers"]): row for row in content["results"]}
    alone = {(name, 1) for name in ROSTER}
    assert {*alone, ("ours", 2)} == rows.keys()
    assert {"machine", "command"} <= content.keys()
    for row in rows.values():
        assert row["rate"] is None
        assert [True] == [rate > 0 for rate in row["events_per_s"]]
    equal = {("naive_faust", 1): EVENTS // 8, ("echo", 1): None}
    assert {of: equal.get(of, EVENTS) for of in rows} == {
        of: row["decisions_equal_to_ours"] for of, row in rows.items()
    }
    assert rows["ours", 1]["stage_us_per_event"].keys() == rows["ours", 2]["stage_us_per_event"].keys()
    assert "naive_faust" in throughput.table(content)


def test_a_contestant_with_different_results_is_refused() -> None:
    ours = _work({"a": 0.25, "b": 0.5}, alerts={"b"}, facts={"a", "b"})

    assert 1 == equal_work.require_equal(ours, _work({"b": 0.5}, alerts={"b"}, facts={"b"}), "other")
    for other in (
        _work({"b": 0.5000001}, alerts={"b"}, facts={"b"}),
        _work({"b": 0.5}, alerts=set(), facts={"b"}),
        _work({"b": 0.5}, alerts={"b"}, facts=set()),
        _work({"b": 0.5}, alerts={"b"}, facts={"a", "b"}),
        _work({"c": 0.5}, alerts=set(), facts=set()),
        _work({}, alerts=set(), facts=set()),
    ):
        with pytest.raises(RuntimeError, match="the output of other differs from ours"):
            equal_work.require_equal(ours, other, "other")


@pytest.mark.integration
@pytest.mark.slow
def test_latency_of_one_rate(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run at a rate refuses missing decisions and other alerts than the batch's scores ask for."""
    monkeypatch.setattr(rate_run, "WARM_UP_SECONDS", 1)
    monkeypatch.setattr(rate_run, "PRIME_EVENTS", 200)
    monkeypatch.setattr(rate_run, "KEEP_UP_SECONDS", 30.0)
    options = latency.Options([ROSTER["ours"], ROSTER["echo"]], rates=[200], seconds=2, turns=1)

    content = latency.run(options, stack, tmp_path)

    ours, echo = content["results"]
    assert ("ours", 1, 200, True) == (ours["contestant"], ours["workers"], ours["rate"], ours["sustained"])
    assert ours["alerts"] == pytest.approx(latency.ALERT_SHARE * 400, abs=1)
    for row in (ours, echo):
        assert ["p50", "p99", "p999", "max"] == list(row["latency_ms"])
        assert 0 < row["latency_ms"]["p50"] <= row["latency_ms"]["max"]
    assert "p99 / echo" in latency.table(content)


def test_percentiles_are_of_the_values() -> None:
    assert {"p50": 500.0, "p99": 990.0, "p999": 999.0, "max": 1000.0} == percentiles(np.arange(1001.0))


def _work(scores: dict[str, float], alerts: set[str], facts: set[str]) -> equal_work.Work:
    return equal_work.Work(
        {
            name: equal_work.ComparedDecision(name, score, "approve", [1.0, None])
            for name, score in scores.items()
        },
        alerts,
        {equal_work.EntityFact(b"terminal:1", digest64(name), 0) for name in facts},
    )
