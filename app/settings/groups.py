"""All groups of settings, and the checks across groups."""

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from app.errors import ConfigurationError
from app.settings.cases import CasesSettings, check_cases, check_production_cases
from app.settings.cdc import CdcSettings
from app.settings.control import ControlSettings, ListSettings, PolicySettings
from app.settings.deployment import DeploymentSettings
from app.settings.environment import read_groups
from app.settings.events import AcceptanceSettings, CatalogSettings, ProfileSettings
from app.settings.files import FileSettings, MappingSettings
from app.settings.kafka import KafkaSettings, check_kafka
from app.settings.model import ModelSettings
from app.settings.production import (
    check_production_kafka,
    check_production_redis,
    check_production_registry,
    check_production_tracing,
    check_replicas,
)
from app.settings.redis import RedisSettings, check_redis
from app.settings.registry import RegistrySettings, check_registry
from app.settings.topics import TopicSettings
from app.settings.tracing import TracingSettings, check_tracing
from app.settings.worker import AnalyticsSettings, CrmSettings, EntitySettings, WorkerSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, built once at start and passed down as arguments."""

    deployment: DeploymentSettings = msgspec.field(default_factory=DeploymentSettings)
    kafka: KafkaSettings = msgspec.field(default_factory=KafkaSettings)
    topics: TopicSettings = msgspec.field(default_factory=TopicSettings)
    worker: WorkerSettings = msgspec.field(default_factory=WorkerSettings)
    entities: EntitySettings = msgspec.field(default_factory=EntitySettings)
    analytics: AnalyticsSettings = msgspec.field(default_factory=AnalyticsSettings)
    crm: CrmSettings = msgspec.field(default_factory=CrmSettings)
    cases: CasesSettings = msgspec.field(default_factory=CasesSettings)
    redis: RedisSettings = msgspec.field(default_factory=RedisSettings)
    registry: RegistrySettings = msgspec.field(default_factory=RegistrySettings)
    model: ModelSettings = msgspec.field(default_factory=ModelSettings)
    control: ControlSettings = msgspec.field(default_factory=ControlSettings)
    lists: ListSettings = msgspec.field(default_factory=ListSettings)
    catalog: CatalogSettings = msgspec.field(default_factory=CatalogSettings)
    policy: PolicySettings = msgspec.field(default_factory=PolicySettings)
    profile: ProfileSettings = msgspec.field(default_factory=ProfileSettings)
    acceptance: AcceptanceSettings = msgspec.field(default_factory=AcceptanceSettings)
    tracing: TracingSettings = msgspec.field(default_factory=TracingSettings)
    cdc: CdcSettings = msgspec.field(default_factory=CdcSettings)
    mapping: MappingSettings = msgspec.field(default_factory=MappingSettings)
    files: FileSettings = msgspec.field(default_factory=FileSettings)

    def groups(self) -> tuple[str, ...]:
        """The consumer groups of all roles, that of cases where it has a database, and of the copy of the reference tables."""
        roles = (self.worker, self.entities, self.analytics, self.crm)
        cases = (self.cases.app_id,) if self.cases.database_url else ()
        return (*(role.app_id for role in roles), *cases, self.cdc.reference_group)

    @property
    def app_id(self) -> str:
        """Consumer group of a worker of this role, and prefix of the name of its changelog topic."""
        groups = {
            "entities": self.entities.app_id,
            "analytics": self.analytics.app_id,
            "crm": self.crm.app_id,
            "cases": self.cases.app_id,
        }
        return groups.get(self.worker.role, self.worker.app_id)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every group from ``environ``. Raises ConfigurationError, which names the setting and the remedy."""
        groups: dict[str, Any] = read_groups(cls, environ)
        settings = cls(**groups)
        _check_together(settings)
        return settings


def _check_together(settings: Settings) -> None:
    check_kafka(settings.kafka)
    if settings.worker.stall_seconds <= settings.kafka.produce_timeout_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_WORKER_STALL_SECONDS must be above FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS: a worker "
            "whose record is still being sent is not stalled. Raise the first or lower the second."
        )
    check_redis(settings.redis)
    check_registry(settings.registry)
    check_tracing(settings.tracing)
    check_cases(settings.cases, settings.worker)
    if settings.deployment.stage == "production":
        check_production_redis(settings.redis)
        check_production_registry(settings.registry)
        check_production_tracing(settings.tracing)
        check_production_cases(settings.cases)
        check_production_kafka(settings.kafka)
        check_replicas(settings.topics)
