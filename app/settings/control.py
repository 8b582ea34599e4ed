"""The group CONTROL."""

from app.settings.kinds import Group


class ControlSettings(Group, frozen=True, kw_only=True):
    """Orders of operators to workers and to the copy of the reference tables; docs/models/models.md#signed-orders."""

    public_key_file: str = ""
    """PEM file of an Ed25519 public key: only orders signed with its private key are followed. It may be the key that verifies
    bundles (FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE). Empty: unsigned ones too."""
