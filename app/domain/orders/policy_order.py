"""Orders that name the policy of all workers, and reports of workers about the policy they run; part of ``app.domain.control``."""

import msgspec

from app.domain.bounded import Moment, Text
from app.domain.outcomes.policy import PolicyReference

POLICY_KEY = b"policy"


class PolicyOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Order to every worker: this policy decides."""

    policy: PolicyReference | None
    """Includes the digest: a bundle of the same name with other content is refused. Null: no policy, the thresholds of the model."""
    previous: PolicyReference | None = None
    """The policy before: a rollback orders it, and a worker that starts and cannot load ``policy`` runs it."""
    ordered_at: Moment


class PolicyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of one worker."""

    runs: PolicyReference | None
    """Null: the thresholds of the model decide."""
    refused: Text = ""
    """Why it does not run the last ordered policy; empty if it does."""
    demoted: list[Text] = []
    """Rules that exceeded their hit rate and decide nothing any more on this worker, until the next order."""


def policy_id(policy: PolicyReference | None) -> str:
    """The id of a policy for display and commands, ``name/version``.

    >>> policy_id(None)
    'none'
    """
    return "none" if policy is None else f"{policy.name}/{policy.version}"
