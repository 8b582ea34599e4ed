"""Logging of a process: structlog and the standard library through one formatter, without event values."""

from typing import Any, Literal

import structlog

from app.adapters.observability.causes import stack


def _stack(exc_info: Any) -> str:
    """Libraries log the errors that they catch, whose texts may quote a record."""
    return stack(exc_info[1])


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(_stack),
]


def configure() -> None:
    """Route structlog's events through the standard library, where ``standard_config`` formats them."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def standard_config(log_format: Literal["console", "json"], level: str) -> dict[str, Any]:
    """A configuration for ``logging.config.dictConfig``: everything to standard error, one line per event."""
    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "events"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        # aiokafka builds debug records even when they are dropped: 8 % of all CPU time.
        "loggers": {"aiokafka": {"level": "WARNING"}},
    }
