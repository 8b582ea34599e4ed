"""Checks of the Kafka cluster for ``fraudstream doctor``: brokers, copies, disks, topics, group, lag and clock."""

from collections.abc import Sequence

from app.adapters.kafka.cluster_state import ClusterState, RecentDecisions
from app.domain.words import duration
from app.operations.finding import Finding, failed, ok, warning
from app.settings import PRODUCTION_REPLICAS, Settings

LEAST_FREE_SHARE = 0.15
LONG_LAG_SECONDS = 60.0
LONG_TRANSACTION_SECONDS = 60.0
"""Kafka's default limit of a transaction, transaction.timeout.ms of its producer: brokers abort a longer one."""
MOST_WITHOUT_ENTITIES = 0.01
SKEW_SECONDS, WRONG_SECONDS = 1.0, 60.0


RIGHTS = "`fraudstream acl print --role monitor` lists the rights that this command needs."


def check_rights(state: ClusterState) -> Finding:
    """Name the missing rights, and what is unknown without them."""
    if state.missing_rights:
        return warning("rights", "missing: " + "; ".join(map(str, state.missing_rights)), RIGHTS)
    return ok("rights", "as needed")


def check_brokers(state: ClusterState) -> Finding:
    found = f"{len(state.brokers)} brokers answer"
    controller = state.controller
    if controller is None and state.hides("cluster"):
        return warning("brokers", f"{found}, the controller is unknown", RIGHTS)
    if controller is None:
        return failed("brokers", f"{found}, no controller", "Bring back a majority of the quorum's voters.")
    if controller.behind:
        gone = ", ".join(map(str, controller.behind))
        return warning("brokers", f"{found}; voters behind: {gone}", "Start these nodes, or read their logs.")
    return ok("brokers", f"{found}, controller {controller.node}")


def check_copies(state: ClusterState, replication_factor: int) -> Finding:
    offline = [topic.name for topic in state.topics if topic.offline]
    behind = [topic.name for topic in state.topics if topic.under_replicated]
    if offline:
        remedy = "Bring back the brokers that hold the copies: docs/operate/operations.md#offlinepartitions."
        return failed("copies", f"no leader: {', '.join(offline)}", remedy)
    if behind:
        remedy = "Bring back the missing broker: docs/operate/operations.md#underreplicatedpartitions."
        return warning("copies", f"a copy is missing or behind: {', '.join(behind)}", remedy)
    if replication_factor < PRODUCTION_REPLICAS:
        remedy = "Set FRAUDSTREAM_TOPICS_REPLICATION_FACTOR=3 where acknowledged records must outlive a disk."
        return warning("copies", f"in sync, {replication_factor} of each", remedy)
    return ok("copies", f"in sync, {replication_factor} of each")


def check_entities(recent: RecentDecisions | None, *, has_redis: bool) -> Finding:
    """Whether the newest decisions have the features of their entities. Without Redis none has, as ``check_redis`` says."""
    if recent is None:
        return warning("entities", "unknown: no decisions could be read", RIGHTS)
    share = recent.share_without_entities
    found = f"{share:.1%} of the newest {recent.counted:,} decisions are without features of entities"
    if not has_redis:
        return ok("entities", f"{found}; Redis is not configured")
    if share <= MOST_WITHOUT_ENTITIES:
        return ok("entities", found)
    return warning("entities", found, "docs/data/entities.md#decisions-without-entities names the causes.")


def check_broker_disks(state: ClusterState) -> Finding:
    if state.hides("cluster"):
        return warning("broker disks", "unknown", RIGHTS)
    broken = [f"{b.node}:{disk.path}" for b in state.brokers for disk in b.log_dirs if disk.error]
    if broken:
        return failed(
            "broker disks", f"failed: {', '.join(broken)}", "Replace the disk, then start the broker."
        )
    shares = {
        f"{broker.node}:{disk.path}": disk.usable_bytes / disk.total_bytes
        for broker in state.brokers
        for disk in broker.log_dirs
        if disk.total_bytes > 0
    }
    full = [f"{name} {share:.0%} free" for name, share in shares.items() if share < LEAST_FREE_SHARE]
    if full:
        return warning("broker disks", ", ".join(full), "docs/operate/operations.md#brokerdiskfilling.")
    return ok("broker disks", f"at least {min(shares.values(), default=1.0):.0%} free")


def check_topics(differences: Sequence[str], remedies: Sequence[str]) -> Finding:
    if differences:
        return failed("topics", "; ".join(differences), "; ".join(remedies) + ".")
    return ok("topics", "as required")


def check_group(state: ClusterState, settings: Settings) -> Finding:
    name = settings.worker.app_id
    if state.hides("group", name):
        return warning("group", f"{name} is unknown", RIGHTS)
    group = next((group for group in state.groups if group.name == name), None)
    if group is None or not group.members:
        return warning("group", f"{name} has no members", "Start `fraudstream worker`.")
    if group.state != "Stable":
        remedy = "Check again in a minute; if it lasts, look at /readyz of the workers."
        return warning("group", f"{name} is {group.state}", remedy)
    return ok("group", f"{name} is stable, {group.members} members")


def check_lag(state: ClusterState, settings: Settings) -> Finding:
    name, topic = settings.worker.app_id, settings.topics.transactions
    if state.hides("group", name) or state.hides("topic", topic):
        return warning("lag", "unknown", RIGHTS)
    groups = [group for group in state.groups if group.name == name]
    seconds = max((group.lag_seconds for group in groups), default=0.0)
    found = f"{sum(group.lag_records for group in groups):,} records, {duration(seconds)}"
    if seconds > LONG_LAG_SECONDS:
        return warning("lag", found, "docs/operate/operations.md#consumerlaggrowing.")
    return ok("lag", found)


def check_transactions(state: ClusterState) -> Finding:
    """Name the transactions that have held partitions back for too long."""
    long = [each for each in state.open_transactions if each.seconds > LONG_TRANSACTION_SECONDS]
    found = "; ".join(
        f"{each.topic}-{each.partition} waits at offset {each.offset} for producer {each.producer_id} "
        f"({each.transactional_id or 'transactional id unknown'}), {duration(each.seconds)}"
        for each in long
    )
    if long:
        return warning("transactions", found, "docs/operate/operations.md#opentransaction.")
    return ok("transactions", "none holds a partition back")


def check_lost_records(state: ClusterState, groups: Sequence[str]) -> Finding:
    """Report the records that retention deleted before one of ``groups`` read them."""
    lost = [
        f"{group.name}: {each.lost:,} of {each.topic}-{each.partition}"
        for group in state.groups
        if group.name in groups
        for each in group.partitions
        if each.lost
    ]
    if lost:
        return failed("lost records", "; ".join(lost), "docs/operate/operations.md#recordslost.")
    return ok("lost records", "none in 32 days")


def check_dead_letters(records: int) -> Finding:
    if records:
        remedy = "`fraudstream dlq ls --summary` shows the reasons; docs/data/dead-letters.md."
        return warning("dead letters", f"{records:,} in the topic", remedy)
    return ok("dead letters", "none")


def check_clock(skew_seconds: float) -> Finding:
    """Compare this machine's clock with the controller's; positive seconds mean that this one is ahead."""
    found = f"{duration(abs(skew_seconds))} {'ahead of' if skew_seconds > 0 else 'behind'} the brokers'"
    remedy = "Synchronize both with the same time servers: workers end when their clock is wrong."
    if abs(skew_seconds) > WRONG_SECONDS:
        return failed("clock", found, remedy)
    if abs(skew_seconds) > SKEW_SECONDS:
        return warning("clock", found, remedy)
    return ok("clock", "as the brokers'")
