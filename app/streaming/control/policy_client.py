"""The operator's side of orders for policies: the policy is loaded and checked before it is ordered."""

import time

from app.adapters.topic_records.control_log import ControlLog
from app.domain.orders.policy_order import PolicyOrder
from app.domain.outcomes.policy import PolicyReference
from app.errors import ConfigurationError
from app.settings import Settings
from app.streaming.control.policy import WantedPolicy
from app.streaming.control.policy_choice import load_policy

NO_POLICY = "none"


def promotion(settings: Settings, policy: str, log: ControlLog) -> PolicyOrder:
    """The order that lets ``policy`` decide, ``none`` for the model alone. Loads and checks it first; raises PolicyRejected."""
    reference = None if policy == NO_POLICY else load_policy(settings, WantedPolicy(policy)).reference
    current = log.orders.policy
    if current is None:
        previous = _default(settings)
    else:  # ordered twice, a policy must not become its own predecessor: a rollback would change nothing
        previous = current.policy if current.policy != reference else current.previous
    return PolicyOrder(policy=reference, previous=previous, ordered_at=_now_ms())


def rollback(log: ControlLog) -> PolicyOrder:
    """The order that restores the policy before the last order. Raises ConfigurationError when there is none."""
    current = log.orders.policy
    if current is None:
        raise ConfigurationError(
            "No order of a policy is in force that could be rolled back. Give one with `fraudstream policy promote NAME/VERSION`."
        )
    return PolicyOrder(policy=current.previous, previous=current.policy, ordered_at=_now_ms())


def _default(settings: Settings) -> PolicyReference | None:
    default = settings.policy.default
    return load_policy(settings, WantedPolicy(default)).reference if default else None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
