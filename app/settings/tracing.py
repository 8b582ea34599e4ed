"""The group TRACING."""

import msgspec

from app.settings.kinds import Seconds


class TracingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Spans of transactions that carry a trace context; docs/operate/tracing.md."""

    otlp_url: str = ""
    """Endpoint of an OpenTelemetry collector for traces over HTTP: `http://HOST:4318/v1/traces`. Empty: no traces are sent.
    Needs the extra `tracing`."""
    timeout_seconds: Seconds = 2.0
    """Longest wait for one request to the collector. Scoring does not wait for it; spans that cannot be sent in time are
    discarded."""
