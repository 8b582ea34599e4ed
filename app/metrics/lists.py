"""The lists of rules, as a risk worker holds them."""

from app.metrics.metric import Metric

METRICS = (
    Metric(
        name="list_offset",
        kind="gauge",
        unit="offset",
        meaning="Offset of the newest record of the topic of lists that this worker has applied; -1 before the first. Workers agree.",
    ),
    Metric(
        name="list_entries",
        kind="gauge",
        unit="entries",
        meaning="Entries of all lists that are not removed, expired ones included; at most FRAUDSTREAM_LISTS_MAX_ENTRIES.",
    ),
    Metric(
        name="list_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Memory of the lists.",
    ),
    Metric(
        name="list_records_refused_total",
        kind="counter",
        unit="records",
        meaning=(
            "Records of the topic of lists that do not keep the contract; they have no effect on any worker. The log names the first "
            "by offset. A worker counts them again at its start."
        ),
    ),
    Metric(
        name="list_read_failures_total",
        kind="counter",
        unit="failures",
        meaning="Failed attempts to read the topic of lists; the worker decides with the lists of list_offset meanwhile.",
    ),
)
