"""Logging of a process: structlog and the standard library through one formatter, without event values.

No text of an event can forge another line or control the console that shows the log, and the log holds no credentials of a URL:
see ``app.domain.safe_text``.
"""

import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict

from app.adapters.observability.causes import stack
from app.domain.safe_text import INDENT, many_lines, one_line, without_credentials


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
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_renderers(log_format),
                    _concealed,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "events"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        # aiokafka builds debug records even when they are dropped: 8 % of all CPU time.
        "loggers": {"aiokafka": {"level": "WARNING"}},
    }


def _renderers(log_format: Literal["console", "json"]) -> list[Any]:
    if log_format == "json":
        return [structlog.processors.JSONRenderer()]  # escapes all but ASCII
    plain = structlog.dev.plain_traceback
    return [
        _one_line,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
    ]


def _one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape texts; the console renderer prints everything else by its ``repr``, which escapes, too."""
    return {one_line(name): _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: object) -> object:
    """Stacks keep their lines, indented: a line of a message is no line of the log."""
    if not isinstance(value, str):
        return value
    return f"{INDENT}{many_lines(value)}" if name in {"exception", "stack"} else one_line(value)


def _concealed(_logger: object, _method: str, rendered: str) -> str:
    return without_credentials(rendered)
