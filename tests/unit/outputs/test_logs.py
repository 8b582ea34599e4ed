"""Texts of attackers in logs: as an event, as a value, as a name, in messages of libraries, in exceptions."""

import io
import json
import logging
import logging.config

import pytest
import structlog
from hypothesis import HealthCheck, given, settings

from app.adapters.observability import logs
from tests.unit.outputs.hostile import EVERYTHING, FORGED, is_harmless, texts

URL = "https://risk:secret@host:80/path?key=secret"


class Log:
    """The formatter of a worker's log."""

    def __init__(self, log_format: str) -> None:
        described = logs.standard_config(log_format, "debug")["formatters"]["events"]  # type: ignore[arg-type]  # both
        kept = {name: value for name, value in described.items() if name != "()"}
        self._formatter = structlog.stdlib.ProcessorFormatter(**kept)

    def of_library(self, message: str, *given: object, error: BaseException | None = None) -> str:
        """A record of the standard library, as aiokafka and Faust write them."""
        about = (type(error), error, error.__traceback__) if error else None
        return self._formatter.format(logging.LogRecord("aiokafka", 40, "f", 1, message, given, about))

    def of_program(self, **event: object) -> str:
        record = logging.LogRecord("app", 40, "f", 1, event | {"level": "error"}, (), None)
        record._name, record._logger = "error", logging.getLogger()
        return self._formatter.format(record)


def uncoloured(text: str) -> str:
    """Without the sequences of structlog's colours."""
    for code in range(110):
        text = text.replace(f"\x1b[{code}m", "")
    return text


@pytest.mark.parametrize("log_format", ["console", "json"])
@settings(suppress_health_check=[HealthCheck.differing_executors])
@given(texts)
def test_an_event_is_one_printable_line(log_format: str, text: str) -> None:
    log = Log(log_format)

    for told in (
        log.of_library(text.replace("%", "")),
        log.of_library("payload %s", text),
        log.of_library("payload %r", text.encode("utf-8", "surrogatepass")),
        log.of_program(event=text, why=text, all=[text], cause=ValueError(text)),
        log.of_program(event="e", **{text or "name": 1}),
    ):
        assert uncoloured(told).isprintable()


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_line_of_an_exception_looks_like_a_line_of_the_log(log_format: str) -> None:
    error = OSError(f"{EVERYTHING}\n{FORGED}")  # its text is logged, that of others is not

    told = uncoloured(Log(log_format).of_library("failed", error=error))

    assert is_harmless(told)
    assert all(line.startswith("    ") for line in told.split("\n")[1:])
    if log_format == "json":
        assert FORGED in json.loads(told)["exception"]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_credentials_in_urls_are_in_no_log(log_format: str) -> None:
    log = Log(log_format)
    for told in (
        log.of_library(f"{URL} does not answer"),
        log.of_library("failed", error=OSError(f"{URL} refused")),
        log.of_program(event="registry_away", at=URL, cause=OSError(URL), every=[URL]),
    ):
        assert "secret" not in told
        assert "://***@host" in told


def test_the_configuration_of_a_worker_uses_it() -> None:
    written = io.StringIO()
    config = logs.standard_config("console", "info")
    config["handlers"]["stderr"]["stream"] = written
    config["root"]["propagate"] = True
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        logging.config.dictConfig(config | {"incremental": False})
        logging.getLogger("aiokafka").error("bytes %s", "\x1b[2J\nforged")
    finally:
        root.handlers[:], root.level = before

    assert uncoloured(written.getvalue()).rstrip("\n").isprintable()
