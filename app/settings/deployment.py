"""The group DEPLOYMENT."""

from typing import Literal

from app.settings.kinds import Group


class DeploymentSettings(Group, frozen=True, kw_only=True):
    """The kind of deployment."""

    stage: Literal["development", "production"] = "development"
    """`production` refuses to start with settings that are only fit for a laptop: unencrypted Kafka, Redis or schema
    registry, Redis without a password, fewer than three replicas."""
