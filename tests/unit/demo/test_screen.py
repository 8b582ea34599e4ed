"""The demo's screen at several widths: one line for each attack, reasons in words, progress while history runs."""

import io
import re
import shlex

import pytest

from app.demo.progress import STEADY_SECONDS, HistoryProgress
from app.demo.reconciliation import Reconciliation
from app.demo.screen import PlainScreen, picture
from app.demo.snapshot import Snapshot
from app.domain.outcomes.outcome import Outcome
from app.rendering.console import SafeConsole
from tests.unit.outputs.alerts import alert, reason

HEIGHT = 30
PHRASES = ["amount 14.5 x the mean of 30 d", "amounts vary 14.8 x usual, 7 d", "terminal: 0 payments in 30 d"]
REASONS = [
    reason("customer_amount_ratio_30d", 14.54, 1.0, f"{PHRASES[0]}; adds 0.10 to the score"),
    reason("customer_amount_std_7d", 26950.0, 1822.0, f"{PHRASES[1]}; adds 0.10 to the score"),
    reason("terminal_count_30d", 0.0, 42.0, f"{PHRASES[2]}; adds 0.10 to the score"),
]


def snapshot(phase: str = "live") -> Snapshot:
    """Three alerts of one customer, one of another."""
    made = Snapshot(Reconciliation("run"), 0.0)
    made.phase = phase
    for one in (
        *(
            alert(
                minutes=minute,
                outcome=Outcome.DECLINE,
                score=0.9844,
                amount_minor=12_345_678,
                reasons=REASONS,
            )
            for minute in range(3)
        ),
        alert(customer="c0000002", reasons=REASONS[1:]),
    ):
        made.alert(one)
        made.reconciliation.attacks.add(one)
    return made


def shown(made: Snapshot, width: int) -> list[str]:
    console = SafeConsole(width=width, height=HEIGHT, record=True, file=io.StringIO())
    console.print(picture(made, width, HEIGHT))
    return console.export_text().splitlines()


@pytest.mark.parametrize(("width", "reasons"), [(80, 1), (100, 1), (120, 1), (160, 2), (200, 3)])
def test_an_attack_is_one_line_that_counts_with_whole_reasons_in_words(width: int, reasons: int) -> None:
    lines = [line for line in shown(snapshot(), width) if "c0000001" in line]

    (line,) = lines
    assert "decline" in line
    assert "370,370.34 EUR" in line
    assert "x3" in line
    said = "; ".join(PHRASES[:reasons])
    assert line.rstrip().endswith(said)
    assert len(line.rstrip()) <= width


@pytest.mark.parametrize("width", [80, 160])
def test_no_line_is_longer_than_the_console_and_none_names_a_feature(width: int) -> None:
    lines = shown(snapshot(), width)

    assert max(map(len, lines)) <= width
    assert not re.search(r"(customer|terminal|transaction)_\w+", "\n".join(lines))


def test_the_history_shows_what_is_sent_and_decided_and_the_time_left() -> None:
    made = snapshot("history")
    made.history.sent_share, made.reconciliation.sent = 0.5, 1000

    text = "\n".join(shown(made, 80))
    assert "history sent" in text
    assert "50 %" in text
    assert "history decided" in text
    assert "history sent" not in "\n".join(shown(snapshot("live"), 80))


def test_progress_estimates_the_whole_history_and_the_time_left() -> None:
    history = HistoryProgress()
    assert history.at(0, 0, 0.0).decided == 0
    history.sent_share = 0.5
    early = history.at(1000, 100, 10.0)
    assert (early.expected, early.decided, early.seconds_left) == (2000, 0.05, None)
    assert history.at(1000, 100, 10.0 + STEADY_SECONDS).seconds_left is None

    history.sent_share = 1.0
    steady = history.at(2100, 1100, 20.0)
    assert (steady.sent, steady.expected, steady.seconds_left) == (1.0, 2100, 10.0)


def test_plain_lines_tell_the_progress_and_an_attack_once() -> None:
    output = io.StringIO()
    screen, made = PlainScreen(SafeConsole(file=output)), snapshot("history")
    made.history.sent_share, made.reconciliation.sent = 1.0, 1000
    screen.draw(made)
    screen.draw(made)

    text = output.getvalue()
    assert "history: 100 % sent, 0 % decided," in text
    assert text.count("c0000001") == 1
    assert "x3" in text


COMMAND = "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:31349 .venv/bin/fraudstream alerts tail"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_shell_reads_a_command_that_a_narrow_console_cannot_hold_in_one_line(width: int) -> None:
    made = snapshot()
    made.hints = [COMMAND]

    lines = shown(made, width)
    (first,) = [at for at, line in enumerate(lines) if line.startswith("try: ")]
    joined = "\n".join(line.rstrip() for line in lines[first:])
    assert shlex.split(joined.replace("\\\n", "")) == ["try:", *COMMAND.split()]
    assert max(map(len, lines)) <= width


def test_the_table_has_no_heading_before_the_first_attack() -> None:
    assert "outcome" not in "\n".join(shown(Snapshot(Reconciliation("run"), 0.0), 80))
