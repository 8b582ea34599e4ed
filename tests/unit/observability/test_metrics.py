"""The metrics catalog, its documentation page, and the output for a scraper."""

from typing import get_args

import numpy as np
import pytest
from prometheus_client import generate_latest

from app.adapters.observability.prometheus import PrometheusMetrics
from app.metrics import CATALOG, CounterName, GaugeName, HistogramName, InfoName, Metrics
from app.metrics.page import markdown
from tests.support.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "metrics.md"


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics()


def scraped(metrics: PrometheusMetrics) -> dict[str, float]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def test_the_page_is_up_to_date() -> None:
    """Otherwise: python -m app.metrics > docs/metrics.md."""
    assert PAGE.read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize(
    ("kind", "names"),
    [("counter", CounterName), ("gauge", GaugeName), ("histogram", HistogramName), ("info", InfoName)],
)
def test_the_typed_names_are_those_of_the_catalog(kind: str, names: object) -> None:
    assert [metric.name for metric in CATALOG if metric.kind == kind] == list(get_args(names))


def test_no_label_can_hold_a_value_of_an_event() -> None:
    """Labels without listed values identify a part of the deployment or a feature of the catalog."""
    unlisted = {label for metric in CATALOG for label, values in metric.labels.items() if not values}

    assert unlisted == {"partition", "name", "version", "digest", "feature", "python", "role"}


def test_a_misspelt_name_is_a_type_error(metrics: PrometheusMetrics) -> None:
    """Mypy checks this file and reports an unneeded ignore, so the ignore below proves the type error."""
    typed: Metrics = metrics

    with pytest.raises(KeyError):
        typed.count("transaction_total", 1, result="decided")  # type: ignore[arg-type]  # the point of the test


def test_a_misspelt_label_is_refused(metrics: PrometheusMetrics) -> None:
    with pytest.raises(ValueError, match="transactions_total has the labels"):
        metrics.count("transactions_total", 1, result="decide")


def test_every_listed_series_starts_at_zero(metrics: PrometheusMetrics) -> None:
    assert scraped(metrics)['fraudstream_dead_letters_total{reason="not_json"}'] == 0


def test_counts_add_up(metrics: PrometheusMetrics) -> None:
    metrics.count("transactions_total", 2, result="decided")
    metrics.count("transactions_total", result="decided")

    assert scraped(metrics)['fraudstream_transactions_total{result="decided"}'] == 3


def test_a_revoked_partition_leaves_no_series(metrics: PrometheusMetrics) -> None:
    metrics.gauge("source_lag_records", 7, partition="3")
    assert scraped(metrics)['fraudstream_source_lag_records{partition="3"}'] == 7

    metrics.remove("source_lag_records", partition="3")
    metrics.remove("source_lag_records", partition="4")

    assert not any("source_lag_records" in series for series in scraped(metrics))


def test_a_new_model_replaces_the_series_of_the_old_one(metrics: PrometheusMetrics) -> None:
    metrics.inform("model_info", name="forest", version="1", digest="aa")
    metrics.inform("model_info", name="forest", version="2", digest="bb")

    assert [series for series in scraped(metrics) if "model_info" in series] == [
        'fraudstream_model_info{digest="bb",name="forest",version="2"}'
    ]


@pytest.mark.parametrize("times", [1, 5], ids=["few", "many"])
def test_many_values_at_once_count_as_one_by_one(times: int) -> None:
    values = [0.0, 0.001, 0.0011, 0.0625, 3.0, 10.0, 11.0] * times
    at_once, singly = PrometheusMetrics(), PrometheusMetrics()

    at_once.observe_all("decision_latency_seconds", np.array(values))
    for value in values:
        singly.observe("decision_latency_seconds", value)

    latency = "fraudstream_decision_latency_seconds"
    found, expected = (
        {series: count for series, count in scraped(each).items() if latency in series}
        for each in (at_once, singly)
    )
    # The values are summed in another order.
    assert found.pop(f"{latency}_sum") == pytest.approx(expected.pop(f"{latency}_sum"), rel=1e-14)
    assert found == expected


def test_a_bucket_holds_its_bound_and_all_below(metrics: PrometheusMetrics) -> None:
    metrics.observe_all("chunk_events", [1, 2, 3, 9999])

    page = scraped(metrics)
    assert [page[f'fraudstream_chunk_events_bucket{{le="{bound}"}}'] for bound in ("2.0", "5.0", "+Inf")] == [
        2,
        3,
        4,
    ]
    assert page["fraudstream_chunk_events_sum"] == 10005


def test_negative_durations_do_not_reduce_the_sum(metrics: PrometheusMetrics) -> None:
    metrics.observe("decision_latency_seconds", -1.0)
    metrics.observe_all("decision_latency_seconds", [-1.0, 0.5])
    metrics.observe_all("decision_latency_seconds", [-1.0, 0.5] * 10)

    assert scraped(metrics)["fraudstream_decision_latency_seconds_sum"] == 5.5


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("", "text/plain"), ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text")],
)
def test_a_scraper_gets_the_format_it_accepts(
    accept: str, content_type: str, metrics: PrometheusMetrics
) -> None:
    answer = metrics.page(accept)

    assert answer.content_type.startswith(content_type)
    assert b"fraudstream_late_total 0.0" in answer.body
