"""Draws the state of a cluster for a console."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.adapters.kafka.cluster_state import (
    ClusterState,
    LogDir,
    OpenTransaction,
    RecentDecisions,
)
from app.domain.outcomes.outcome import Outcome
from app.domain.words import duration
from app.operations.group_table import group_table
from app.operations.trends import Trends, log_bytes
from app.rendering.palette import ALARM, ATTENTION, STYLES
from app.rendering.plain_table import plain_table

FULL_SHARE, FILLING_SHARE = 0.9, 0.8
MOST_WITHOUT_ENTITIES = 0.01
LONG_TRANSACTION_SECONDS = 10.0
"""Shorter transactions are normal and would flicker."""


def cluster_view(state: ClusterState | None, trends: Trends | None = None) -> RenderableType:
    """Return the tables of a cluster; problems are coloured. None: the cluster does not answer."""
    trends = trends or Trends()
    if state is None:
        return Text("The cluster does not answer.", style=ALARM)
    long = [each for each in state.open_transactions if each.seconds >= LONG_TRANSACTION_SECONDS]
    parts = [
        _headline(state),
        _brokers(state, trends),
        _partitions(state),
        _decisions(state.recent_decisions),
    ]
    missing = [
        Text(f"missing right: {right}", style=ALARM, overflow="fold") for right in state.missing_rights
    ]
    return Group(
        *parts, *([_transactions(long)] if long else []), group_table(state.groups, trends), *missing
    )


def _headline(state: ClusterState) -> Text:
    text = Text(f"cluster {state.cluster_id} · {len(state.brokers)} brokers · ")
    if state.controller is None and state.hides("cluster"):
        return text.append("the controller is unknown", style=ALARM)
    if state.controller is None:
        return text.append("no controller", style=ALARM)
    text.append(f"controller {state.controller.node}")
    if state.controller.behind:
        text.append(f" · voters behind: {_numbers(state.controller.behind)}", style=ALARM)
    return text


def _brokers(state: ClusterState, trends: Trends) -> Table:
    table = plain_table("broker", "address", "log directory", log="log", disk="disk")
    for broker in state.brokers:
        for directory in broker.log_dirs:
            cells = (str(broker.node), f"{broker.host}:{broker.port}", directory.path)
            table.add_row(*cells, _bytes(directory.log_bytes), _fullness(directory))
    growth = trends.log_bytes_per_hour()
    grown = "" if growth is None else f"{'+' if growth >= 0 else ''}{_bytes(growth)} an hour"
    if len(state.brokers) > 1 or grown:
        table.add_row("all", "", "", _bytes(log_bytes(state)), grown, style="bold")
    return table


def _fullness(directory: LogDir) -> Text:
    if directory.error:
        return Text(directory.error, style=ALARM)
    if directory.total_bytes <= 0:
        return Text("unknown")
    used = 1 - directory.usable_bytes / directory.total_bytes
    style = ALARM if used > FULL_SHARE else ATTENTION if used > FILLING_SHARE else ""
    return Text(f"{used:.0%} of {_bytes(directory.total_bytes)} used", style=style)


def _partitions(state: ClusterState) -> RenderableType:
    bad = [topic for topic in state.topics if topic.under_replicated or topic.offline]
    if not bad:
        return Text(f"{sum(topic.partitions for topic in state.topics)} partitions, all copies in sync")
    table = plain_table("topic", "under-replicated", "offline")
    for topic in bad:
        table.add_row(
            topic.name,
            Text(_numbers(topic.under_replicated), style=ATTENTION),
            Text(_numbers(topic.offline), style=ALARM),
        )
    return table


def _decisions(recent: RecentDecisions | None) -> Text:
    if recent is None:
        return Text("the newest decisions are unknown", style=ATTENTION)
    text = Text(f"newest decisions: {recent.counted:,}")
    for outcome in Outcome:
        of_all = recent.outcomes.get(outcome, 0) / max(recent.counted, 1)
        text.append(" · ").append(f"{outcome} {of_all:.1%}", style=STYLES[outcome])
    share = recent.share_without_entities
    style = ATTENTION if share > MOST_WITHOUT_ENTITIES else ""
    return text.append(" · without features of entities: ").append(f"{share:.1%}", style=style)


def _transactions(transactions: list[OpenTransaction]) -> Table:
    """List the transactions that hold partitions back, the oldest first."""
    table = plain_table(
        "open transaction",
        "transactional id",
        producer="producer",
        offset="offset",
        held="held",
        lasts="lasts",
    )
    for each in sorted(transactions, key=lambda each: -each.seconds):
        numbers = (str(each.producer_id), str(each.offset), f"{each.held_offsets:,}")
        seconds = Text(duration(each.seconds), style=ATTENTION)
        name = each.transactional_id or "unknown"
        table.add_row(f"{each.topic}-{each.partition}", name, *numbers, seconds)
    return table


def _numbers(partitions: tuple[int, ...]) -> str:
    return ", ".join(map(str, partitions))


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
