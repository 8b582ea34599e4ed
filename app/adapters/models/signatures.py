"""Signs bundles of models and policies: an Ed25519 signature of the manifest, which holds the digest of every other file."""

import binascii
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.adapters.disk import durable_file
from app.adapters.models.checks import bounded_file
from app.adapters.signing_keys import private_key, public_key
from app.errors import ConfigurationError, SignatureRefused

FILE_NAME = "manifest.sig"
MOST_BYTES = 4_096
"""A signature in base64 has 89 bytes."""
MODEL = b"fraudstream model manifest v1\0"
"""Prefix of the signed bytes, so that a signature of other data by the same key is invalid for a model."""
_NO_PUBLIC_KEY = (
    "holds no Ed25519 public key in PEM that can be read. Set FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE to one."
)


def sign(path: Path, manifest: bytes, key_file: Path, purpose: bytes = MODEL) -> None:
    """Write the signature beside the manifest, atomically. Raises ConfigurationError without a usable private key."""
    signature = private_key(key_file).sign(purpose + manifest)
    durable_file.replace(path / FILE_NAME, b64encode(signature) + b"\n")


def check(path: Path, manifest: bytes, key_file: Path, purpose: bytes = MODEL) -> None:
    """Raise SignatureRefused unless the private key of this public key signed the manifest."""
    key = _trusted(key_file)
    try:
        key.verify(b64decode(bounded_file.read(path / FILE_NAME, MOST_BYTES)), purpose + manifest)
    except FileNotFoundError as error:
        raise SignatureRefused(
            f"{path} is not signed, and {key_file} must verify every one. `fraudstream model sign` signs a model, `policy store "
            "--key` a policy."
        ) from error
    except (InvalidSignature, binascii.Error, OSError) as error:
        raise SignatureRefused(
            f"{path / FILE_NAME} is not a signature of this manifest for the key {key_file}. Find out who changed it."
        ) from error


def _trusted(key_file: Path) -> Ed25519PublicKey:
    try:
        return public_key(key_file)
    except ConfigurationError as error:
        raise SignatureRefused(f"{key_file} {_NO_PUBLIC_KEY}") from error
