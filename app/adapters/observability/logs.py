"""Logging of a process: structlog and the standard library through one formatter, without event values."""

from typing import Any, Literal

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(log_format: Literal["console", "json"]) -> None:
    """Route structlog's events through the standard library, where ``standard_config`` formats them."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            *_exceptions(log_format),
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
        # The default traceback prints local variables, which hold customers' data.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_SHARED, *_exceptions(log_format)],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "events"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        # aiokafka builds debug records even when they are dropped: 8 % of all CPU time.
        "loggers": {"aiokafka": {"level": "WARNING"}},
    }


def _exceptions(log_format: Literal["console", "json"]) -> list[Any]:
    return [structlog.processors.format_exc_info] if log_format == "json" else []
