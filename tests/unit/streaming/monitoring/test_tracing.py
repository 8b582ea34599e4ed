"""Spans of traced transactions, and of no others."""

import sys
from collections.abc import Sequence
from itertools import count

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.adapters.kafka.records import Headers, OutRecord
from app.adapters.observability.spans import Spans
from app.domain.outcomes.outcome import Outcome
from app.errors import ConfigurationError
from app.processing.score_chunk import ScoredChunk
from app.processing.stopwatch import Stopwatch
from app.settings import TracingSettings
from app.streaming.monitoring.tracing import open_spans, trace

TRACE_ID, SPAN_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
SAMPLED = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ENDED_NS = 1_760_000_000_000_000_000
CE_ID = ("ce_id", b"decision-t1")


def work(*traces: Headers) -> ScoredChunk:
    """A chunk with a decision for each of the headers."""
    decisions = [OutRecord(b"c1", b"{}", None, [CE_ID, *headers]) for headers in traces]
    outcomes = [Outcome.REVIEW] * len(traces)
    sent_ms = [ENDED_NS // 1_000_000 - 5_000] * len(traces)
    scores = [0.7] * len(traces)
    return ScoredChunk(3, 1, 9, decisions, [], [], {}, outcomes, scores, sent_ms, [], 0, 0, 0)


def traced(chunk: ScoredChunk) -> Sequence[ReadableSpan]:
    """The exported spans of a chunk that took two seconds."""
    exporter = InMemorySpanExporter()
    spans = Spans(SimpleSpanProcessor(exporter), "fraudstream-risk", "worker-1")
    ticks = count(10.0, 1.0)
    watch = Stopwatch(lambda: next(ticks))
    watch.lap("fold")
    watch.lap("send")
    trace(spans, chunk, watch, ENDED_NS)
    spans.close()
    return exporter.get_finished_spans()


def test_a_span_is_a_child_of_the_senders_span() -> None:
    [span] = traced(work([("traceparent", SAMPLED), ("tracestate", b"bank=1")]))

    assert span.parent is not None
    assert (TRACE_ID, SPAN_ID) == (span.parent.trace_id, span.parent.span_id)
    assert TRACE_ID == span.context.trace_id
    assert "bank=1" == span.context.trace_state.to_header()
    assert "fraudstream-risk" == span.resource.attributes["service.name"]


def test_a_span_lasts_from_when_its_chunk_was_taken_until_it_was_durable() -> None:
    [span] = traced(work([("traceparent", SAMPLED)]))

    assert (ENDED_NS - 2_000_000_000, ENDED_NS) == (span.start_time, span.end_time)
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.destination.partition.id": "3",
        "messaging.batch.message_count": 1,
        "fraudstream.fold_ms": 1_000.0,
        "fraudstream.send_ms": 1_000.0,
        "fraudstream.outcome": "review",
        "fraudstream.waited_ms": 3_000.0,
    }


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("traceparent", SAMPLED[:-1] + b"0")],
        [("traceparent", b"00-1")],
        [("traceparent", b"\xff\xfe")],
        [("tracestate", b"bank=1")],
        [("traceparent", None), ("tracestate", None), ("x", None)],
        [("traceparent", SAMPLED), ("traceparent", SAMPLED)],
    ],
    ids=["none", "not sampled", "malformed", "not ASCII", "no parent", "null", "two parents"],
)
def test_a_transaction_without_trace_context_gets_no_span(headers: Headers) -> None:
    assert 1 == len(traced(work(headers, [("traceparent", SAMPLED)])))


def test_without_an_address_nothing_is_traced() -> None:
    assert open_spans(TracingSettings(), "risk", "worker-1") is None


def test_an_address_without_the_extra_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.adapters.observability.spans", None)
    settings = TracingSettings(otlp_url="http://127.0.0.1:4318/v1/traces")

    with pytest.raises(ConfigurationError, match=r"Install fraudstream\[tracing\]"):
        open_spans(settings, "risk", "worker-1")
