"""Settings of the service: frozen groups, each field with its type, default, bounds and reason.

This package is the only reader of the environment. ``fraudstream settings`` prints the current values, and
``docs/settings.md`` is generated from the fields and their docstrings (``page``). Start with ``groups``.
"""

from app.settings.cases import CasesSettings
from app.settings.cdc import CdcSettings
from app.settings.control import ControlSettings, ListSettings, PolicySettings
from app.settings.deployment import DeploymentSettings
from app.settings.events import AcceptanceSettings, CatalogSettings, ProfileSettings
from app.settings.files import FileSettings
from app.settings.groups import Settings
from app.settings.kafka import KafkaSettings
from app.settings.listing import setting_names, values
from app.settings.model import ModelSettings
from app.settings.production import PRODUCTION_REPLICAS
from app.settings.redis import RedisSettings
from app.settings.registry import RegistrySettings
from app.settings.topics import STREAM_EVENTS, Stream, TopicSettings, topic_variables
from app.settings.tracing import TracingSettings
from app.settings.worker import AnalyticsSettings, CrmSettings, EntitySettings, WorkerRole, WorkerSettings

__all__ = [
    "PRODUCTION_REPLICAS",
    "STREAM_EVENTS",
    "AcceptanceSettings",
    "AnalyticsSettings",
    "CasesSettings",
    "CatalogSettings",
    "CdcSettings",
    "ControlSettings",
    "CrmSettings",
    "DeploymentSettings",
    "EntitySettings",
    "FileSettings",
    "KafkaSettings",
    "ListSettings",
    "ModelSettings",
    "PolicySettings",
    "ProfileSettings",
    "RedisSettings",
    "RegistrySettings",
    "Settings",
    "Stream",
    "TopicSettings",
    "TracingSettings",
    "WorkerRole",
    "WorkerSettings",
    "setting_names",
    "topic_variables",
    "values",
]
