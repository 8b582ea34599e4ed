"""The group TRACING."""

from app.errors import ConfigurationError
from app.settings.kinds import Group, Seconds


class TracingSettings(Group, frozen=True, kw_only=True):
    """Spans of transactions that carry a trace context; docs/operate/tracing.md."""

    otlp_url: str = ""
    """Endpoint of an OpenTelemetry collector for traces over HTTP: `https://HOST:4318/v1/traces`. Empty: no traces are sent.
    Needs the extra `tracing`. `http://` is refused in production. It may hold no credentials: the SDK reads headers from
    OTEL_EXPORTER_OTLP_HEADERS."""
    timeout_seconds: Seconds = 2.0
    """Longest wait for one request to the collector. Scoring does not wait for it; spans that cannot be sent in time are
    discarded."""


def check_tracing(tracing: TracingSettings) -> None:
    """Raise ConfigurationError if the endpoint is not an address."""
    if tracing.otlp_url and not tracing.otlp_url.lower().startswith(("http://", "https://")):
        raise ConfigurationError(
            "FRAUDSTREAM_TRACING_OTLP_URL is not an http:// or https:// address. Give one."
        )
