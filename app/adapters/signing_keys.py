"""Ed25519 keys in PEM files, as ``openssl genpkey -algorithm ed25519`` and ``openssl pkey -pubout`` write them."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import ConfigurationError


def private_key(file: Path) -> Ed25519PrivateKey:
    """The private key in ``file``. Raises ConfigurationError if there is none, or one with a password or of another kind."""
    try:
        key = serialization.load_pem_private_key(_read(file), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{file} holds no Ed25519 private key without a password in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{file} holds a key of another kind than Ed25519")
    return key


def public_key(file: Path) -> Ed25519PublicKey:
    """The public key in ``file``. Raises ConfigurationError if there is none, or one of another kind."""
    try:
        key = serialization.load_pem_public_key(_read(file))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{file} holds no Ed25519 public key in PEM that can be read") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(f"{file} holds a key of another kind than Ed25519")
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
