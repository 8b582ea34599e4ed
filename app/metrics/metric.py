"""One metric, and the names of all: a name that is not listed is a type error."""

from collections.abc import Mapping
from typing import Literal

import msgspec

PREFIX = "fraudstream_"

CounterName = Literal[
    "transactions_total",
    "decisions_total",
    "dead_letters_total",
    "numeric_id_hits_total",
    "skipped_records_total",
    "late_total",
    "changes_ignored_total",
    "records_lost_total",
    "fail_stops_total",
    "stores_set_aside_total",
    "changelog_versions_repaired_total",
    "restored_records_total",
    "model_changes_total",
    "control_records_refused_total",
    "model_control_failures_total",
    "policy_changes_total",
    "rules_demoted_total",
    "shadow_total",
    "canary_decisions_total",
    "canary_stops_total",
    "labels_total",
    "entity_facts_total",
    "entity_states_total",
    "entities_absent_total",
    "redis_reads_total",
    "entities_published_total",
    "rows_total",
    "day_files_total",
    "crm_alerts_total",
    "crm_answers_total",
    "reference_changes_total",
    "list_records_refused_total",
    "list_read_failures_total",
    "cases_alerts_total",
    "cases_outcomes_total",
    "cases_changes_total",
    "cases_database_retries_total",
]
GaugeName = Literal[
    "unreadable_partitions",
    "source_lag_records",
    "profiles_cached",
    "profile_cache_bytes",
    "stored_profiles",
    "store_bytes",
    "restore_remaining_records",
    "drift_psi",
    "drift_decisions",
    "redis_breaker_open",
    "entities_unpublished",
    "registry_away",
    "registry_schemas",
    "registry_waiting_records",
    "list_offset",
    "list_entries",
    "list_bytes",
    "cases_outbox_waiting",
]
HistogramName = Literal[
    "chunk_events",
    "chunk_seconds",
    "decision_latency_seconds",
    "scores",
    "entity_read_seconds",
]
InfoName = Literal["build_info", "model_info"]

FROM_DEPLOYMENT: tuple[str, ...] = ()
"""The values of a label that come from the deployment, so that the catalog cannot list them."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    name: CounterName | GaugeName | HistogramName | InfoName
    kind: Literal["counter", "gauge", "histogram", "info"]
    unit: str
    meaning: str
    labels: Mapping[str, tuple[str, ...]] = {}
    """The labels, each with its possible values."""
    buckets: tuple[float, ...] = ()
