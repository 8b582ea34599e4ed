"""Loads a policy for workers and for the commands that order one: stored, unaltered, checked against the catalog, its tests passed."""

from functools import cache
from pathlib import Path

from app.adapters.catalog_file.deployed import computation
from app.adapters.catalog_file.reader import load_catalog
from app.adapters.policies.stored import read
from app.adapters.policy_file.reader import parsed, required
from app.catalog.definitions import Catalog
from app.computation.policy_columns import PolicyColumns
from app.errors import InvalidPolicy, PolicyRejected
from app.policy.definitions import Policy
from app.policy.names import policy_names
from app.policy.program import PolicyProgram
from app.processing.policy_run import LoadedPolicy
from app.settings import Settings
from app.streaming.control.policy import WantedPolicy

RELEASE_CATALOG = "baseline"
"""The built-in catalog that describes the features of this release."""


def load_policy(settings: Settings, wanted: WantedPolicy) -> LoadedPolicy:
    """Load and check a policy. Raises PolicyRejected with every reason."""
    stored = read(Path(settings.policy.dir), wanted.policy, settings.policy.public_key_file)
    if wanted.digest not in {"", stored.reference.digest}:
        raise PolicyRejected(
            f"{wanted.policy} in {settings.policy.dir} has the digest {stored.reference.digest}, ordered was {wanted.digest}. "
            "Copy the same files to every worker."
        )
    catalog = policy_catalog(settings)
    policy = checked_policy(stored.content, wanted.policy, catalog)
    names = policy_names(catalog, policy.lists)
    program = PolicyProgram(policy, names)
    features = computation(settings.catalog.file).features
    return LoadedPolicy(
        stored.reference, program, PolicyColumns(catalog, features.names, names, program.needed)
    )


def checked_policy(content: bytes, file: str, catalog: Catalog) -> Policy:
    """The policy in the bytes of a file, whose tests have passed. Raises PolicyRejected with all mistakes.

    A policy with a budget is refused: no worker moves thresholds for it yet, and it must not seem so.
    """
    try:
        policy = required(parsed(content, catalog), file)
    except InvalidPolicy as error:
        raise PolicyRejected(str(error)) from error
    if policy.budget is not None:
        raise PolicyRejected(f"{file}: no worker keeps an alert budget yet. Leave [budget] out.")
    return policy


def policy_catalog(settings: Settings) -> Catalog:
    """The catalog whose fields and features the conditions of policies may name. Raises as ``load_catalog``."""
    return _catalog(settings.catalog.file)


@cache
def _catalog(name: str) -> Catalog:
    return load_catalog(name or RELEASE_CATALOG)
