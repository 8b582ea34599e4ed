"""Every command that sends orders signs them when given the key, and sends none that its readers would refuse."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.commands.models.control import report_lines
from app.domain.control import OrderRefusal, WorkerReport
from app.domain.decision import ModelReference
from app.errors import ConfigurationError
from app.streaming.control.client import OrderAnswers, refuses_champion, refuses_record
from tests.support.wire.signing import write_pair

MODEL = ModelReference(name="baseline", version="1", digest="d")
ORDERING = {
    "promote": ["model", "promote", "baseline/1"],
    "rollback": ["model", "rollback"],
    "release": ["model", "release"],
    "challenge": ["model", "challenge", "--none"],
    "canary": ["model", "canary", "baseline/1"],
    "end of the canary": ["model", "canary", "--stop"],
    "policy": ["policy", "promote", "none"],
    "rollback of a policy": ["policy", "rollback"],
    "release of a policy": ["policy", "release"],
    "skip": ["dlq", "skip", "payments", "0", "3", "--reason", "disk", "--yes"],
}


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pairs; the first is trusted. No broker listens at the address."""
    for name in ("ours", "theirs"):
        write_pair(tmp_path, name)
    monkeypatch.setenv("FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE", str(tmp_path / "ours.pub"))
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    return tmp_path


@pytest.mark.parametrize("command", ORDERING.values(), ids=list(ORDERING))
@pytest.mark.parametrize(("given", "why"), [(None, "--key FILE"), ("theirs.pem", "would be refused")])
def test_an_order_that_its_readers_would_refuse_is_not_sent(
    keys: Path, command: list[str], given: str | None, why: str
) -> None:
    signing = [] if given is None else ["--key", str(keys / given)]
    reason = [] if "--reason" in command else ["--reason", "test"]
    error = CliRunner().invoke(app, command + signing + reason).exception

    assert isinstance(error, ConfigurationError)
    assert why in str(error)


@pytest.mark.parametrize("command", ORDERING.values(), ids=list(ORDERING))
@pytest.mark.parametrize("reason", [[], ["--reason", " "]], ids=["none", "blank"])
def test_an_order_without_a_reason_is_not_sent(command: list[str], reason: list[str]) -> None:
    words = command[: command.index("--reason")] if "--reason" in command else command

    done = CliRunner().invoke(app, words + reason)
    assert done.exit_code == 2
    assert "reason" in done.output


def report(heard: int, refused: int | None = None) -> WorkerReport:
    base = WorkerReport(worker="w1", host="h", runs=MODEL, since=1, reported_at=2, heard=heard)
    if refused is None:
        return base
    refusal = OrderRefusal(key="champion", offset=refused, reason="it is not signed")
    return WorkerReport(
        worker="w1", host="h", runs=MODEL, since=1, reported_at=2, heard=heard, order_refused=refusal
    )


@pytest.mark.parametrize(
    ("heard", "refused", "expected"),
    [(7, None, False), (5, 7, True), (5, 6, True), (7, 8, False), (5, 4, False), (7, 6, False)],
)
def test_a_worker_refuses_the_order_if_it_refused_one_of_its_records(
    heard: int, refused: int | None, *, expected: bool
) -> None:
    """An order of two records, at the offsets 6 and 7."""
    answer = report(heard, refused)

    assert refuses_record(answer, range(6, 8)) is expected
    assert OrderAnswers([answer], [], range(6, 8)).unanimous(refuses_champion) is not expected


def test_the_status_of_a_worker_names_its_release_if_its_report_does() -> None:
    of_earlier_release = report(heard=1)
    of_this_release = msgspec.structs.replace(of_earlier_release, version="0.2.0")

    assert report_lines(of_earlier_release) == ["h w1  baseline/1  since 1970-01-01 00:00:00 UTC"]
    assert report_lines(of_this_release) == ["h w1  baseline/1  since 1970-01-01 00:00:00 UTC  release 0.2.0"]
