"""Checks a whole installation, from its settings to its brokers; each finding says what to do."""

import asyncio
import time

from app.adapters.kafka.cluster import read_cluster, read_held
from app.adapters.kafka.cluster_state import ClusterState
from app.domain.clock import skew_seconds
from app.errors import FraudstreamError, RightMissing
from app.operations import cluster_checks, local_checks
from app.operations.expected import expected_of
from app.operations.finding import Finding, failed
from app.operations.recent_decisions import read_recent
from app.operations.redis_check import check_redis
from app.operations.registry_check import check_registry
from app.settings import Settings
from app.topics import provisioning


async def examine(settings: Settings) -> list[Finding]:
    """Run every check, even when earlier ones fail. Changes nothing."""
    findings = [
        local_checks.check_aliases(settings),
        local_checks.check_model(settings),
        local_checks.check_data_dir(settings),
        local_checks.check_open_files(),
        await check_redis(settings.redis),
        await asyncio.to_thread(check_registry, settings),
    ]
    before = time.time()
    try:
        state = await read_cluster(settings.kafka, expected=expected_of(settings))
        findings += _cluster_findings(state, settings, before) + await _topic_findings(settings)
    except FraudstreamError as error:
        return [*findings, failed("cluster", str(error), "The rest of the cluster was not checked.")]
    recent = await read_recent(settings)
    return [*findings, cluster_checks.check_entities(recent, has_redis=bool(settings.redis.url))]


def _cluster_findings(state: ClusterState, settings: Settings, before: float) -> list[Finding]:
    found = [
        cluster_checks.check_rights(state),
        cluster_checks.check_brokers(state),
        cluster_checks.check_copies(state, settings.topics.replication_factor),
        cluster_checks.check_broker_disks(state),
        cluster_checks.check_group(state, settings),
        cluster_checks.check_lag(state, settings),
        cluster_checks.check_transactions(state),
        cluster_checks.check_lost_records(state, settings.groups()),
    ]
    if state.controller is not None:
        found.append(
            cluster_checks.check_clock(skew_seconds(before, time.time(), state.controller.clock_ms / 1000))
        )
    return found


async def _topic_findings(settings: Settings) -> list[Finding]:
    try:
        differences = await provisioning.differences(settings)
    except RightMissing as error:
        return [failed("topics", f"not compared: {error}", cluster_checks.RIGHTS)]
    remedies = provisioning.remedies(differences, settings.kafka.bootstrap_servers)
    return [
        cluster_checks.check_topics(provisioning.described(differences), remedies),
        cluster_checks.check_dead_letters(await read_held(settings.kafka, settings.topics.dead_letters)),
    ]
