"""What each command prints of values that others wrote: records, headers, orders, bundles, schemas, answers of servers.

Each case prints one value of another party; a harmless and a hostile one must give equally many lines, all printable.
"""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app import cli
from app.adapters.kafka.cluster_state import BrokerState, ClusterState, GroupState, LogDir, OpenTransaction
from app.adapters.kafka.connect_rest import ConnectorState
from app.adapters.topic_records.dead_letters import DeadLetter, LogPosition
from app.commands.data import cdc, dlq, tail
from app.commands.models import champion, control
from app.commands.operate import doctor
from app.demo.reconciliation import Reconciliation
from app.demo.screen import PlainScreen, picture
from app.demo.snapshot import Snapshot
from app.domain.control import (
    CanaryBounds,
    CanaryOrder,
    CanaryReport,
    CanaryStop,
    ChallengerReport,
    ChallengersOrder,
    ModelOrder,
    Orders,
    Refusal,
    WorkerReport,
)
from app.domain.decision import (
    Alert,
    Decision,
    ModelReference,
    Reason,
    SourceOffset,
    Thresholds,
)
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import Transaction
from app.errors import StackError
from app.operations.cluster_view import cluster_view
from app.operations.finding import failed
from app.rendering import printing
from app.rendering.console import SafeConsole
from app.rendering.decision_text import reference_text
from app.replay.customer_history import Moment, Span
from app.replay.differences import Difference
from app.replay.explain import Explanation, FeatureLine
from app.replay.explanation_text import print_explanation
from app.replay.verdict import Verdict
from tests.unit.outputs.hostile import EVERYTHING, is_harmless

HARMLESS = "c1"
WIDE = 50_000


def transaction(text: str) -> Transaction:
    return Transaction(
        transaction_id=text,
        customer_id=text,
        terminal_id=text,
        event_time=2**62,
        amount_minor=100,
        currency=text,
    )


def alert(text: Any) -> Alert:
    return Alert(
        decision_id=text,
        alert_id=text,
        transaction_id=text,
        customer_id=text,
        event_time=1_735_689_600_000,
        scored_at=0,
        score=0.9,
        outcome=Outcome.DECLINE,
        thresholds=Thresholds(review=0.5, decline=0.8),
        model=model(text),
        catalog=text,
        features=[],
        snapshot={},
        degraded=[text],
        source=SourceOffset(topic=text, partition=0, offset=1),
        transaction=transaction(text),
        reasons=[Reason(code=text, text=text, value=1.0, baseline=None)],
    )


def model(text: str) -> ModelReference:
    return ModelReference(name=text, version=text, digest=text)


def tailed(text: str) -> None:
    text = text[:64]  # the decoder accepts no longer id, no other currency, and no such model
    sound = msgspec.structs.replace(transaction(text), currency="EUR")
    record = _record(msgspec.structs.replace(alert(text), transaction=sound, degraded=[], model=model("m")))
    asyncio.run(_shown(record, as_json=False))


def tailed_as_json(text: str) -> None:
    asyncio.run(_shown(_record(alert(text)), as_json=True))


async def _shown(record: bytes, *, as_json: bool) -> None:
    await tail._printer(Decision, as_json)(record)


def _record(value: object) -> bytes:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode("utf-8", "replace")


def reference_rows(text: str) -> None:
    row = dict.fromkeys(("name", "city", "country", "segment"), text)
    printing.line(reference_text(row, row))


def dead_letter(text: str) -> DeadLetter:
    return DeadLetter(
        position=LogPosition(0, 1),
        timestamp_ms=2**62,
        key=text.encode("utf-8", "replace"),
        value=text.encode("utf-8", "replace"),
        headers=((text, text.encode("utf-8", "replace")),),
        source_topic=text,
        source=LogPosition(0, 1),
        code=text,
        message=text,
    )


def listed_dead_letter(text: str) -> None:
    dlq._print_letter(dead_letter(text), as_json=False)


def shown_dead_letter(text: str) -> None:
    dlq._print_record(dead_letter(text), as_json=False)


def shown_dead_letter_as_json(text: str) -> None:
    dlq._print_record(dead_letter(text), as_json=True)


def refused_dead_letter(text: str) -> None:
    dlq._print_refused([(SimpleNamespace(position=text), text)])  # type: ignore[list-item]  # its two fields


def explained(text: Any) -> None:
    moment = Moment(offset=1, fate=text, code="", transaction=transaction(text))
    refused = Moment(offset=2, fate=text, code=text, transaction=None)
    now = msgspec.structs.replace(
        moment, transaction=msgspec.structs.replace(transaction(text), event_time=1)
    )
    explanation = Explanation(
        alert_id=text,
        verdict=Verdict.LOG_CUT,
        history_differences=[Difference(text, text, text)],
        judgement_differences=[Difference(text, text, text)],
        span=Span(topic=text, partition=0, begins=0, begins_ms=2**62, ends=2, read_from=0, offset=1),
        alert=alert(text),
        features=[FeatureLine(name=text, state=text, recorded=1.0, rebuilt=2.0, from_log=False)],
        moments=[moment, refused, now],
    )
    print_explanation(SafeConsole(soft_wrap=True, highlight=False, width=WIDE), explanation, 10)


def cluster(text: str) -> None:
    directory = LogDir(path=text, total_bytes=1, usable_bytes=1, log_bytes=1, error=text)
    state = ClusterState(
        seen_at_ms=1,
        cluster_id=text,
        controller=None,
        brokers=(BrokerState(node=1, host=text, port=1, log_dirs=(directory,)),),
        topics=(),
        groups=(GroupState(name=text, state=text, members=1, partitions=()),),
        open_transactions=(
            OpenTransaction(
                topic=text,
                partition=1,
                offset=7,
                held_offsets=9,
                seconds=75.0,
                producer_id=12,
                transactional_id=text,
            ),
        ),
    )
    SafeConsole(width=WIDE).print(cluster_view(state))


def finding(text: str) -> None:
    doctor._print_finding(failed(text, text, text))


def report(text: str) -> WorkerReport:
    return WorkerReport(
        worker=text,
        host=text,
        runs=model(text),
        since=2**62,
        reported_at=1,
        refused=Refusal(model=text, reason=text, refused_at=1),
        challengers=[
            ChallengerReport(model=text, refused=text),
            ChallengerReport(model=text, suspended=text),
        ],
        canary=CanaryReport(model=text, share=0.5, stopped=text),
        version=text,
    )


def worker_report(text: str) -> None:
    printing.lines(control.report_lines(report(text), silent=True))


def orders(text: str) -> None:
    given = Orders(
        champion=ModelOrder(model=model(text), ordered_at=2**62),
        challengers=ChallengersOrder(models=[model(text)], ordered_at=1),
        canary=CanaryOrder(
            model=model(text),
            share=0.5,
            bounds=CanaryBounds(max_alert_rate=1),
            ordered_at=1,
            stopped=CanaryStop(worker=text, reason=text, stopped_at=1),
        ),
    )
    log: Any = SimpleNamespace(orders=given)
    champion._print_orders(log)


def connector(text: str) -> None:
    cdc._show([ConnectorState(name=text, connector=text, tasks=[text], why=text)], as_json=False)


def demo_snapshot(text: str) -> Snapshot:
    snapshot = Snapshot(Reconciliation("run"), 0.0)
    snapshot.phase = "live"
    snapshot.notes.append(text)
    snapshot.hints = [text]
    snapshot.alert(alert(text))
    snapshot.reconciliation.attacks.add(alert(text))
    return snapshot


def demo_lines(text: str) -> None:
    PlainScreen(SafeConsole(width=WIDE)).draw(demo_snapshot(text))


def demo_screen(text: str) -> None:
    SafeConsole(width=WIDE).print(picture(demo_snapshot(text), WIDE, 40))


CASES = (
    tailed,
    tailed_as_json,
    reference_rows,
    listed_dead_letter,
    shown_dead_letter,
    shown_dead_letter_as_json,
    refused_dead_letter,
    explained,
    cluster,
    finding,
    worker_report,
    orders,
    connector,
    demo_lines,
    demo_screen,
)


@pytest.mark.parametrize("prints", CASES, ids=lambda prints: prints.__name__)
def test_a_hostile_value_prints_as_many_lines_as_a_harmless_one(
    prints: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    prints(HARMLESS)
    expected = "".join(capsys.readouterr())
    prints(EVERYTHING)
    told = "".join(capsys.readouterr())

    assert is_harmless(told)
    assert expected.count("\n") == told.count("\n") > 0


def test_a_fault_prints_nothing_of_others_at_the_beginning_of_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli._print_fault(ValueError, ValueError(f"{EVERYTHING}\nall is well"), None)
    told = capsys.readouterr().err

    assert is_harmless(told)
    assert told.startswith("ValueError: c")
    assert all(line.startswith("    ") for line in told.splitlines()[1:])


def test_the_command_line_prints_errors_the_same_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> Any:
        raise StackError(f"the log of http://risk:secret@host ends:\n{EVERYTHING}\nall is well")

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit):
        cli.main()
    told = capsys.readouterr().err

    assert is_harmless(told)
    assert "secret" not in told
    assert told.startswith("stack error: the log of http://***@host ends:\n")
    assert all(line.startswith("    ") for line in told.splitlines()[1:])


def test_raw_bytes_are_not_written_to_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))

    with pytest.raises(Exception, match="Redirect"):
        printing.raw(b"\x1b[2J")
