"""The page ``docs/metrics.md``."""

from app.metrics import CATALOG, PREFIX, Metric


def markdown() -> str:
    """Return the page ``docs/metrics.md``."""
    lines = [
        "# Metrics",
        "",
        "Generated from `app/metrics` by `python -m app.metrics > docs/metrics.md`. Every worker serves them on loopback,",
        "at `/metrics` on the first free port from `FRAUDSTREAM_WORKER_METRICS_PORT` (9464); 0 serves none. No label",
        "contains a value of an event.",
        "",
        "| name | kind | unit | labels | meaning |",
        "| --- | --- | --- | --- | --- |",
        *map(_row, CATALOG),
    ]
    return "\n".join(lines) + "\n"


def _row(metric: Metric) -> str:
    labels = "; ".join(
        f"`{label}`: {', '.join(values) or 'from the deployment'}" for label, values in metric.labels.items()
    )
    return f"| `{PREFIX}{metric.name}` | {metric.kind} | {metric.unit} | {labels} | {metric.meaning} |"
