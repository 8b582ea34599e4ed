"""The groups CONTROL, POLICY and LISTS: orders of operators, and what decides beside the models."""

from typing import Annotated

from msgspec import Meta

from app.settings.kinds import Group


class ControlSettings(Group, frozen=True, kw_only=True):
    """Orders of operators to workers and to the copy of the reference tables; docs/models/models.md#signed-orders."""

    public_key_file: str = ""
    """PEM file of an Ed25519 public key: only orders signed with its private key are followed. It may be the key that verifies
    bundles (FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE). Empty: unsigned ones too."""


class PolicySettings(Group, frozen=True, kw_only=True):
    """Rules, score bands and lists; docs/models/policies.md."""

    dir: str = "models/policies"
    """Directory with the policies, `<name>/<version>/`."""
    default: str = ""
    """`name/version` of the policy without an order of `fraudstream policy promote`. Empty: the thresholds of the model decide."""
    public_key_file: str = ""
    """PEM file of an Ed25519 public key: only policies signed with its private key are loaded. Empty: unsigned ones too."""


class ListSettings(Group, frozen=True, kw_only=True):
    """The lists of rules; docs/models/lists.md."""

    max_entries: Annotated[int, Meta(ge=1, le=50_000_000)] = 5_000_000
    """Most entries of all lists together, with 64 bytes each as a mean. The default takes at most 512 MiB of each risk worker, and only
    as much as there are entries. A worker that cannot hold all entries does not run; `fraudstream lists` refuses to add more."""
