"""Consumer groups with their trends, and the totals of all."""

from rich.table import Table
from rich.text import Text

from app.adapters.kafka.cluster_state import GroupState
from app.domain.words import duration
from app.operations.trends import GroupTrend, Trends
from app.rendering.palette import ALARM, ATTENTION
from app.rendering.plain_table import plain_table

LONG_LAG_SECONDS = 30.0


def group_table(groups: tuple[GroupState, ...], trends: Trends) -> Table:
    """List the groups, those with the largest lag first, since a small console cuts the table; then the totals."""
    titles = {"members": "members", "records": "records", "behind": "behind", "rate": "per s"}
    table = plain_table("group", "state", **titles, trend="lag", lost="lost")
    found = [(group, trends.of_group(group.name)) for group in groups]
    for group, trend in sorted(found, key=lambda each: _urgency(each[0])):
        table.add_row(group.name, group.state, *_cells([group], [trend]), trend.picture, _lost([group]))
    if len(groups) > 1:
        cells = _cells(groups, [trend for _, trend in found])
        table.add_row("all", f"{len(groups)} groups", *cells, "", _lost(groups), style="bold")
    return table


def _urgency(group: GroupState) -> tuple[float, int, str]:
    return -group.lag_seconds, -group.lag_records, group.name


def _cells(groups: tuple[GroupState, ...] | list[GroupState], trends: list[GroupTrend]) -> list[Text]:
    """Members, lag in records and in time, and records a second: sums, but the longest time."""
    behind = max(group.lag_seconds for group in groups)
    rates = [trend.rate for trend in trends if trend.rate is not None]
    return [
        Text(f"{sum(group.members for group in groups):,}"),
        Text(f"{sum(group.lag_records for group in groups):,}"),
        Text(duration(behind), style=ATTENTION if behind > LONG_LAG_SECONDS else ""),
        Text(f"{sum(rates):,.0f}" if rates else "-"),
    ]


def _lost(groups: tuple[GroupState, ...] | list[GroupState]) -> Text:
    lost = sum(group.lost_records for group in groups)
    return Text(f"{lost:,}", style=ALARM if lost else "")
