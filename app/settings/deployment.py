"""The group DEPLOYMENT."""

from typing import Literal

import msgspec


class DeploymentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of place this is."""

    stage: Literal["development", "production"] = "development"
    """In production what is only fit for a laptop is refused: unencrypted Kafka or Redis, a Redis without a password,
    fewer than three replicas."""
