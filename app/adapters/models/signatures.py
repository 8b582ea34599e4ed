"""Signs bundles: an Ed25519 signature of the manifest, which holds the digest of every other file.

Keys are PEM files, as ``openssl genpkey -algorithm ed25519`` and ``openssl pkey -pubout`` write them.
"""

import binascii
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.adapters.disk import durable_file
from app.errors import ConfigurationError, SignatureRefused

FILE_NAME = "manifest.sig"
_PURPOSE = b"fraudstream model manifest v1\0"
"""Prefix of the signed bytes, so that a signature of other data by the same key is invalid for a model."""
_NO_PUBLIC_KEY = (
    "holds no Ed25519 public key in PEM that can be read. Set FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE to one."
)


def sign(path: Path, manifest: bytes, key_file: Path) -> None:
    """Write the signature beside the manifest, atomically. Raises ConfigurationError without a usable private key."""
    signature = _private_key(key_file).sign(_PURPOSE + manifest)
    durable_file.replace(path / FILE_NAME, b64encode(signature) + b"\n")


def check(path: Path, manifest: bytes, key_file: Path) -> None:
    """Raise SignatureRefused unless the private key of this public key signed the manifest."""
    key = _public_key(key_file)
    try:
        key.verify(b64decode((path / FILE_NAME).read_bytes()), _PURPOSE + manifest)
    except FileNotFoundError as error:
        raise SignatureRefused(
            f"{path} is not signed, and {key_file} must verify every model. `fraudstream model sign` signs it."
        ) from error
    except (InvalidSignature, binascii.Error, OSError) as error:
        raise SignatureRefused(
            f"{path / FILE_NAME} is not a signature of this manifest for the key {key_file}. Find out who changed it."
        ) from error


def _private_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(file), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{file} holds no Ed25519 private key without a password in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{file} holds a key of another kind than Ed25519")
    return key


def _public_key(file: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(_read(file))
    except (ConfigurationError, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureRefused(f"{file} {_NO_PUBLIC_KEY}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SignatureRefused(f"{file} {_NO_PUBLIC_KEY}")
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
