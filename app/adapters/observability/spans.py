"""Spans of finished work, sent to an OpenTelemetry collector (OTLP over HTTP) by a thread of the SDK.

A span is created only for a record whose ``traceparent`` header is sampled, as a child of that span. The producers of
transactions decide what is traced.
"""

from collections.abc import Mapping

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.adapters.kafka.records import Headers

QUEUE_SPANS = 8192
"""Spans beyond this number are dropped, so that tracing never slows the worker down."""

_propagator = TraceContextTextMapPropagator()


def to_collector(url: str, timeout_seconds: float) -> SpanProcessor:
    """A processor that sends spans in batches once a second."""
    session = requests.Session()
    # The headers of OTEL_EXPORTER_OTLP_HEADERS, which may hold a key, would follow a redirect to another server.
    session.max_redirects = 0
    exporter = OTLPSpanExporter(endpoint=url, timeout=timeout_seconds, session=session)
    return BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS, schedule_delay_millis=1_000)


class Spans:
    """Creates the spans of one process of ``service``. ``close`` sends the rest, within the processor's timeout."""

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
        """Add a finished span. ``trace`` holds the record's ``traceparent`` and ``tracestate``; times are ns since the epoch."""
        parent = _propagator.extract({key: value.decode("ascii", "replace") for key, value in trace})
        span = self._tracer.start_span(
            name, parent, kind=SpanKind.CONSUMER, attributes=attributes, start_time=begun_ns
        )
        span.end(ended_ns)
