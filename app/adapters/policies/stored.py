"""Writes, signs and reads stored policies. What a policy says is not read here.

models/policies/desk/7/policy.toml
manifest.json    names the policy and the sha256 of its file; its own sha256 is the policy's digest
manifest.sig     optional: an Ed25519 signature of the manifest
"""

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from app.adapters.disk import durable_file
from app.adapters.models import signatures
from app.adapters.models.checks import bounded_file
from app.domain.bounded import ModelName
from app.domain.outcomes.policy import PolicyReference
from app.errors import BundleCorrupt, ConfigurationError, PolicyRejected, SignatureRefused

POLICY_FILE, MANIFEST_FILE = "policy.toml", "manifest.json"
MOST_BYTES = 1024 * 1024
"""Of the file; the manifest has 200."""
_PURPOSE = b"fraudstream policy manifest v1\0"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The description of a stored policy."""

    name: ModelName
    version: ModelName
    policy: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """sha256 of ``policy.toml``."""


class StoredPolicy(NamedTuple):
    """A policy whose content matches its manifest."""

    reference: PolicyReference
    content: bytes
    """Of ``policy.toml``."""


def store(directory: Path, name: str, version: str, content: bytes, key_file: Path | None = None) -> Path:
    """Store a policy, signed where a private key is given. Returns its folder.

    Raises ConfigurationError where a policy of this name and version exists: a version never changes.
    """
    path = directory / name / version
    manifest = Manifest(name=name, version=version, policy=sha256(content).hexdigest())
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    try:
        path.mkdir(parents=True)
    except FileExistsError as error:
        raise ConfigurationError(
            f"{path} exists, and a version never changes. Give the policy another one."
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
    durable_file.replace(path / POLICY_FILE, content)
    if key_file is not None:
        signatures.sign(path, encoded, key_file, _PURPOSE)
    durable_file.replace(path / MANIFEST_FILE, encoded)  # last: without it there is no policy
    return path


def content_of(file: Path) -> bytes:
    """The bytes of a policy file. Raises ConfigurationError where it cannot be read."""
    try:
        return bounded_file.read(file, MOST_BYTES)
    except BundleCorrupt as error:
        raise ConfigurationError(
            f"{file} is no regular file of at most {MOST_BYTES:,} bytes. Give one."
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}. Give a readable file.") from error


def read(directory: Path, policy: str, public_key_file: str = "") -> StoredPolicy:
    """Read the policy ``name/version``. With a public key, only one that its private key has signed. Raises PolicyRejected."""
    if not _ID.fullmatch(policy):
        raise PolicyRejected(f"'{policy}' is no policy. Give NAME/VERSION.")
    path = directory / policy
    try:
        encoded = bounded_file.read(path / MANIFEST_FILE, MOST_BYTES)
        content = bounded_file.read(path / POLICY_FILE, MOST_BYTES)
        manifest = msgspec.json.decode(encoded, type=Manifest)
        if public_key_file:
            signatures.check(path, encoded, Path(public_key_file), _PURPOSE)
    except (BundleCorrupt, SignatureRefused) as error:
        raise PolicyRejected(str(error)) from error
    except OSError as error:
        raise PolicyRejected(
            f"{Path(os.fspath(error.filename or path))} cannot be read: {error.strerror}. Copy the policy to every worker."
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise PolicyRejected(
            f"{path / MANIFEST_FILE} is no manifest: {error}. Restore the policy."
        ) from error
    if f"{manifest.name}/{manifest.version}" != policy or sha256(content).hexdigest() != manifest.policy:
        raise PolicyRejected(f"{path} was altered: its manifest describes another policy. Restore it.")
    return StoredPolicy(
        PolicyReference(name=manifest.name, version=manifest.version, digest=sha256(encoded).hexdigest()),
        content,
    )
