"""The program itself."""

from app.metrics.metric import FROM_DEPLOYMENT, Metric

METRICS = (
    Metric(
        name="build_info",
        kind="info",
        unit="",
        labels={"version": FROM_DEPLOYMENT, "python": FROM_DEPLOYMENT, "role": FROM_DEPLOYMENT},
        meaning="The release of fraudstream, the version of Python and the role of the worker; always 1.",
    ),
)
