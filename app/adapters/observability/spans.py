"""Spans of finished work, handed to an OpenTelemetry collector (OTLP over HTTP) by a thread of the SDK's.

Only where the sender traces: a span is made for a record whose ``traceparent`` says that its trace is sampled, as a child
of what stands there. What is traced, and how much, is decided where transactions begin.
"""

from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.adapters.kafka.records import Headers

QUEUE_SPANS = 8192
"""Beyond, spans are dropped: tracing never holds up what it traces."""

_propagator = TraceContextTextMapPropagator()


def to_collector(url: str, timeout_seconds: float) -> SpanProcessor:
    """Batches, sent once a second."""
    exporter = OTLPSpanExporter(endpoint=url, timeout=timeout_seconds)
    return BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS, schedule_delay_millis=1_000)


class Spans:
    """Of one process of ``service``. ``close`` sends what is left, for as long as the processor may take."""

    def __init__(self, processor: SpanProcessor, service: str, instance: str) -> None:
        resource = Resource.create({"service.name": service, "service.instance.id": instance})
        self._provider = TracerProvider(
            sampler=ParentBased(ALWAYS_OFF), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("fraudstream")
        self.close = self._provider.shutdown

    def add(
        self,
        name: str,
        trace: Headers,
        begun_ns: int,
        ended_ns: int,
        attributes: Mapping[str, str | int | float],
    ) -> None:
        """``trace`` are the record's ``traceparent`` and ``tracestate``; times are since the epoch."""
        parent = _propagator.extract({key: value.decode("ascii", "replace") for key, value in trace})
        span = self._tracer.start_span(
            name, parent, kind=SpanKind.CONSUMER, attributes=attributes, start_time=begun_ns
        )
        span.end(ended_ns)
