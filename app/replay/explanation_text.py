"""Prints an explained alert on a console."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.domain.control import model_id
from app.domain.money import display
from app.features.catalog import WINDOW_NAMES
from app.features.window import WIDTHS_MS
from app.rendering.console import SafeConsole
from app.rendering.decision_text import event_time
from app.rendering.palette import ALARM, ATTENTION, STYLES
from app.replay.customer_history import Moment, Span
from app.replay.explain import Explanation
from app.replay.verdict import Verdict

_VERDICTS = {
    Verdict.IDENTICAL: (
        "green",
        "identical: features, score, outcome and reasons are the same, bit for bit",
    ),
    Verdict.LOG_CUT: (
        ATTENTION,
        "log_cut: retention has deleted records that are needed to recompute this alert",
    ),
    Verdict.DIFFERENT: (ALARM, "different: the log and the model give another alert"),
}


NOT_REBUILT = "not rebuilt"
_WHY_NOT_REBUILT = (
    "Features of terminals and of past frauds are not rebuilt, because their topics are not read: the recorded values were "
    "used."
)


def print_explanation(console: SafeConsole, explanation: Explanation, most_moments: int) -> None:
    """Print the explanation, with the newest ``most_moments`` records of the customer."""
    console.print(Group(*_parts(explanation, most_moments)))


def _parts(explanation: Explanation, most_moments: int) -> Iterator[RenderableType]:
    yield from _head(explanation)
    yield Text()
    yield Text(log_line(explanation.span))
    yield _timeline(explanation, most_moments)
    yield _features(explanation)
    if not all(line.from_log for line in explanation.features):
        yield Text(_WHY_NOT_REBUILT)
    yield Text("Reasons as published")
    for reason in explanation.alert.reasons:
        yield Text(f"  {reason.text}")
    for one in (*explanation.history_differences, *explanation.judgement_differences):
        yield Text(f"  {one}", style="red")
    style, sentence = _VERDICTS[explanation.verdict]
    yield Text()
    yield Text(sentence, style=style)
    if explanation.verdict is Verdict.LOG_CUT:
        yield Text(cut_line(explanation.span))


def _head(explanation: Explanation) -> Iterator[Text]:
    alert, model = explanation.alert, explanation.alert.model
    yield Text(alert.alert_id, style="bold")
    yield Text(
        f"{event_time(alert.event_time)} UTC  "
        f"{display(alert.transaction.amount_minor, alert.transaction.currency)}  "
        f"customer {alert.customer_id}  terminal {alert.transaction.terminal_id}"
    )
    yield Text(f"{alert.outcome}  {alert.score}", style=STYLES[alert.outcome]).append(
        f"  (review from {alert.thresholds.review:.4g}, decline from {alert.thresholds.decline:.4g}; "
        f"{model_id(model)} {model.digest[:12]}; scored {event_time(alert.scored_at)} UTC)",
        style="not bold default",
    )
    if alert.degraded:
        yield Text(f"degraded: {', '.join(alert.degraded)}", style=ATTENTION)


def log_line(span: Span) -> str:
    """Return the range of offsets that was read."""
    if not span.has_transaction:
        return (
            f"{span.topic}-{span.partition} has offsets {span.begins} to {span.ends}, but not {span.offset}"
        )
    return f"{span.topic}-{span.partition}, offsets {span.read_from} to {span.offset}"


def cut_line(span: Span) -> str:
    """Return how far the log still reaches back."""
    since = (
        "it is empty"
        if span.begins_ms is None
        else f"its first record has the time {event_time(span.begins_ms)} UTC"
    )
    return f"Retention has deleted the records before offset {span.begins} of {span.topic}-{span.partition}; {since}."


def _timeline(explanation: Explanation, most: int) -> Table:
    moments, before = explanation.in_windows, 0
    if len(moments) > most:
        before = len(moments) - most
    title = f"{len(moments)} records of this customer in the windows" + (
        f", {before} not shown" if before else ""
    )
    table = Table(
        "offset", "event time, UTC", "amount", "terminal", "", "within", title=title, title_justify="left"
    )
    for moment in moments[before:]:
        table.add_row(*_cells(moment, explanation.alert.event_time))
    return table


def _cells(moment: Moment, time_ms: int) -> Iterator[str]:
    yield str(moment.offset)
    if moment.transaction is None:
        yield from ("", "", "", f"{moment.fate}: {moment.code}", "")
        return
    transaction = moment.transaction
    yield event_time(transaction.event_time)
    yield display(transaction.amount_minor, transaction.currency)
    yield transaction.terminal_id
    yield moment.fate
    ages = zip(WINDOW_NAMES, WIDTHS_MS, strict=True)
    yield next((name for name, width in ages if transaction.event_time > time_ms - width), "")


def _features(explanation: Explanation) -> Table:
    table = Table("feature", "recorded", "rebuilt", "state", title="Features", title_justify="left")
    for line in explanation.features:
        style = None if line.recorded == line.rebuilt else "red"
        rebuilt = _number(line.rebuilt) if line.from_log else NOT_REBUILT
        table.add_row(line.name, _number(line.recorded), rebuilt, line.state or "", style=style)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}"
