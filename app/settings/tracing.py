"""The group TRACING."""

import msgspec

from app.settings.kinds import Seconds


class TracingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Spans for transactions whose sender traces them; docs/operate/tracing.md."""

    otlp_url: str = ""
    """Where an OpenTelemetry collector takes traces over HTTP: `http://HOST:4318/v1/traces`. Empty: none are sent. Needs the
    extra `tracing`."""
    timeout_seconds: Seconds = 2.0
    """Of one request to the collector. It is made beside the scoring; what cannot be sent in time is dropped."""
