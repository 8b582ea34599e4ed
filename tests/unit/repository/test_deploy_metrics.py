"""Alerts and dashboards use only existing metrics, and every alert has a runbook section."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.metrics import CATALOG as WORKER_CATALOG
from app.metrics import PREFIX
from app.operations.cluster_metrics import CATALOG as CLUSTER_CATALOG
from app.rendering.palette import COLOURS
from tests.support.paths import REPOSITORY

RULES = (REPOSITORY / "deploy" / "prometheus" / "rules.yaml").read_text(encoding="utf-8")
DASHBOARDS = sorted((REPOSITORY / "deploy" / "grafana" / "dashboards").glob("*.json"))
OPERATIONS = (REPOSITORY / "docs" / "operate" / "operations.md").read_text(encoding="utf-8")
ALERTS = re.findall(r"- alert: (\w+)", RULES)
NAME = re.compile(rf"\b({PREFIX}\w+|process_\w+)\b")


def existing_series() -> Iterator[str]:
    """Every series of a worker and of the monitor."""
    yield from ("process_start_time_seconds", "process_resident_memory_bytes")
    for metric in WORKER_CATALOG:
        if metric.kind == "histogram":
            yield from (f"{PREFIX}{metric.name}_{part}" for part in ("bucket", "sum", "count"))
        else:
            yield PREFIX + metric.name
    for cluster_metric in CLUSTER_CATALOG:
        yield PREFIX + cluster_metric.name


def expressions(dashboard: Path) -> Iterator[str]:
    for panel in json.loads(dashboard.read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_dashboards_and_alerts_are_found() -> None:
    assert len(DASHBOARDS) == 2
    assert {"ConsumerLagGrowing", "BrokerDiskFilling", "UnderReplicatedPartitions"} <= set(ALERTS)


def test_alerts_use_only_existing_metrics() -> None:
    assert set(NAME.findall(RULES)) <= set(existing_series())


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_use_only_existing_metrics(dashboard: Path) -> None:
    used = {name for expression in expressions(dashboard) for name in NAME.findall(expression)}

    assert used
    assert used <= set(existing_series())


def test_every_cluster_metric_is_on_a_dashboard() -> None:
    shown = {name for path in DASHBOARDS for text in expressions(path) for name in NAME.findall(text)}

    assert {PREFIX + metric.name for metric in CLUSTER_CATALOG} <= shown


def test_panels_by_outcome_have_the_colours_of_outcomes() -> None:
    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text("utf-8"))["panels"]]
    by_outcome = [
        panel
        for panel in panels
        if any("{{outcome}}" in target["legendFormat"] for target in panel["targets"])
    ]

    assert by_outcome
    for panel in by_outcome:
        fixed = {
            rule["matcher"]["options"]: rule["properties"][0]["value"]["fixedColor"]
            for rule in panel["fieldConfig"]["overrides"]
        }
        assert {str(outcome): colour for outcome, colour in COLOURS.items()} == fixed, panel["title"]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_runbook_section_and_a_severity(alert: str) -> None:
    rule = RULES.partition(f"- alert: {alert}\n")[2].partition("- alert:")[0]

    assert f"runbook: docs/operate/operations.md#{alert.lower()}" in rule
    assert re.search("severity: (page|ticket)", rule)
    assert f"\n### {alert}\n" in OPERATIONS
