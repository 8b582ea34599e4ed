"""Draws the state of a cluster for a console."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.adapters.kafka.cluster_state import (
    BrokerState,
    ClusterState,
    GroupState,
    LogDir,
    OpenTransaction,
    RecentDecisions,
)
from app.domain.words import duration

FULL_SHARE, FILLING_SHARE = 0.9, 0.8
LONG_LAG_SECONDS = 30.0
MOST_WITHOUT_ENTITIES = 0.01
LONG_TRANSACTION_SECONDS = 10.0
"""Shorter transactions are normal and would flicker."""


def cluster_view(state: ClusterState | None) -> RenderableType:
    """Return the tables of a cluster; problems are coloured. None: the cluster does not answer."""
    if state is None:
        return Text("The cluster does not answer.", style="bold red")
    long = [each for each in state.open_transactions if each.seconds >= LONG_TRANSACTION_SECONDS]
    parts = [
        _headline(state),
        _brokers(state.brokers),
        _partitions(state),
        _decisions(state.recent_decisions),
    ]
    missing = [
        Text(f"missing right: {right}", style="bold red", overflow="fold") for right in state.missing_rights
    ]
    return Group(*parts, *([_transactions(long)] if long else []), _groups(state.groups), *missing)


def _headline(state: ClusterState) -> Text:
    text = Text(f"cluster {state.cluster_id} · {len(state.brokers)} brokers · ")
    if state.controller is None and state.hides("cluster"):
        return text.append("the controller is unknown", style="bold red")
    if state.controller is None:
        return text.append("no controller", style="bold red")
    text.append(f"controller {state.controller.node}")
    if state.controller.behind:
        text.append(f" · voters behind: {_numbers(state.controller.behind)}", style="bold red")
    return text


def _brokers(brokers: tuple[BrokerState, ...]) -> Table:
    table = _table("broker", "address", "log directory", log="right", disk="right")
    for broker in brokers:
        for directory in broker.log_dirs:
            cells = (str(broker.node), f"{broker.host}:{broker.port}", directory.path)
            table.add_row(*cells, _bytes(directory.log_bytes), _fullness(directory))
    return table


def _fullness(directory: LogDir) -> Text:
    if directory.error:
        return Text(directory.error, style="bold red")
    if directory.total_bytes <= 0:
        return Text("unknown")
    used = 1 - directory.usable_bytes / directory.total_bytes
    style = "bold red" if used > FULL_SHARE else "yellow" if used > FILLING_SHARE else ""
    return Text(f"{used:.0%} of {_bytes(directory.total_bytes)} used", style=style)


def _partitions(state: ClusterState) -> RenderableType:
    bad = [topic for topic in state.topics if topic.under_replicated or topic.offline]
    if not bad:
        return Text(f"{sum(topic.partitions for topic in state.topics)} partitions, all copies in sync")
    table = _table("topic", "under-replicated", "offline")
    for topic in bad:
        table.add_row(
            topic.name,
            Text(_numbers(topic.under_replicated), style="yellow"),
            Text(_numbers(topic.offline), style="bold red"),
        )
    return table


def _decisions(recent: RecentDecisions | None) -> Text:
    if recent is None:
        return Text("the newest decisions are unknown", style="yellow")
    share = recent.share_without_entities
    text = Text(f"newest decisions: {recent.counted:,}, without features of entities: ")
    return text.append(f"{share:.1%}", style="yellow" if share > MOST_WITHOUT_ENTITIES else "")


def _transactions(transactions: list[OpenTransaction]) -> Table:
    """List the transactions that hold partitions back, the oldest first."""
    table = _table(
        "open transaction",
        "transactional id",
        producer="right",
        offset="right",
        held="right",
        lasts="right",
    )
    for each in sorted(transactions, key=lambda each: -each.seconds):
        numbers = (str(each.producer_id), str(each.offset), f"{each.held_offsets:,}")
        seconds = Text(duration(each.seconds), style="yellow")
        name = each.transactional_id or "unknown"
        table.add_row(f"{each.topic}-{each.partition}", name, *numbers, seconds)
    return table


def _groups(groups: tuple[GroupState, ...]) -> Table:
    """List the groups, those with the largest lag first, since a small console cuts the table."""
    table = _table("group", "state", members="right", records="right", behind="right", lost="right")
    for group in sorted(groups, key=lambda group: (-group.lag_seconds, -group.lag_records, group.name)):
        style = "yellow" if group.lag_seconds > LONG_LAG_SECONDS else ""
        seconds = Text(duration(group.lag_seconds), style=style)
        lost = Text(f"{group.lost_records:,}", style="bold red" if group.lost_records else "")
        table.add_row(group.name, group.state, str(group.members), f"{group.lag_records:,}", seconds, lost)
    return table


def _table(*left: str, **right: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 3, 0, 0))
    for title in left:
        table.add_column(title, no_wrap=True)
    for title in right:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _numbers(partitions: tuple[int, ...]) -> str:
    return ", ".join(map(str, partitions))


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
