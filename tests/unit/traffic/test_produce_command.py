"""`fraudstream produce` refuses wrong arguments before it sends a record."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.errors import ConfigurationError, InvalidFile

CSV = "transaction_id,customer_id,terminal_id,event_time,amount_minor,currency\na,c,t,1522540831000,1,EUR\n"


def invoke(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> BaseException | None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{closed_port()}")
    return CliRunner().invoke(app, ["produce", *arguments]).exception


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_unreachable_brokers_are_reported_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f.csv").write_text(CSV)
    error = invoke(monkeypatch, str(tmp_path / "f.csv"))

    assert isinstance(error, ConfigurationError)
    assert "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS" in str(error)


def test_an_absent_file_is_refused_before_a_broker_is_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(invoke(monkeypatch, str(tmp_path / "absent.csv")), InvalidFile)


def test_an_unknown_mapping_is_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(invoke(monkeypatch, str(tmp_path / "f.csv"), "--mapping", "x"), ConfigurationError)
