"""Spans of scored transactions, for those that carry a W3C trace context. They contain no values of customers."""

from typing import TYPE_CHECKING

from app.domain.trace_context import trace_headers
from app.errors import ConfigurationError
from app.processing.score_chunk import ScoredChunk
from app.processing.stopwatch import Stopwatch
from app.settings import TracingSettings

if TYPE_CHECKING:
    from app.adapters.observability.spans import Spans

SPAN = "fraudstream score"


def open_spans(settings: TracingSettings, service: str, instance: str) -> "Spans | None":
    """Connect to the collector; None if no collector is set. Raises ConfigurationError without the extra."""
    if not settings.otlp_url:
        return None
    try:
        from app.adapters.observability.spans import Spans, to_collector  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise ConfigurationError(
            f"FRAUDSTREAM_TRACING_OTLP_URL is set, but {error.name} is not installed. Install fraudstream[tracing] or "
            "unset it."
        ) from error
    return Spans(to_collector(settings.otlp_url, settings.timeout_seconds), service, instance)


def trace(spans: "Spans", work: ScoredChunk, stopwatch: Stopwatch, ended_ns: int) -> None:
    """Add a span for every traced transaction of a chunk: from the start of its computation until it is durable."""
    begun_ns = ended_ns - int(1e9 * stopwatch.elapsed)
    of_chunk: dict[str, str | int | float] = {
        "messaging.system": "kafka",
        "messaging.destination.partition.id": str(work.partition),
        "messaging.batch.message_count": work.records,
        **{f"fraudstream.{stage}_ms": 1e3 * seconds for stage, seconds in stopwatch.seconds.items()},
    }
    for decision, outcome, sent_ms in zip(work.decisions, work.outcomes, work.sent_ms, strict=True):
        traced = trace_headers(decision.headers)
        if traced:
            of_event = {
                "fraudstream.outcome": outcome.value,
                "fraudstream.waited_ms": begun_ns / 1e6 - sent_ms,
            }
            spans.add(SPAN, traced, begun_ns, ended_ns, of_chunk | of_event)
